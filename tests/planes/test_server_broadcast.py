"""A call to every game server: the real server, real tunnels, whole ways in and out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import orjson
import pytest
from tests.planes.scripted_agent import (
    HERE,
    OTHER,
    ScriptedAgent,
    Server,
    attached,
    keep_silent,
    running,
    stub_of,
)

from croupier.domain.function import FunctionRef, Service
from croupier.errors import FunctionRejected
from croupier.tunnel.frames import CallResult, Invoke
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


def servers(*names: str) -> tuple[Service, ...]:
    return tuple(Service(service_id=name, functions=(FunctionRef("f", "1"),)) for name in names)


def say_who(agent: ScriptedAgent, frame: Invoke) -> None:
    service_id = frame.metadata.get("target_service_id", "")
    if service_id == "closed":
        agent.send(CallResult(request_id=frame.request_id, error=FunctionRejected("this shard is closed")))
    else:
        agent.send(CallResult(request_id=frame.request_id, payload=b'{"who":"%s"}' % service_id.encode()))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def test_a_broadcast_reaches_every_game_server_of_every_agent_in_its_scope_and_no_other(server: Server) -> None:
    async with (
        attached(server, "agent-1", services=servers("s1", "closed"), script=say_who),
        attached(server, "agent-2", services=servers("s3"), script=say_who),
        attached(server, "agent-3", services=servers("s4"), scope=OTHER, script=say_who) as foreign,
    ):
        reply = await server.invoke(route="broadcast")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert sorted(reply.json["results"], key=lambda each: each["service_id"]) == [
        {
            "service_id": "closed",
            "agent_id": "agent-1",
            "ok": False,
            "error": {"reason": "function_rejected", "message": "this shard is closed"},
        },
        {"service_id": "s1", "agent_id": "agent-1", "ok": True, "payload": {"who": "s1"}},
        {"service_id": "s3", "agent_id": "agent-2", "ok": True, "payload": {"who": "s3"}},
    ]
    assert (reply.json["succeeded"], reply.json["failed"]) == (2, 1)
    assert not foreign.executed


async def test_that_a_broadcast_failed_in_part_stands_in_the_list_of_calls(server: Server) -> None:
    async with attached(server, services=servers("s1", "closed", "s3"), script=say_who):
        reply = await server.invoke(route="broadcast", idempotency_key="k")  # on disk before it is answered
    whole = (await server.request("GET", f"/api/calls/{reply.headers['x-call-id']}")).json
    assert whole["route"]["choice"]["code"] == "chosen_all"
    assert whole["route"]["choice"]["parameters"] == {"chosen": "3", "failed": "1"}
    (listed,) = (await server.request("GET", "/api/calls")).json["calls"]
    assert (listed["state"], listed["failed"]) == ("succeeded", 1)


async def test_a_repeated_key_returns_the_first_broadcasts_answer_and_asks_nobody(server: Server) -> None:
    async with attached(server, services=servers("s1", "closed"), script=say_who) as agent:
        first = await server.invoke(route="broadcast", idempotency_key="k")
        again = await server.invoke(route="broadcast", idempotency_key="k")
        assert len(agent.executed) == 2
    assert again.body == first.body
    assert again.headers["x-replayed"] == "true"


async def test_a_broadcast_that_all_refuse_is_a_failure_that_names_each(server: Server) -> None:
    async with attached(server, services=servers("closed"), script=say_who):
        reply = await server.invoke(route="broadcast")
    assert reply.status == 422
    assert reply.json["reason"] == "function_rejected"
    assert reply.json["details"] == {"closed": "function_rejected: this shard is closed"}


async def test_a_broadcast_to_nobody_fails_as_a_call_would(server: Server) -> None:
    assert (await server.invoke(route="broadcast")).status == 404
    ill = (Service(service_id="ill", functions=(FunctionRef("f"),), healthy=False),)
    async with attached(server, services=ill):
        reply = await server.invoke(route="broadcast")
    assert reply.status == 503
    assert "no healthy game server offers f in demo|dev (ill" in reply.json["detail"]


async def test_a_job_is_no_broadcast_and_the_answer_says_what_to_do(server: Server) -> None:
    async with attached(server) as agent:
        reply = await server.start(route="broadcast")
        assert not agent.executed
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert "start one for each with route=targeted" in reply.json["detail"]


async def test_a_broadcast_over_grpc_answers_with_the_same_document(server: Server) -> None:
    async with (
        attached(server, services=servers("s1", "s2"), script=say_who),
        grpc.aio.insecure_channel(server.grpc) as channel,
    ):
        request = function_pb2.InvokeRequest(function_id="f", payload=b"{}", metadata={**HERE, "route": "broadcast"})
        answer = await stub_of(function_pb2_grpc.FunctionServiceStub, channel).Invoke(
            request, metadata=server.credentials
        )
    found = orjson.loads(answer.payload)
    assert [each["payload"] for each in found["results"]] == [{"who": "s1"}, {"who": "s2"}]
    assert (found["succeeded"], found["failed"]) == (2, 0)


async def test_a_caller_that_hangs_up_stops_the_broadcast_on_every_game_server(server: Server) -> None:
    async with attached(server, services=servers("s1", "s2"), script=keep_silent) as agent:
        waiting = asyncio.ensure_future(server.invoke(route="broadcast"))
        frames = [await agent.request(), await agent.request()]
        waiting.cancel()
        for frame in frames:
            await agent.aborted(frame.request_id)


async def test_a_game_server_that_answers_too_late_fails_alone(server: Server) -> None:
    def slow_one(agent: ScriptedAgent, frame: Invoke) -> None:
        if frame.metadata["target_service_id"] != "slow":
            say_who(agent, frame)

    async with attached(server, services=servers("quick", "slow"), script=slow_one):
        reply = await server.invoke(route="broadcast", timeout=1.0)
    assert reply.status == 200
    assert [each["ok"] for each in reply.json["results"]] == [True, False]
    assert reply.json["results"][1]["error"]["reason"] == "deadline_exceeded"


async def test_a_large_broadcast_does_not_fill_the_tunnel(server: Server) -> None:
    """Forty times a megabyte is more than may wait for one agent: the rest is sent when answers have come."""
    names = [f"s{number}" for number in range(40)]
    async with attached(server, services=servers(*names), script=say_who):
        reply = await server.invoke(route="broadcast", payload={"mail": "x" * 1_000_000})
    assert reply.status == 200
    assert [each for each in reply.json["results"] if not each["ok"]] == []
    assert reply.json["succeeded"] == 40
