"""One call through the real server: HTTP in, the tunnel out to a scripted agent, and back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.scripted_agent import (
    OTHER,
    SCOPE,
    Reply,
    Script,
    ScriptedAgent,
    Server,
    attached,
    eventually,
    keep_silent,
    known,
    raw_agent,
    running,
    seen_away,
    service,
    within,
)

from croupier.domain.call import Call, CallState
from croupier.domain.function import FunctionRef, Service
from croupier.errors import CroupierError, FunctionRejected, HandlerFailed, NotFound, OutcomeUnknown
from croupier.server import app
from croupier.store import CallRecord
from croupier.store.sql import open_store
from croupier.tunnel.connector import Execute
from croupier.tunnel.frames import CallResult, Invoke


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


def fail(error: CroupierError) -> Script:
    def failing(agent: ScriptedAgent, frame: Invoke) -> None:
        agent.send(CallResult(request_id=frame.request_id, error=error))

    return failing


def asked(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["reason"]


async def record_of(data: Path, call_id: str) -> CallRecord:
    """What is on disk of a call, once the server has ended."""
    store = await open_store(data / "croupier.db")
    try:
        found = await store.call(call_id)
    finally:
        await store.close()
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ there and back


async def test_an_answer_travels_the_whole_way(server: Server) -> None:
    async with attached(server) as agent:
        reply = await server.invoke(payload={"player_id": "p1"}, metadata={"ticket": "T-7"})
    assert (reply.status, reply.json) == (200, {"player_id": "p1"})
    assert (reply.headers["X-Service-ID"], reply.headers["X-Agent-ID"]) == ("game-1", "agent-1")
    (frame,) = agent.executed
    assert frame.metadata["ticket"] == "T-7"
    assert (frame.metadata["game_id"], frame.metadata["env"]) == ("demo", "dev")
    assert 0 < frame.deadline_ms <= 30_000
    assert reply.headers["X-Trace-ID"] in frame.traceparent


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (16, "", (422, "function_rejected")),
        (16, "unauthenticated", (422, "function_rejected")),
        (99, "", (502, "handler_failed")),
        (0, "", (502, "handler_failed")),
        (13, "internal", (502, "outcome_unknown")),
    ],
)
async def test_what_a_game_server_says_is_neither_said_of_the_operators_token_nor_a_fault_of_the_server(
    server: Server, caplog: pytest.LogCaptureFixture, code: int, reason: str, status: tuple[int, str]
) -> None:
    async with raw_agent(server.grpc) as agent:
        await agent.hello("agent-1", capabilities=["session"], incarnation="one")
        await agent.hear_frame("welcome")
        offering = {"service_id": "game-1", "healthy": True, "functions": [{"id": "f"}]}
        await agent.say("register", seq=1, register={"services": [offering]})
        await eventually(server.instances)
        asking = asyncio.ensure_future(server.invoke())
        frame = await agent.hear_frame("invoke")
        said = {"code": code, "reason": reason, "message": "the player's session is over"}
        await agent.say("result", seq=2, result={"request_id": frame.request_id, "status": said})
        reply = await within(asking)
    assert asked(reply) == status
    assert reply.json["detail"] == "the player's session is over"
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("error", "status"),
    [(HandlerFailed("ZeroDivisionError: division by zero"), 502), (FunctionRejected("the player is offline"), 422)],
)
async def test_a_failing_function_is_told_with_its_reason(server: Server, error: CroupierError, status: int) -> None:
    async with attached(server, script=fail(error)):
        reply = await server.invoke()
    assert asked(reply) == (status, error.reason)
    assert reply.json["detail"] == error.message


async def test_a_payload_that_does_not_fit_its_schema_never_leaves_the_server(server: Server) -> None:
    manifest = (
        b'[{"id": "f", "request": {"json_schema": {"properties": {"n": {"type": "integer"}}, "required": ["n"]}}}]'
    )
    async with attached(server, services=(service("f", manifest_json=manifest),)) as agent:
        wrong = await server.invoke(payload={"n": "many"})
        right = await server.invoke(payload={"n": 3})
    assert asked(wrong) == (400, "invalid_argument")
    assert "/n" in wrong.json["details"]
    assert right.status == 200
    assert len(agent.executed) == 1


async def test_a_schema_goes_with_the_manifest_that_brought_it(server: Server) -> None:
    manifest = b'[{"id": "f", "request": {"json_schema": {"required": ["n"]}}}]'
    async with attached(server, services=(service("f", manifest_json=manifest),)) as agent:
        assert (await server.invoke()).status == 400
        agent.services = (service("f", "g"),)
        agent.register()
        await known(server, agent)
        assert (await server.invoke()).status == 200


# ------------------------------------------------------------------------------------------------ nobody there


async def test_an_unknown_function_is_404_naming_the_scope(server: Server) -> None:
    async with attached(server) as agent:
        reply = await server.invoke("no.such")
    assert asked(reply) == (404, "not_found")
    assert "no.such in demo|dev" in reply.json["detail"]
    assert not agent.executed


async def test_a_function_of_another_scope_is_unknown_in_this_one(server: Server) -> None:
    async with attached(server, scope=OTHER) as agent:
        reply = await server.invoke()
        assert asked(reply) == (404, "not_found")
        assert "demo|dev" in reply.json["detail"]
        assert not agent.executed
        assert (await server.invoke(scope=OTHER)).status == 200


async def test_a_function_whose_agent_is_away_is_503(server: Server) -> None:
    async with attached(server) as agent:
        await agent.cut()
        await seen_away(server)
        reply = await server.invoke()
    assert asked(reply) == (503, "unavailable")
    assert "no agent available for f in demo|dev" in reply.json["detail"]
    assert "agent-1" in reply.json["detail"]


async def test_an_agent_that_lost_its_session_is_still_known_as_away(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1) as server, attached(server) as agent:
        silent = asyncio.ensure_future(server.invoke("f"))
        await silent
        agent.script = keep_silent
        waiting = asyncio.ensure_future(server.invoke("f"))
        await agent.request()
        await agent.request()
        await agent.cut()
        assert (await within(waiting)).status == 502  # so the session is over
        assert asked(await server.invoke()) == (503, "unavailable")
        shown = await server.agent("agent-1")
    assert not shown["healthy"]
    assert 0 < shown["expires_in_sec"] <= 90


async def test_an_agent_that_begins_anew_is_called_before_it_has_registered(server: Server) -> None:
    async with attached(server) as agent:
        await agent.cut()
        await seen_away(server)
        restarted = ScriptedAgent(server.grpc, incarnation="two")
        restarted.register = lambda: None  # type: ignore[method-assign] — it is slow to say what it has
        await restarted.connect()
        reply = await server.invoke()
        await restarted.cut()
    assert reply.status == 200
    assert len(restarted.executed) == 1


# ------------------------------------------------------------------------------------------------ routes


async def test_a_targeted_call_names_its_game_server_to_the_agent(server: Server) -> None:
    two = (service("f", service_id="game-1"), service("f", service_id="game-2"))
    async with (
        attached(server, "agent-1", services=two) as agent,
        attached(server, "agent-2", services=(service("f", service_id="game-3"),)) as other,
    ):
        reply = await server.invoke(route="targeted", target_service_id="game-2")
        missing = await server.invoke(route="targeted", target_service_id="game-9")
        nameless = await server.invoke(route="targeted")
    assert reply.status == 200
    (frame,) = agent.executed
    assert (frame.metadata["route"], frame.metadata["target_service_id"]) == ("targeted", "game-2")
    assert not other.executed
    assert asked(missing) == (404, "not_found")
    assert "target service not found: game-9" in missing.json["detail"]
    assert asked(nameless) == (400, "invalid_argument")


async def test_calls_with_one_hash_key_go_to_one_game_server(server: Server) -> None:
    async with (
        attached(server, "agent-1", services=(service("f", service_id="game-1"),)) as one,
        attached(server, "agent-2", services=(service("f", service_id="game-2"),)) as two,
    ):
        for _ in range(3):
            for player in range(8):
                assert (await server.invoke(route="hash", hash_key=f"player-{player}")).status == 200
        nameless = await server.invoke(route="hash")
    keys = [{frame.metadata["hash_key"] for frame in agent.executed} for agent in (one, two)]
    assert keys[0] | keys[1] == {f"player-{player}" for player in range(8)}
    assert not keys[0] & keys[1]
    assert asked(nameless) == (400, "invalid_argument")


async def test_a_call_for_a_version_reaches_an_agent_that_has_it(server: Server) -> None:
    def versioned(version: str) -> tuple[Service, ...]:
        return (Service(service_id=f"game-{version}", functions=(FunctionRef("f", version),)),)

    async with (
        attached(server, "agent-1", services=versioned("1.0")) as one,
        attached(server, "agent-2", services=versioned("2.0")) as two,
    ):
        for _ in range(4):
            assert (await server.invoke(version="2.0")).status == 200
        missing = await server.invoke(version="3.0")
    assert not one.executed
    assert [frame.metadata["version"] for frame in two.executed] == ["2.0"] * 4
    assert asked(missing) == (404, "not_found")
    assert "there is 1.0, 2.0" in missing.json["detail"]


async def test_the_agent_with_fewer_calls_under_way_is_preferred(server: Server) -> None:
    async with (
        attached(server, "agent-1", script=keep_silent) as one,
        attached(server, "agent-2", script=keep_silent) as two,
    ):
        calls = []
        for sent in range(1, 9):
            calls.append(asyncio.ensure_future(server.invoke()))
            while len(one.executed) + len(two.executed) < sent:
                await within(_news(one, two))
            assert abs(len(one.executed) - len(two.executed)) <= 1
        for agent in (one, two):
            for frame in agent.executed:
                agent.send(CallResult(request_id=frame.request_id, payload=b"{}"))
        assert [reply.status for reply in await asyncio.gather(*calls)] == [200] * 8


async def _news(*agents: ScriptedAgent) -> None:
    waiting = [asyncio.ensure_future(agent.event(Execute)) for agent in agents]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


# ------------------------------------------------------------------------------------------------ giving up


async def test_a_call_without_an_answer_ends_at_its_deadline_and_its_agent_is_told(server: Server) -> None:
    async with raw_agent(server.grpc) as agent:
        await agent.hello("agent-1", capabilities=["session"], incarnation="one")
        await agent.hear_frame("welcome")
        offering = {"service_id": "game-1", "healthy": True, "functions": [{"id": "f"}]}
        await agent.say("register", seq=1, register={"services": [offering]})
        await eventually(server.instances)
        reply = await server.invoke(timeout="200ms")
        call = await agent.hear_frame("invoke")
        cancelled = await agent.hear_frame("cancel_call")
    assert asked(reply) == (504, "deadline_exceeded")
    assert "tunnel invoke timeout" in reply.json["detail"]
    assert cancelled.request_id == call.request_id
    assert 0 < call.deadline_ms <= 200


async def test_a_call_that_was_sent_and_not_answered_in_time_has_an_outcome_that_nobody_knows(server: Server) -> None:
    async with attached(server, script=keep_silent):
        reply = await server.invoke(timeout="1s")

    async def recorded() -> Any:
        found = (await server.request("GET", f"/api/calls/{reply.json['call_id']}")).json
        return found if found["state"] != "running" else None

    record = await eventually(recorded)
    assert (record["state"], record["reason"]) == ("outcome_unknown", "deadline_exceeded")
    assert "look in the game" in record["next"]


async def test_a_caller_that_hangs_up_frees_every_hop(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.invoke())
        frame = await agent.request()
        calling.cancel()
        await agent.aborted(frame.request_id)
        assert not agent.send(CallResult(request_id=frame.request_id, payload=b"{}"))
    record = await record_of(tmp_path, frame.request_id)
    assert record.state is CallState.CANCELED
    assert isinstance(record.outcome, CroupierError)
    assert record.outcome.reason == "canceled"


async def test_a_call_survives_a_stream_that_breaks_and_is_resumed(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.invoke())
        frame = await agent.request()
        await agent.cut()
        await seen_away(server)
        assert (await agent.connect()).resumed
        agent.send(CallResult(request_id=frame.request_id, payload=b'{"ok": true}'))
        reply = await within(calling)
    assert (reply.status, reply.json) == (200, {"ok": True})
    assert len(agent.executed) == 1


async def test_a_call_whose_agent_is_lost_for_good_has_an_unknown_outcome(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1) as server, attached(server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.invoke())
        frame = await agent.request()
        await agent.cut()
        reply = await within(calling)
    assert asked(reply) == (502, "outcome_unknown")
    assert (await record_of(tmp_path, frame.request_id)).state is CallState.OUTCOME_UNKNOWN


async def test_a_call_that_was_never_sent_may_be_repeated(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1) as server:
        async with raw_agent(server.grpc) as agent:
            await agent.hello("agent-1", capabilities=["session"], incarnation="one")
            await agent.hear_frame("welcome")
            offering = {"service_id": "game-1", "healthy": True, "functions": [{"id": "f"}, {"id": "g"}]}
            await agent.say("register", seq=1, register={"services": [offering]})
            await eventually(server.instances)
            # The agent reads no more, so the large call fills the stream and the small one waits behind it.
            large = asyncio.ensure_future(server.invoke("f", {"blob": "x" * 9_000_000}))
            await eventually(lambda: _outstanding(server, 1))
            small = asyncio.ensure_future(server.invoke("g"))
            await eventually(lambda: _outstanding(server, 2))
        assert asked(await within(large)) == (502, "outcome_unknown")
        reply = await within(small)
    assert asked(reply) == (503, "unavailable")
    assert "may be repeated" in reply.json["detail"]


async def _outstanding(server: Server, count: int) -> bool:
    return any(each["outstanding"] >= count for each in await server.instances())


async def test_a_restarted_agent_ends_the_calls_of_its_former_self_at_once(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.invoke())
        await agent.request()
        await agent.cut()
        await seen_away(server)
        async with attached(server, incarnation="two"):
            reply = await within(calling)
            assert asked(reply) == (502, "outcome_unknown")
            assert (await server.invoke()).status == 200


async def test_a_server_that_stops_tells_those_who_wait_and_records_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "GRACE", 0.1)
    async with running(tmp_path) as server:
        agent = ScriptedAgent(server.grpc, script=keep_silent)
        await agent.connect()
        await known(server, agent)
        calling = asyncio.ensure_future(server.invoke())
        frame = await agent.request()
    reply = await within(calling)
    await agent.cut()
    assert asked(reply) == (502, "outcome_unknown")
    assert (await record_of(tmp_path, frame.request_id)).state is CallState.OUTCOME_UNKNOWN


async def test_a_server_that_has_ended_leaves_no_task_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running(tmp_path) as server, attached(server):
        job_id = await server.started()
        async with server.stream(job_id):
            assert (await server.invoke()).status == 200
    assert asyncio.all_tasks() == before


# ------------------------------------------------------------------------------------------------ idempotency


async def test_a_repeated_key_gets_the_first_answer_without_a_second_run(server: Server) -> None:
    async with attached(server) as agent:
        first = await server.invoke(payload={"n": 1}, idempotency_key="k")
        second = await server.invoke(payload={"n": 1}, idempotency_key="k")
    assert (first.status, first.json) == (second.status, second.json) == (200, {"n": 1})
    assert "X-Replayed" not in first.headers
    assert second.headers["X-Replayed"] == "true"
    assert len(agent.executed) == 1


async def test_concurrent_repetitions_wait_for_the_first(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        calls = [asyncio.ensure_future(server.invoke(idempotency_key="k")) for _ in range(20)]
        frame = await agent.request()
        agent.send(CallResult(request_id=frame.request_id, payload=b'{"done": 1}', service_id="game-1"))
        replies = await within(asyncio.gather(*calls))
    assert {(reply.status, reply.body) for reply in replies} == {(200, b'{"done": 1}')}
    assert sum("X-Replayed" in reply.headers for reply in replies) == 19
    assert len(agent.executed) == 1


async def test_a_repetition_waits_no_longer_than_its_own_deadline(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        first = asyncio.ensure_future(server.invoke(idempotency_key="k"))
        frame = await agent.request()
        impatient = await server.invoke(idempotency_key="k", timeout="50ms")
        agent.send(CallResult(request_id=frame.request_id, payload=b"{}"))
        assert (await within(first)).status == 200
    assert asked(impatient) == (504, "deadline_exceeded")
    assert "still runs" in impatient.json["detail"]


async def test_one_key_with_another_payload_is_a_conflict(server: Server) -> None:
    async with attached(server) as agent:
        await server.invoke(payload={"n": 1}, idempotency_key="k")
        reply = await server.invoke(payload={"n": 2}, idempotency_key="k")
        as_job = await server.start(payload={"n": 1}, idempotency_key="k")
    assert asked(reply) == asked(as_job) == (409, "conflict")
    assert len(agent.executed) == 1


async def test_a_key_belongs_to_its_scope_and_function(server: Server) -> None:
    async with (
        attached(server, services=(service("f", "g"),)) as here,
        attached(server, "agent-2", scope=OTHER) as there,
    ):
        replies = [
            await server.invoke(idempotency_key="k"),
            await server.invoke("g", idempotency_key="k"),
            await server.invoke(idempotency_key="k", scope=OTHER),
        ]
    assert [(reply.status, "X-Replayed" in reply.headers) for reply in replies] == [(200, False)] * 3
    assert (len(here.executed), len(there.executed)) == (2, 1)


async def test_a_failure_is_replayed_too(server: Server) -> None:
    async with attached(server, script=fail(FunctionRejected("no such player"))) as agent:
        replies = [await server.invoke(idempotency_key="k") for _ in range(2)]
    assert [asked(reply) for reply in replies] == [(422, "function_rejected")] * 2
    assert [reply.json["detail"] for reply in replies] == ["no such player"] * 2
    assert len(agent.executed) == 1


async def test_a_key_whose_call_reached_nobody_is_not_used_up(server: Server) -> None:
    early = await server.invoke(idempotency_key="k")
    async with attached(server) as agent:
        later = await server.invoke(idempotency_key="k")
    assert asked(early) == (404, "not_found")
    assert (later.status, "X-Replayed" in later.headers) == (200, False)
    assert len(agent.executed) == 1


@pytest.mark.parametrize(
    ("service_id", "runs", "wanted"), [("", 2, (503, "unavailable")), ("game-1", 1, (404, "not_found"))]
)
async def test_a_key_is_used_up_by_a_game_servers_not_found_and_not_by_an_agent_that_has_lost_the_function(
    server: Server, service_id: str, runs: int, wanted: tuple[int, str]
) -> None:
    def miss(agent: ScriptedAgent, frame: Invoke) -> None:
        error = NotFound("no local handler for f")
        agent.send(CallResult(request_id=frame.request_id, error=error, service_id=service_id))

    async with attached(server, script=miss) as agent:
        replies = [await server.invoke(idempotency_key="k") for _ in range(2)]
    assert [asked(reply) for reply in replies] == [wanted] * 2
    assert all("no local handler for f" in reply.json["detail"] for reply in replies)
    assert len(agent.executed) == runs


async def test_an_answer_is_replayed_after_a_restart_of_the_server(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server):
        first = await server.invoke(payload={"n": 1}, idempotency_key="k")
    async with running(tmp_path) as server, attached(server) as agent:
        second = await server.invoke(payload={"n": 1}, idempotency_key="k")
    assert (second.status, second.json, second.headers["X-Replayed"]) == (200, first.json, "true")
    assert not agent.executed


async def test_a_key_whose_call_ran_when_the_server_died_has_an_unknown_outcome(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "croupier.db")  # what a killed server leaves: a beginning without an end
    died = Call(id="c1", function_id="f", scope=SCOPE, payload=b"{}", caller="developer", idempotency_key="k")
    await store.begin(died)
    await store.close()
    async with running(tmp_path) as server, attached(server) as agent:
        reply = await server.invoke(idempotency_key="k")
    assert asked(reply) == (502, OutcomeUnknown.reason)
    assert not agent.executed


# ------------------------------------------------------------------------------------------------ many at once


async def test_two_thousand_calls_at_once_are_all_answered(server: Server) -> None:
    count = 2_000
    together = asyncio.Event()

    def gather(agent: ScriptedAgent, frame: Invoke) -> None:
        if len(agent.executed) == count:
            together.set()

    async with attached(server, script=gather) as agent:
        calls = [asyncio.ensure_future(server.invoke(payload={"n": n}, timeout=60)) for n in range(count)]
        async with asyncio.timeout(60):
            await together.wait()
        for frame in agent.executed:
            agent.send(CallResult(request_id=frame.request_id, payload=frame.payload))
        replies = await asyncio.gather(*calls)
    assert [reply.status for reply in replies] == [200] * count
    assert [reply.json["n"] for reply in replies] == list(range(count))
