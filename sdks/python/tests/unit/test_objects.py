import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from croupier_sdk import JobContext, Operation, Provider
from croupier_sdk.objects.offering import SDK


@dataclass
class Wallet:
    player_id: str
    coins: int = 0


def get(player_id: str) -> Wallet:
    """Show a wallet."""
    return Wallet(player_id)


def add(player_id: str, coins: int) -> Wallet:
    return Wallet(player_id, coins)


async def drain(job: JobContext, player_id: str) -> None: ...


@pytest.fixture
def game():
    return Provider(service_id="game-1", game_id="demo", env="dev", version="1.2")


def manifest(game):
    return json.loads(game._offering.service().manifest_json)


def offered(game):
    return [each.id for each in game._offering.service().functions]


def test_the_manifest_names_the_provider_and_the_sdk(game):
    assert manifest(game) == {
        "provider": {"id": "demo", "version": "1.2", "lang": "python", "sdk": SDK},
        "functions": [],
        "entities": [],
    }


def test_game_servers_of_one_version_send_one_manifest(game):
    other = Provider(service_id="game-2", game_id="demo", env="dev", version="1.2")
    for each in (game, other):
        each.register_virtual_object("wallet", operations={"read": get})

    assert game._offering.service().manifest_json == other._offering.service().manifest_json


def test_the_sdks_version_is_that_of_its_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert f"{project['name']} {project['version']}" == SDK


def test_a_virtual_object_maps_verbs_to_functions_and_handlers(game):
    game.function("wallet.get", mode="query")(get)

    game.register_virtual_object(
        "wallet.entity",
        version="2.0.0",
        operations={
            "read": "wallet.get",
            "update": Operation(function=add, label={"en": "Add", "zh": "增加"}, danger=True),
            "drain": drain,
        },
        schema=Wallet,
        key="player_id",
        title={"en": "Wallet", "zh": "钱包"},
        relationships={"owner": {"type": "belongs_to", "entity": "player", "foreign_key": "player_id"}},
        ui={"columns": ["player_id", "coins"]},
    )

    target = {"field": "player_id"}
    assert manifest(game)["entities"] == [
        {
            "id": "wallet.entity",
            "type": "entity",
            "version": "2.0.0",
            "title": {"en": "Wallet", "zh": "钱包"},
            "key": "player_id",
            "schema": {
                "type": "object",
                "properties": {"player_id": {"type": "string"}, "coins": {"type": "integer"}},
                "required": ["player_id"],
                "additionalProperties": False,
            },
            "operations": [
                {"op": "read", "function": "wallet.get", "target": target},
                {
                    "op": "update",
                    "function": "wallet.update",
                    "target": target,
                    "label": {"en": "Add", "zh": "增加"},
                    "danger": True,
                },
                {"op": "drain", "function": "wallet.drain", "target": target},
            ],
            "relationships": {"owner": {"type": "belongs_to", "entity": "player", "foreign_key": "player_id"}},
            "ui": {"columns": ["player_id", "coins"]},
        }
    ]
    assert offered(game) == ["wallet.get", "wallet.update", "wallet.drain"]
    update = game.functions["wallet.update"].manifest
    assert (update["entity"], update["operation"], update["version"]) == ("wallet", "update", "2.0.0")
    assert game.functions["wallet.drain"].is_job


def test_one_verb_may_have_several_functions(game):
    game.function("a")(get)
    game.function("b")(get)

    game.register_virtual_object("wallet", operations={"read": ["a", {"function": "b", "title": "Slow"}]})

    (entity,) = manifest(game)["entities"]
    assert entity["operations"] == [
        {"op": "read", "function": "a"},
        {"op": "read", "function": "b", "title": {"en": "Slow"}},
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"operations": {"read": "wallet.gte"}}, "operation read: there is no function wallet.gte here; register it"),
        ({"operations": {}}, "wallet has no operations"),
        ({"operations": {"a b": "f"}}, "operation 'a b': a verb is one word"),
        ({"operations": {"read": 7}}, "operation read: give a function's id, or its handler"),
        ({"operations": {"read": {"function": "f", "colour": 1}}}, "operation read: it has no colour"),
        ({"operations": {"read": {"label": "x"}}}, "operation read: give a function's id"),
        ({"operations": {"read": Operation(function="f", field="x")}}, "function f has no parameter 'x'"),
        ({"operations": {"read": lambda x: x}}, "function wallet.read, parameter x: it needs a type"),
        ({"operations": {"read": "f"}, "schema": complex}, "wallet, schema: the type complex"),
        ({"operations": {"read": "f"}, "relationships": {"owner": {}}}, "relationship owner: it names no entity"),
        ({"id": "wal let", "operations": {"read": "f"}}, "virtual object 'wal let'"),
        ({"id": "taken", "operations": {"read": "f"}}, "virtual object taken is registered twice"),
        ({"id": "taken.entity", "operations": {"read": "f"}}, "virtual object taken.entity is registered twice"),
    ],
)
def test_a_wrong_virtual_object_is_refused_whole(game, given, words):
    game.function("f")(get)
    game.register_virtual_object("taken", operations={"read": "f"})
    before = manifest(game)

    with pytest.raises((TypeError, ValueError), match=words):
        game.register_virtual_object(**{"id": "wallet", **given})

    assert manifest(game) == before


def test_of_a_virtual_object_that_fails_no_handler_stays(game):
    with pytest.raises(ValueError, match="no function nowhere"):
        game.register_virtual_object("wallet", operations={"read": get, "update": "nowhere"})

    assert offered(game) == []
    game.register_virtual_object("wallet", operations={"read": get})
    assert offered(game) == ["wallet.read"]


WALLETS = {
    "id": "wallets",
    "name": "Wallets",
    "version": "1.0.0",
    "description": "Coins of players.",
    "category": "economy",
    "author": "us",
    "license": "Apache-2.0",
    "dependencies": [],
    "functions": [
        {"id": "wallet.get", "version": "1.1.0", "entity": "wallet", "operation": "read", "description": "Show it."},
        {"id": "wallet.add", "risk": "high", "rate_limit": "5rps"},
        {"id": "wallet.burn", "enabled": False},
    ],
    "entities": [
        {
            "id": "wallet",
            "name": "Wallet",
            "operations": {"read": "wallet.get", "add": "wallet.add", "burn": "wallet.burn"},
        }
    ],
}
HANDLERS = {"wallet.get": get, "wallet.add": add}


def test_a_component_brings_functions_and_entities_at_once(game):
    game.register_component(WALLETS, HANDLERS)

    assert offered(game) == ["wallet.get", "wallet.add"]
    said = game.functions["wallet.get"].manifest
    assert (said["version"], said["category"], said["summary"]) == ("1.1.0", "economy", {"en": "Show it."})
    assert (said["entity"], said["operation"]) == ("wallet", "read")
    assert game.functions["wallet.add"].manifest["semantics"]["rate_limit"] == "5rps"
    (entity,) = manifest(game)["entities"]
    assert [each["op"] for each in entity["operations"]] == ["read", "add"]
    assert entity["title"] == {"en": "Wallet"}


def test_a_component_may_name_functions_that_are_registered_already(game):
    game.function("wallet.add")(add)

    game.register_component(WALLETS, {"wallet.get": get})

    assert offered(game) == ["wallet.add", "wallet.get"]


@pytest.mark.parametrize("name", ["wallets.json", "component.json", "manifest.json"])
def test_a_component_is_loaded_from_a_file_or_its_directory(game, tmp_path, name):
    (tmp_path / name).write_text(json.dumps(WALLETS))

    game.load_component(tmp_path / name if name == "wallets.json" else tmp_path, HANDLERS)

    assert offered(game) == ["wallet.get", "wallet.add"]


@pytest.mark.parametrize(
    ("changes", "handlers", "words"),
    [
        ({"id": ""}, HANDLERS, "a component needs an id"),
        ({"functons": []}, HANDLERS, "component wallets has 'functons', which is not known"),
        ({"functions": "wallet.get"}, HANDLERS, "functions is a list of objects"),
        ({"functions": [{"version": "1"}]}, {}, "component wallets: a function has no id"),
        ({"functions": [{"id": "a"}, {"id": "a"}]}, {"a": get}, "function a is named twice"),
        ({"functions": [{"id": "a", "riks": "high"}]}, {"a": get}, "function a has 'riks', which is not known"),
        ({"functions": [{"id": "a", "risk": "huge"}], "entities": []}, {"a": get}, "a: risk must be one of"),
        ({}, {"wallet.get": get}, "function wallet.add has no handler, and is not registered either"),
        ({}, {**HANDLERS, "wallet.x": get}, "there are handlers for wallet.x"),
        ({"entities": [{"id": "wallet", "operations": {}}]}, HANDLERS, "wallet has no operations"),
        ({"entities": [{"id": "wallet", "verbs": {}}]}, HANDLERS, "entity wallet has 'verbs'"),
        ({"entities": [{"id": "w", "operations": {"read": "x"}}]}, HANDLERS, "there is no function x here"),
        ({"dependencies": ["players"]}, HANDLERS, "needs players: register that first"),
        ({"dependencies": [7]}, HANDLERS, "a dependency is a component's id"),
    ],
)
def test_a_wrong_component_is_refused_whole(game, changes, handlers, words):
    with pytest.raises((TypeError, ValueError), match=words):
        game.register_component({**WALLETS, **changes}, handlers)

    assert (offered(game), manifest(game)["entities"]) == ([], [])


def test_a_component_is_registered_once_and_satisfies_a_dependency(game):
    game.register_component(WALLETS, HANDLERS)

    with pytest.raises(ValueError, match="component wallets is registered twice"):
        game.register_component(WALLETS, HANDLERS)
    game.register_component({"id": "shop", "dependencies": [{"id": "wallets", "version": "1.0.0"}]})


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "component.json: it is not JSON"), (b"[]", "is a JSON object"), (b"[" * 99_999, "it is not JSON")],
)
def test_a_component_file_that_is_none_is_named(game, tmp_path, content, words):
    (tmp_path / "component.json").write_bytes(content)

    with pytest.raises(ValueError, match=words):
        game.load_component(tmp_path)


def test_a_component_file_that_is_not_there_is_named(game, tmp_path):
    with pytest.raises(OSError, match=r"component\.json"):
        game.load_component(tmp_path)
