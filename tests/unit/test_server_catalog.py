"""What functions say of themselves, and which calls fit it."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from croupier.descriptors import read_descriptor
from croupier.domain.bulk import Bulk
from croupier.domain.call import Call
from croupier.domain.function import FunctionRef, Service
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, InvalidArgument
from croupier.packs.reading import read_pack
from croupier.server.bulk_rows import fits
from croupier.server.catalog import Catalog, Kind, Origin, Source, spoken
from croupier.server.catalog.checking import Unfit
from croupier.server.catalog.snapshot import source_of
from croupier.server.catalog.speech import AT_ONCE_BYTES
from croupier.server.catalog.spoken import ABSENCE

HERE, THERE = Scope("demo", "dev"), Scope("demo", "prod")
DAYS = {"type": "object", "properties": {"days": {"type": "integer", "minimum": 1}}, "required": ["days"]}


def manifest(schema: Any = DAYS, function_id: str = "ban", **more: Any) -> bytes:
    return orjson.dumps([{"id": function_id, "request": {"json_schema": schema}, **more}])


def service(manifest_json: bytes) -> Service:
    return Service(service_id="s", functions=(FunctionRef("ban"),), manifest_json=manifest_json)


def call(payload: Any, scope: Scope = HERE, **fields: Any) -> Call:
    data = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return Call(id="c", function_id="ban", scope=scope, payload=data, caller="x", **fields)


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog()
    catalog.learn("a", HERE, (service(manifest()),))
    return catalog


def test_a_payload_is_checked_against_the_schema_and_every_fault_is_named(catalog: Catalog) -> None:
    assert catalog.check(call({"days": 3})).function.id == "ban"
    with pytest.raises(InvalidArgument, match="does not fit ban: /days") as caught:
        catalog.check(call({"days": 0}))
    assert list(caught.value.details) == ["/days"]


def test_a_game_server_may_send_a_whole_manifest(catalog: Catalog) -> None:
    whole = orjson.dumps({"provider": {"id": "s"}, "functions": orjson.loads(manifest()), "entities": []})
    catalog.learn("a", THERE, (service(whole),))
    with pytest.raises(InvalidArgument, match="does not fit ban: /days"):
        catalog.check(call({"days": 0}, THERE))


def test_a_payload_is_checked_in_its_own_scope_only(catalog: Catalog) -> None:
    assert catalog.check(call({"days": 0}, THERE)).function.schema is None


@pytest.mark.parametrize(
    "payload", [b"{", b"\xff", b'{"days": NaN}', b"[" * 5_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000]
)
def test_a_payload_that_is_no_json_is_refused_where_there_is_a_schema(catalog: Catalog, payload: bytes) -> None:
    with pytest.raises(InvalidArgument, match="must be JSON"):
        catalog.check(call(payload))
    assert catalog.check(call(payload, THERE)).function.schema is None


def test_many_faults_are_named_in_part(catalog: Catalog) -> None:
    schema = {"properties": {f"p{n}": {"type": "integer"} for n in range(50)}}
    catalog.learn("a", HERE, (service(manifest(schema)),))
    with pytest.raises(InvalidArgument) as caught:
        catalog.check(call({f"p{n}": "x" * 10_000 for n in range(50)}))
    assert len(caught.value.details) == 10
    assert len(caught.value.message) < 5_000


def test_a_description_goes_with_its_agent(catalog: Catalog) -> None:
    catalog.learn("b", HERE, (service(manifest({"required": ["hours"]})),))
    with pytest.raises(InvalidArgument, match="hours"):
        catalog.check(call({"days": 3}))
    catalog.forget("b")
    catalog.check(call({"days": 3}))
    catalog.learn("a", HERE, ())
    assert not catalog.described(HERE)


def test_an_agent_that_leaves_twice_leaves_nothing_behind(catalog: Catalog) -> None:
    for _ in range(2):
        catalog.forget("a")
    catalog.forget("who")
    assert not catalog.described(HERE)
    assert not catalog.spoken.speeches()


# ------------------------------------------------------------------------------------------------ who is away


def test_the_last_description_counts_for_a_while_although_nobody_gives_it_any_more() -> None:
    now = [1_000.0]
    catalog = Catalog(lambda: now[0])
    catalog.learn("a", HERE, (service(manifest()),))
    catalog.forget("a")
    now[0] += ABSENCE - 1
    with pytest.raises(InvalidArgument, match="/days"):
        catalog.check(call({"days": 0}))
    assert catalog.function(THERE, "ban") is None
    now[0] += 1
    assert catalog.function(HERE, "ban") is None


def test_a_game_server_that_is_here_and_says_nothing_more_is_taken_at_its_word(catalog: Catalog) -> None:
    catalog.forget("a")
    catalog.learn("b", HERE, (service(b""),))
    assert catalog.function(HERE, "ban") is None
    catalog.learn("b", HERE, (service(manifest()),))
    catalog.learn("b", HERE, (service(b"rubbish"),))
    assert catalog.function(HERE, "ban") is None


def test_of_those_who_are_gone_so_much_is_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    one = len(manifest(function_id="f00"))
    monkeypatch.setattr(spoken, "LEFT_BYTES", 5 * one)
    catalog = Catalog()
    for n in range(10):
        catalog.learn(f"a{n}", HERE, (replace(service(manifest(function_id=f"f0{n}")), service_id=f"s{n}"),))
        catalog.forget(f"a{n}")
    assert [n for n in range(10) if catalog.function(HERE, f"f0{n}")] == [5, 6, 7, 8, 9]
    monkeypatch.setattr(spoken, "MOST_LEFT", 2)
    catalog.learn("a", HERE, (service(manifest(function_id="f99")),))
    catalog.forget("a")
    assert [n for n in range(10) if catalog.function(HERE, f"f0{n}")] == [9]


async def test_a_large_manifest_that_was_not_read_to_its_end_is_read_when_it_comes_again(catalog: Catalog) -> None:
    raw = large()
    catalog.learn("a", THERE, (service(raw),))
    catalog.forget("a")
    await asyncio.gather(*catalog.spoken._reading)
    catalog.learn("a", THERE, (service(raw),))
    await asyncio.gather(*catalog.spoken._reading)
    assert [entity.descriptor.id for entity in catalog.entities(THERE)] == ["player"]


@pytest.mark.parametrize(
    "schema",
    [{"type": "nothing"}, {"pattern": "("}, {"$ref": "http://elsewhere.example/schema"}, {"$ref": "#/nowhere"}],
)
def test_a_schema_that_cannot_be_used_leaves_its_function_without_one(catalog: Catalog, schema: Any) -> None:
    catalog.learn("a", HERE, (service(manifest(schema)),))
    assert catalog.check(call({"days": 0})).function.schema is None
    ((_, speech),) = catalog.spoken.speeches()
    assert [fault.path.startswith("$[0].request.json_schema") for fault in speech.faults] == [True]


TWO = {"two_person_rule": {"required": True, "approvers": 2}}
AT_ONCE: list[Any] = []
LATER = [{"id": f"f{number}", "summary": "x" * 100} for number in range(AT_ONCE_BYTES // 100)]
"""Descriptions beside it, so that the manifest is read when it comes, or afterwards."""


@pytest.mark.parametrize("beside", [AT_ONCE, LATER])
@pytest.mark.parametrize("faulty", [{"request": {"json_schema": {"pattern": "("}}}, {"outputs": 7}, {"tags": {"a": 1}}])
async def test_of_a_description_with_faults_the_rules_still_hold(faulty: Any, beside: list[Any]) -> None:
    catalog = Catalog()
    said = [{"id": "ban", "auth": TWO, "risk": "high", **faulty}, *beside]
    catalog.learn("a", HERE, (service(orjson.dumps(said)),))
    entry = catalog.check(call({"days": 0}))
    assert entry.approvable
    assert entry.function.risk == "high"
    await catalog.spoken.stop()


@pytest.mark.parametrize("beside", [AT_ONCE, LATER])
@pytest.mark.parametrize("auth", [{"two_person_rule": {"required": "ture"}}, {"allow_if": 7}, "admins"])
async def test_a_function_whose_rules_have_faults_may_be_called_by_nobody(auth: Any, beside: list[Any]) -> None:
    catalog = Catalog()
    said = [{"id": "ban", "auth": auth}, *beside]
    catalog.learn("a", HERE, (service(orjson.dumps(said)),))
    with pytest.raises(FailedPrecondition, match="ban is disabled by game server s"):
        catalog.check(call({}))
    await catalog.spoken.stop()


def test_of_two_descriptions_in_one_manifest_the_one_without_faults_counts(catalog: Catalog) -> None:
    said = [{"id": "ban", "auth": "admins"}, {"id": "ban", "auth": TWO}]
    catalog.learn("a", HERE, (service(orjson.dumps(said)),))
    assert catalog.check(call({})).approvable


def test_a_faulty_manifest_is_left_out_and_the_others_count(catalog: Catalog) -> None:
    catalog.learn("a", HERE, (service(b"rubbish"), service(manifest(function_id="kick"))))
    assert catalog.function(HERE, "ban") is None
    assert catalog.function(HERE, "kick") is not None


def source(kind: Kind, name: str, schema: Any = DAYS, function_id: str = "ban") -> Source:
    described = read_descriptor(orjson.dumps({"id": function_id, "params": schema}), "f.json")
    return source_of(Origin(kind=kind, name=name), [described])


def test_a_pack_goes_before_a_provider_and_that_before_a_game_server(catalog: Catalog) -> None:
    assert catalog.check(call({"days": 3})).origin.kind is Kind.GAME_SERVER
    catalog.use_sources(providers=[source(Kind.PROVIDER, "p", {"required": ["hours"]})])
    for scope in (HERE, THERE):
        with pytest.raises(InvalidArgument, match="hours"):
            catalog.check(call({"days": 3}, scope))
    catalog.use_sources(packs=[source(Kind.PACK, "q", {"required": ["weeks"]})])
    with pytest.raises(InvalidArgument, match="weeks"):
        catalog.check(call({"hours": 3}))
    assert [entry.origin.name for entry in catalog.entries(HERE, "ban")] == ["q", "p", "s"]
    catalog.use_sources(packs=[], providers=[])
    assert catalog.check(call({"days": 3})).origin.kind is Kind.GAME_SERVER
    catalog.check(call({}, THERE))


def test_of_two_packs_or_providers_the_first_goes_before_the_second(catalog: Catalog) -> None:
    first, second = source(Kind.PACK, "one"), source(Kind.PACK, "two", {"required": ["hours"]})
    catalog.use_sources(packs=[first, second])
    assert catalog.check(call({"days": 3})).origin.name == "one"
    catalog.use_sources(packs=[second, first])
    assert catalog.check(call({"hours": 3})).origin.name == "two"


def test_a_snapshot_stays_as_it_is(catalog: Catalog) -> None:
    catalog.use_sources(packs=[source(Kind.PACK, "q")])
    before = catalog.snapshot
    entry = catalog.check(call({"days": 3}))
    catalog.use_sources(packs=[])
    assert before.entry("ban") is entry
    assert catalog.snapshot.entry("ban") is None


# ------------------------------------------------------------------------------------------------ large manifests


def large(schema: Any = DAYS) -> bytes:
    return orjson.dumps(
        {
            "functions": [
                {"id": f"f{n}", "summary": "x" * 100, "request": {"json_schema": schema}} for n in range(400)
            ],
            "entities": [{"id": "player", "operations": [{"op": "ban", "function": "ban", "risk": "high"}]}],
        }
    )


async def test_no_call_goes_unchecked_while_a_large_manifest_is_read(catalog: Catalog) -> None:
    catalog.learn("a", HERE, (service(large()),))
    with pytest.raises(InvalidArgument, match="/days"):
        catalog.check(replace(call({"days": 0}), function_id="f399"))
    await catalog.spoken.stop()


async def test_a_large_manifest_is_known_in_full_once_it_is_read(catalog: Catalog) -> None:
    catalog.learn("a", THERE, (service(large()),))
    entry = catalog.entry(THERE, "f7")
    await asyncio.gather(*catalog.spoken._reading)
    assert catalog.entry(THERE, "f7") is entry
    assert [entity.descriptor.id for entity in catalog.entities(THERE)] == ["player"]
    assert len(catalog.described(THERE)) >= 400
    catalog.forget("a")
    assert not catalog.described(THERE)
    assert not catalog.spoken.speeches()


async def test_who_described_a_function_last_counts_although_an_earlier_manifest_takes_longer_to_read(
    catalog: Catalog,
) -> None:
    catalog.learn("a", THERE, (replace(service(large()), service_id="slow"),))
    catalog.learn("b", THERE, (replace(service(manifest(function_id="f7")), service_id="late"),))
    await asyncio.gather(*catalog.spoken._reading)
    found = catalog.entry(THERE, "f7")
    assert found is not None
    assert found.origin.name == "late"


async def test_what_many_agents_say_alike_is_read_once(catalog: Catalog) -> None:
    raw = large()
    for n in range(1_000):
        catalog.learn(f"a{n}", HERE, (service(raw),))
    assert len(catalog.spoken._reading) == 1
    assert len(catalog.entries(HERE, "f1")) == 1
    await catalog.spoken.stop()


def test_the_ui_file_of_a_pack_says_what_is_hidden(catalog: Catalog) -> None:
    files = {
        "manifest.json": {"id": "p", "functions": [{"id": "ban"}]},
        "descriptors/ban.json": {"id": "ban", "params": DAYS, "ui": {"fields": {"days": {"show_if": "$.never"}}}},
        "ui/ban.uischema.json": {"ui:fields": {"days": {"show_if": "$.kind == 'mute'"}}},
    }
    catalog.use_packs([read_pack({name: orjson.dumps(content) for name, content in files.items()})])
    shown = call({"kind": "mute", "days": 3})
    assert catalog.accept(shown)[1] is shown
    _, hidden = catalog.accept(call({"kind": "ban", "days": 3}))
    assert hidden.payload == b'{"kind":"ban"}'
    with pytest.raises(Unfit) as refused:
        catalog.accept(call({"kind": "mute"}))
    assert [(fault.path, fault.keyword) for fault in refused.value.faults] == [("/days", "required")]


def test_rows_of_a_bulk_run_are_held_to_the_conditions_too(catalog: Catalog) -> None:
    ui = {"fields": {"reason": {"required_if": "$.days > 7"}}}
    catalog.learn("a", HERE, (service(manifest(ui=ui)),))
    bulk = Bulk(id="b", scope=HERE, function_id="ban")
    check = fits(catalog, bulk)
    assert check(b'{"days": 7}') == ()
    assert [fault.path for fault in check(b'{"days": 8}')] == ["/reason"]


def test_a_function_without_conditions_has_no_form(catalog: Catalog) -> None:
    plain = catalog.check(call({"days": 3}))
    assert (plain.conditional, plain.form, plain.faults) == (False, None, ())


def test_a_payload_that_is_no_json_is_refused_where_there_are_conditions(catalog: Catalog) -> None:
    catalog.learn("a", HERE, (service(manifest(ui={"fields": {"days": {"show_if": "$.a"}}})),))
    for payload in (b"{", b"\xff", b"[" * 5_000):
        with pytest.raises(InvalidArgument, match="must be JSON"):
            catalog.accept(call(payload))


async def test_a_large_manifest_of_an_agent_that_is_gone_is_not_read(catalog: Catalog) -> None:
    catalog.learn("a", THERE, (service(large()),))
    (_, speech), *_ = [each for each in catalog.spoken.speeches() if each[0] == THERE]
    catalog.forget("a")
    await asyncio.gather(*catalog.spoken._reading)
    assert speech.entities == ()
    assert not catalog.described(THERE)
