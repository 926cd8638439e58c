"""The shipped packs: without a fault, about just what their providers offer, with views that show recorded real answers.

`answers.json` was recorded from Debian's Prometheus and Alertmanager, an HTTP server, and Grafana's documented API; the player's
answers come from the sample game itself.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.packs.shown import check_shown
from tests.planes.adapter_testbed import PatientAgent, settings

from croupier import demo
from croupier.adapters.app import build
from croupier.cli.main import run
from croupier.descriptors import EntityDescriptor, FunctionDescriptor, load_directory, read_manifest
from croupier.forms import Condition, Form, Transform
from croupier.packs.folder import read_folder
from croupier.packs.reading import read_pack
from croupier.server.catalog import EntityEntry, Kind, Origin
from croupier.server.catalog.merged_entities import merged
from croupier.settings import (
    AlertmanagerAdapterSettings,
    GrafanaAdapterSettings,
    HttpAdapterSettings,
    PromAdapterSettings,
)
from croupier.shipped import shipped_pack, shipped_packs
from croupier_sdk import Provider

NAMES = ["alertmanager", "grafana", "http", "player", "prom"]
ADAPTERS = {
    "alertmanager": (AlertmanagerAdapterSettings, {}),
    "grafana": (GrafanaAdapterSettings, {}),
    "http": (HttpAdapterSettings, {"allow": "api.example"}),
    "prom": (PromAdapterSettings, {}),
}
ANSWERS = json.loads(Path(__file__).with_name("answers.json").read_text(encoding="utf-8"))


def folder(name: str) -> Path:
    found = shipped_pack(name)
    assert found is not None
    return found


def functions(name: str) -> dict[str, FunctionDescriptor]:
    loaded = load_directory(folder(name))
    assert [str(fault) for fault in loaded.faults] == []
    return {each.id: each for each in loaded.descriptors if isinstance(each, FunctionDescriptor)}


def forms(name: str) -> dict[str, Any]:
    ending = ".uischema.json"
    files = (folder(name) / "ui").glob(f"*{ending}")
    return {file.name.removesuffix(ending): json.loads(file.read_text(encoding="utf-8")) for file in files}


@pytest.fixture
async def provider(name, tmp_path):
    """What offers the functions of the pack."""
    if name == "player":
        yield demo.build(tmp_path, players=5)
        return
    model, options = ADAPTERS[name]
    async with build(settings(model, **options)) as provider:
        yield provider


def test_these_packs_are_shipped():
    assert sorted(each.name for each in shipped_packs().iterdir()) == NAMES
    assert shipped_pack("nobody") is None
    assert shipped_pack("../packs") is None


@pytest.mark.parametrize("name", NAMES)
async def test_a_shipped_pack_describes_what_its_provider_offers(name, provider: Provider):
    described = functions(name)
    offered = {each for each in provider.functions if not each.startswith("demo.")}
    assert set(described) == offered
    for function_id, descriptor in described.items():
        manifest = provider.functions[function_id].manifest
        params = {key: value for key, value in descriptor.params.items() if key != "$schema"}
        assert params == manifest["request"]["json_schema"], function_id
        assert (descriptor.result or {}) == manifest.get("response", {}).get("json_schema", {})
        said = manifest["semantics"]
        assert descriptor.semantics.mode == said.get("mode", "command")
        assert descriptor.semantics.idempotent == said.get("idempotent", False)
        assert descriptor.semantics.returns == said.get("returns", "")
        assert descriptor.risk == manifest["risk"]
        assert (descriptor.entity, descriptor.operation) == (manifest.get("entity", ""), manifest.get("operation", ""))
        assert (dict(descriptor.display_name), dict(descriptor.summary)) == (
            manifest["display_name"],
            manifest["summary"],
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_pack_is_read_without_a_fault_or_a_note(name):
    pack = read_pack(read_folder(folder(name)))
    assert (pack.name, pack.version) == (name, "1.0.0")
    assert [str(note) for note in pack.notes] == []
    assert set(pack.ui) == set(forms(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_pack_is_taken_by_its_name_unless_something_here_has_that_name(name, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(["pack", "validate", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name} 1.0.0: ")
    (tmp_path / name).mkdir()
    assert run(["pack", "validate", name]) != 0


@pytest.mark.parametrize("name", ["nobody", "../packs/prom", "prom/manifest.json", ""])
def test_only_whole_names_of_shipped_packs_are_taken(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(["pack", "validate", name]) != 0


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_lists_its_functions_with_their_versions(name):
    manifest = json.loads((folder(name) / "manifest.json").read_text(encoding="utf-8"))
    described = functions(name)
    assert manifest["id"] == name
    assert {each["id"]: each["version"] for each in manifest["functions"]} == {
        each.id: each.version for each in described.values()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_form_names_arguments_in_both_languages(name):
    described, shown = functions(name), forms(name)
    for function_id, form in shown.items():
        params = described[function_id].params
        assert set(form["fields"]) <= set(params["properties"])
        assert all(set(field["label"]) == {"en", "zh"} for field in form["fields"].values())
        for group in form.get("ui:groups", []):
            assert set(group["fields"]) <= set(params["properties"])
        Form.compile(params, form)
    assert {function_id for function_id, each in described.items() if each.params["properties"]} == set(shown)


def test_operations_of_the_player_are_described_functions():
    loaded = load_directory(folder("player"))
    (player,) = _entities(loaded.descriptors)
    named = {each.function for some in player.operations.values() for each in some}
    assert named <= set(functions("player"))
    assert player.key in player.object_schema["properties"]


def test_the_pack_and_the_sample_game_say_the_same_of_a_player(tmp_path):
    game = demo.build(tmp_path, players=5)._offering.service()
    said = read_manifest(game.manifest_json, "manifest")
    described = [*load_directory(folder("player")).descriptors, *said.entities]
    origins = [Origin(kind=Kind.PACK, name="player"), Origin(kind=Kind.GAME_SERVER, name=game.service_id)]
    entries = [EntityEntry(each, origin) for each, origin in zip(_entities(described), origins, strict=True)]
    assert [each.field for each in merged(entries, {})["player"].conflicts] == []


def _entities(described: list[Any]) -> list[EntityDescriptor]:
    return [each for each in described if isinstance(each, EntityDescriptor)]


async def played(data: Path) -> dict[str, list[Any]]:
    """Answers of the sample game."""
    async with PatientAgent() as agent, demo.build(data, agent=agent.address, players=5):
        await agent.wait_registered("player.list")
        players = await agent.invoke("player.list", {})
        player = {"player_id": players["players"][0]["player_id"]}
        mail = await (await agent.start_job("mail.send_all", {"text": "hello", "seconds": 0})).result()
        export = await (await agent.start_job("player.export", {})).result()
        free = next(each["player_id"] for each in players["players"] if not each["banned"])
        return {
            "player.list": [players],
            "player.get": [await agent.invoke("player.get", player)],
            "item.grant": [await agent.invoke("item.grant", {**player, "item": "sword"})],
            "player.ban": [await agent.invoke("player.ban", {"player_id": free})],
            "player.unban": [await agent.invoke("player.unban", {"player_id": free})],
            "mail.send_all": [mail],
            "player.export": [export],
        }


@pytest.mark.parametrize("name", NAMES)
async def test_every_view_gets_what_it_draws_from_a_real_answer(name, tmp_path):
    answers = await played(tmp_path) if name == "player" else ANSWERS
    for function_id, descriptor in functions(name).items():
        seen = set()
        for view in descriptor.outputs.views:
            transform = Transform.read(view.transform.document() if view.transform else None)
            shows = [
                transform.apply(answer)
                for answer in answers[function_id]
                if not view.show_if or Condition.read(view.show_if).holds(answer)
            ]
            for shown in shows:
                check_shown(view.renderer, shown)
                seen.add(view.id)
            if shows and (columns := {column["key"] for column in view.options.get("columns", [])}):
                assert columns <= {key for shown in shows for row in shown for key in row}, (function_id, view.id)
        assert {view.id for view in descriptor.outputs.views} - seen <= {"warnings"}, function_id


def test_a_value_that_is_no_number_is_a_gap_in_a_chart():
    (chart, *_) = functions("prom")["prom.query_range"].outputs.views
    shown = Transform.read(chart.transform.document()).apply(ANSWERS["prom.query_range"][1])
    assert [value for _, value in shown[0]["data"]] == [None, None]
    assert [moment % 1000 for moment, _ in shown[0]["data"]] == [0, 0]
