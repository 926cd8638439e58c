"""Calls looked up after they ran, through the real server: where they went, how long each hop took, and once more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.planes.scripted_agent import ScriptedAgent, Server, attached, keep_silent, running, within

from croupier.errors import FunctionRejected
from croupier.tunnel.frames import CallResult, Invoke


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


def answer_in_time(agent: ScriptedAgent, frame: Invoke) -> None:
    result = CallResult(request_id=frame.request_id, payload=b"[1]", service_id="game-1", handler_us=200, agent_us=300)
    agent.send(result)


def refuse(agent: ScriptedAgent, frame: Invoke) -> None:
    error = FunctionRejected("the player is online")
    agent.send(CallResult(request_id=frame.request_id, error=error, handler_us=20, agent_us=30))


async def call_of(server: Server, call_id: str) -> dict:
    reply = await server.request("GET", f"/api/calls/{call_id}")
    assert reply.status == 200, reply.body
    return reply.json


async def recorded(server: Server, call_id: str) -> dict:
    """The call, once its end is on disk: it goes there with the next commit, or some 20 ms later."""
    while (found := await call_of(server, call_id))["state"] == "running":
        pass
    return found


async def test_a_call_is_recorded_with_its_way_and_the_time_of_every_hop(server: Server) -> None:
    async with attached(server, script=answer_in_time):
        reply = await server.invoke(payload={"player_id": "p1"})

        found = await recorded(server, reply.headers["X-Call-ID"])

    timings = found["timings"]
    assert (found["state"], found["payload"], found["result"]) == ("succeeded", {"player_id": "p1"}, {"payload": [1]})
    assert (found["agent_id"], found["service_id"]) == ("agent-1", "game-1")
    assert found["route"]["route"] == "lb"
    assert found["route"]["decision"]
    assert found["trace_id"] == reply.headers["X-Trace-ID"]
    assert (timings["agent_us"], timings["handler_us"]) == (300, 200)
    assert 0 < timings["recorded_us"] < timings["server_us"]


async def test_a_refused_call_keeps_its_times_too(server: Server) -> None:
    async with attached(server, script=refuse):
        reply = await server.invoke()
        found = await recorded(server, reply.json["call_id"])

    assert (found["state"], found["reason"], found["agent_id"]) == ("failed", "function_rejected", "agent-1")
    assert (found["timings"]["agent_us"], found["timings"]["handler_us"]) == (30, 20)


async def test_a_call_whose_agent_was_lost_says_where_it_went_and_what_to_do(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.05) as server:
        async with attached(server, script=keep_silent) as agent:
            asking = asyncio.ensure_future(server.invoke())
            await agent.request()
            await agent.cut()
            reply = await within(asking)
        found = await recorded(server, reply.json["call_id"])

    assert (found["state"], found["reason"], found["agent_id"]) == ("outcome_unknown", "outcome_unknown", "agent-1")
    assert found["next"].startswith("look in the game whether it took effect")


async def test_a_call_is_made_again_with_its_arguments(server: Server) -> None:
    async with attached(server) as agent:
        first = await server.invoke(payload={"player_id": "p1"}, metadata={"order": "T-7"}, idempotency_key="k")
        first_id = first.headers["X-Call-ID"]
        again = await server.request("POST", f"/api/calls/{first_id}/replay")
        again_id = again.headers["X-Call-ID"]
        found = await recorded(server, again_id)
        listed = (await server.request("GET", f"/api/calls?replay_of={first_id}")).json["calls"]

    assert (again.status, again.json) == (200, {"player_id": "p1"})
    assert "X-Replayed" not in again.headers
    assert (found["replay_of"], found["idempotency_key"]) == (first_id, "")
    assert [call["call_id"] for call in listed] == [again_id]
    assert [frame.metadata["order"] for frame in agent.executed] == ["T-7", "T-7"]


async def test_a_repeated_key_is_counted_and_makes_no_record_of_its_own(server: Server) -> None:
    async with attached(server):
        first = await server.invoke(idempotency_key="k")
        repeated = await server.invoke(idempotency_key="k")
        found = await call_of(server, first.headers["X-Call-ID"])
        listed = (await server.request("GET", "/api/calls?idempotency_key=k")).json["calls"]

    assert repeated.headers["X-Replayed"] == "true"
    assert (found["replays"], len(listed)) == (1, 1)
