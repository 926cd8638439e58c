"""Functions whose game servers speak protobuf: JSON for whoever calls, and in every record; messages on the way."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.protoc import compiled
from tests.unit.test_server_spine import CALLER, SCOPE, Holding, spine

from croupier.bus.memory import MemoryBus
from croupier.descriptors import EntityDescriptor, FunctionDescriptor, read_descriptor
from croupier.domain.call import Call, CallState, Result, Route
from croupier.domain.job import Job, JobEvent, JobState
from croupier.errors import Conflict, FailedPrecondition, HandlerFailed, InvalidArgument
from croupier.server.calls import Calls
from croupier.server.catalog import Catalog, Kind, Origin, Source
from croupier.server.catalog.catalog import source_of_pack
from croupier.server.catalog.snapshot import source_of
from croupier.server.job_events import JobIntake, topic
from croupier.store.sql import SqlStore, open_store
from croupier.transcoding import TypeRegistry
from croupier.tunnel.frames import CallResult

BAN = compiled(ban='syntax = "proto3"; package game; message Ban { string player_id = 1; int32 days = 2; }')
NEWER = compiled(ban='syntax = "proto3"; package game; message Ban { int32 days = 7; string player_id = 8; }')


@dataclass(frozen=True)
class APack:
    """As much of a pack as the catalog looks at."""

    functions: Sequence[FunctionDescriptor]
    descriptor_sets: Mapping[str, bytes] = field(default_factory=dict)
    name: str = "game"
    version: str = "1"
    entities: Sequence[EntityDescriptor] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    ui: Mapping[str, Any] = field(default_factory=dict)


def function(function_id: str = "f", fqn: str = "game.Ban", **more: Any) -> FunctionDescriptor:
    transport = {"proto": {"request_fqn": fqn, "response_fqn": fqn, "encoding": "pb-json"}}
    described = read_descriptor(json.dumps({"id": function_id, "transport": transport, **more}).encode(), "f.json")
    assert isinstance(described, FunctionDescriptor)
    return described


def described(sets: Mapping[str, bytes], *functions: FunctionDescriptor) -> Catalog:
    catalog = Catalog()
    catalog.use_packs([APack(functions or (function(),), sets)])
    return catalog


def call(payload: object, **fields: Any) -> Call:
    chosen = {"id": "c", "function_id": "f", "timeout": 60.0, **fields}
    return Call(scope=SCOPE, payload=json.dumps(payload).encode(), caller="x", **chosen)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await open_store(tmp_path / "croupier.db")
    yield store
    await store.close()


async def answered(calls: Calls, agent: Holding, asked: Call, payload: bytes) -> Result:
    """The outcome of a call that the game server answers so."""
    calling = asyncio.ensure_future(calls.invoke(CALLER, asked))
    held = len(agent.held)
    await agent.until_held(held + 1)
    frame = agent.held[-1]
    agent.peer.machine.answer(CallResult(request_id=frame.request_id, payload=payload, agent_us=5, handler_us=3))
    agent.peer.wake()
    return await calling


async def test_the_game_server_gets_and_gives_messages_and_everyone_else_json(store: SqlStore) -> None:
    async with spine(store, described({"types.pb": BAN})) as (calls, agent, _):
        result = await answered(calls, agent, call({"player_id": "p", "days": 7}, idempotency_key="k"), b"\x0a\x01q")
        assert agent.held[0].payload == b"\x0a\x01p\x10\x07"
        assert json.loads(result.payload) == {"player_id": "q", "days": 0}
        record = await store.call("c")
    assert record is not None
    assert json.loads(record.call.payload) == {"player_id": "p", "days": 7}
    assert isinstance(record.outcome, Result)
    assert record.outcome.payload == result.payload


async def test_a_field_is_checked_recorded_and_hashed_under_its_name_in_the_proto(store: SqlStore) -> None:
    """Whichever of its two names a caller uses, rules about it hold."""
    params = {"type": "object", "properties": {"player_id": {"maxLength": 3}}, "additionalProperties": False}
    routing = {"hash_key": "player_id"}
    catalog = described({"types.pb": BAN}, function(params=params, routing=routing))
    async with spine(store, catalog) as (calls, agent, _):
        with pytest.raises(InvalidArgument, match="/player_id"):
            await calls.invoke(CALLER, call({"playerId": "long"}))
        await answered(calls, agent, call({"playerId": "p"}, idempotency_key="k", route=Route.HASH), b"")
        record = await store.call("c")
    assert record is not None
    assert json.loads(record.call.payload) == {"player_id": "p"}
    assert record.call.hash_key == "p"


async def test_arguments_that_do_not_fit_the_message_are_neither_recorded_nor_sent(store: SqlStore) -> None:
    async with spine(store, described({"types.pb": BAN})) as (calls, agent, _):
        with pytest.raises(InvalidArgument) as refused:
            await calls.invoke(CALLER, call({"player": "p"}))
        assert "/player" in refused.value.details
        assert not agent.held
        assert await store.call("c") is None


async def test_a_repeated_key_returns_the_first_answer_as_json(store: SqlStore) -> None:
    async with spine(store, described({"types.pb": BAN})) as (calls, agent, _):
        first = await answered(calls, agent, call({"days": 1}, idempotency_key="k"), b"\x10\x05")
        again = await calls.invoke(CALLER, call({"days": 1}, id="c2", idempotency_key="k"))
        with pytest.raises(Conflict):
            await calls.invoke(CALLER, call({"days": 2}, id="c3", idempotency_key="k"))
        assert len(agent.held) == 1
    assert again.replayed
    assert again.payload == first.payload == b'{"player_id":"","days":5}'


async def test_an_answer_that_is_no_such_message_fails_the_call_and_is_recorded_so(store: SqlStore) -> None:
    async with spine(store, described({"types.pb": BAN})) as (calls, agent, _):
        with pytest.raises(HandlerFailed, match=r"are not a game\.Ban") as failed:
            await answered(calls, agent, call({}, idempotency_key="k"), b'{"ok":true}')
        record = await store.call("c")
    assert failed.value.spent == (5, 3)
    assert record is not None
    assert record.state is CallState.FAILED
    assert record.trail.agent_us == 5


async def test_a_broadcast_gathers_json_and_shows_who_answered_something_else(store: SqlStore) -> None:
    async with spine(store, described({"types.pb": BAN})) as (calls, agent, _):
        result = await answered(calls, agent, call({"days": 1}, route=Route.BROADCAST), b"\x10\x05")
        assert agent.held[0].payload == b"\x10\x01"
        assert json.loads(result.payload)["results"][0]["payload"] == {"player_id": "", "days": 5}
        with pytest.raises(HandlerFailed, match=r"game\.Ban"):
            await answered(calls, agent, call({}, id="c2", route=Route.BROADCAST), b"\xff")


async def test_a_call_keeps_the_types_it_began_with_while_its_pack_is_replaced(store: SqlStore) -> None:
    catalog = described({"types.pb": BAN})
    async with spine(store, catalog) as (calls, agent, _):
        before = asyncio.ensure_future(calls.invoke(CALLER, call({"days": 1})))
        await agent.until_held(1)
        catalog.use_packs([APack((function(),), {"types.pb": NEWER})])
        after = asyncio.ensure_future(calls.invoke(CALLER, call({"days": 1}, id="c2")))
        await agent.until_held(2)
        agent.answer_all()  # with what each of them was sent
        results = await asyncio.gather(before, after)
    assert [frame.payload for frame in agent.held] == [b"\x10\x01", b"\x38\x01"]
    assert [json.loads(result.payload)["days"] for result in results] == [1, 1]


def test_types_that_did_not_change_are_not_built_again() -> None:
    before, after = described({"types.pb": BAN}), described({"types.pb": BAN})
    other = described({"types.pb": NEWER})

    codec = before.check(call({})).codec
    assert codec is not None
    assert after.check(call({})).codec == codec
    assert other.check(call({})).codec != codec


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        ({}, r"f cannot be called: no message game\.Ban in the pack's FileDescriptorSets"),
        ({"types.pb": BAN[:-3]}, r"f cannot be called: types\.pb: it is no FileDescriptorSet"),
    ],
)
async def test_a_function_without_its_types_says_so_and_nothing_is_sent(
    sets: Mapping[str, bytes], says: str, store: SqlStore
) -> None:
    catalog = described(sets, function(), function("plain", fqn=""))
    async with spine(store, catalog) as (calls, agent, _):
        with pytest.raises(FailedPrecondition, match=says):
            await calls.invoke(CALLER, call({"days": 1}))
        assert not agent.held
    (fault,) = catalog.snapshot.entries("f")[0].faults
    assert "f cannot be called" in fault.message.en
    assert catalog.check(call({}, function_id="plain")).codec is None


async def test_a_large_payload_goes_the_same_way(store: SqlStore) -> None:
    name = "x" * 300_000
    async with spine(store, described({"types.pb": BAN})) as (calls, agent, _):
        calling = asyncio.ensure_future(calls.invoke(CALLER, call({"player_id": name})))
        await agent.until_held(1)
        agent.answer_all()
        result = await calling
    assert json.loads(result.payload)["player_id"] == name


def provided(**messages: str) -> Source:
    """A provider's function that names its messages as manifests do."""
    said = {side: {"proto_fqn": fqn} for side, fqn in messages.items()}
    described = read_descriptor(json.dumps({"id": "f", **said}).encode(), "manifest.json")
    return source_of(Origin(kind=Kind.PROVIDER, name="arena"), [described])


async def test_a_providers_function_takes_its_types_from_a_pack_that_has_them(store: SqlStore) -> None:
    catalog = Catalog()
    catalog.use_sources(providers=[provided(request="game.Ban", response="game.Ban")])
    other = function("other", fqn="")
    async with spine(store, catalog) as (calls, agent, _):
        with pytest.raises(
            FailedPrecondition, match=r"f cannot be called: it takes protobuf, and no pack has game\.Ban:"
        ):
            await calls.invoke(CALLER, call({"days": 1}))
        assert "$.f.transport.proto" in str(catalog.snapshot.entries("f")[0].faults)
        catalog.use_packs([APack((other,), {}, name="none"), APack((other,), {"types.pb": BAN})])
        result = await answered(calls, agent, call({"days": 1}), b"\x10\x05")
        assert agent.held[0].payload == b"\x10\x01"
    assert json.loads(result.payload)["days"] == 5


def test_a_description_that_did_not_change_keeps_its_entry_when_its_pack_is_read_again() -> None:
    pack = APack((function(),), {"types.pb": BAN})
    first = source_of_pack(pack)

    assert source_of_pack(pack, first).entries["f"] is first.entries["f"]
    changed = source_of_pack(APack((function(),), {"types.pb": NEWER}), first)
    assert changed.entries["f"] is not first.entries["f"]


# ---------------------------------------------------------------------------------------------------- jobs


class _Link:
    """Where acknowledgements go."""

    agent_id = "a"

    def __init__(self) -> None:
        self.stops: list[bool] = []

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None:
        self.stops.append(stop)

    def pause(self) -> None: ...

    def proceed(self) -> None: ...


async def last_words(store: SqlStore, intake: JobIntake, bus: MemoryBus, payload: bytes) -> Job:
    """The job, once its game server has ended it with this result."""
    running = asyncio.ensure_future(intake.run())
    try:
        async with bus.subscribe(topic("j")) as notices, asyncio.timeout(90):
            intake.arrived(_Link(), JobEvent(job_id="j", seq=1, type="progress", progress=5, payload=b"\xff"))  # type: ignore[arg-type]
            intake.arrived(_Link(), JobEvent(job_id="j", seq=2, type="done", progress=100, payload=payload))  # type: ignore[arg-type]
            while int((await anext(notices)).body) < 2:
                pass
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    job = await store.job("j")
    assert job is not None
    return job


async def placed(store: SqlStore) -> None:
    await store.create(Call(id="j", function_id="f", scope=SCOPE, payload=b"{}", caller="x"))
    await store.place("j", agent_id="a", service_id="s")


async def test_the_result_of_a_job_is_kept_as_json(store: SqlStore) -> None:
    await placed(store)
    bus = MemoryBus()
    intake = JobIntake(store, bus, lambda: 1)
    intake.expect("j", "a", TypeRegistry.build({"types.pb": BAN}).codec("game.Ban", "game.Ban"))

    job = await last_words(store, intake, bus, b"\x10\x05")

    assert job.state is JobState.SUCCEEDED
    assert json.loads(job.payload) == {"player_id": "", "days": 5}


async def test_a_result_that_is_no_such_message_fails_the_job(store: SqlStore) -> None:
    await placed(store)
    bus = MemoryBus()
    intake = JobIntake(store, bus, lambda: 1)
    intake.expect("j", "a", TypeRegistry.build({"types.pb": BAN}).codec("game.Ban", "game.Ban"))

    job = await last_words(store, intake, bus, b"{}")

    assert job.state is JobState.FAILED
    assert "are not a game.Ban" in job.error


async def test_a_job_that_was_started_before_the_server_was_is_read_by_the_present_types(store: SqlStore) -> None:
    await placed(store)
    bus = MemoryBus()

    job = await last_words(store, JobIntake(store, bus, lambda: 1, described({"t.pb": BAN}).codec_of), bus, b"\x10\x05")

    assert json.loads(job.payload) == {"player_id": "", "days": 5}
