"""Where calls go, asked of the real server: waiting, previews, keys from payloads, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import orjson
import pytest
from tests.planes.scripted_agent import (
    HERE,
    OTHER,
    Server,
    attached,
    known,
    running,
    seen_away,
    stub_of,
    within,
)

from croupier.domain.function import FunctionRef, Service
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


def game_server(name: str, **fields: Any) -> Service:
    return Service(service_id=name, functions=(FunctionRef("f", "1"),), **fields)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def preview(server: Server, **fields: Any) -> Any:
    reply = await server.request("POST", "/api/route_preview", json={"function_id": "f", **HERE, **fields})
    assert reply.status == 200, reply.body
    return reply.json


# ------------------------------------------------------------------------------------------------ waiting


async def test_a_call_waits_for_its_game_server_to_attach(server: Server) -> None:
    waiting = asyncio.ensure_future(server.invoke(wait_for="20s"))
    await server.request("GET", "/healthz")  # a round, so that the call is mostly there first; the answer is the same
    async with attached(server):
        assert (await within(waiting)).status == 200


async def test_a_call_waits_for_an_agent_that_lost_its_connection(server: Server) -> None:
    async with attached(server) as agent:
        await agent.cut()
        await seen_away(server)
        waiting = asyncio.ensure_future(server.invoke(wait_for=20))
        await server.request("GET", "/healthz")
        opened = await agent.connect()
        assert opened.resumed
        assert (await within(waiting)).status == 200


async def test_a_call_waits_for_a_game_server_that_its_agent_calls_ill(server: Server) -> None:
    async with attached(server, services=[game_server("s", healthy=False)]) as agent:
        waiting = asyncio.ensure_future(server.invoke(metadata={"wait_for": "20s"}))
        await server.request("GET", "/healthz")
        agent.services = [game_server("s")]
        agent.register()
        await known(server, agent)
        assert (await within(waiting)).status == 200


async def test_a_wait_ends_with_what_the_call_would_have_been_told_at_once(server: Server) -> None:
    reply = await server.invoke(wait_for="10ms")
    assert (reply.status, reply.json["reason"]) == (404, "not_found")
    async with attached(server) as agent:
        await agent.cut()
        await seen_away(server)
        reply = await server.invoke(wait_for="1h", timeout=0.05)
    assert (reply.status, reply.json["reason"]) == (503, "unavailable")


async def test_a_job_waits_for_its_game_server_too(server: Server) -> None:
    waiting = asyncio.ensure_future(server.start(wait_for="20s"))
    await server.request("GET", "/healthz")
    async with attached(server):
        assert (await within(waiting)).status == 200


async def test_a_call_over_grpc_waits_too(server: Server) -> None:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        request = function_pb2.InvokeRequest(function_id="f", payload=b"{}", metadata={**HERE, "wait_for": "20s"})
        stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
        waiting = stub.Invoke(request, metadata=server.credentials, timeout=20)
        await server.request("GET", "/healthz")
        async with attached(server) as agent:
            assert (await within(waiting)).payload == b"{}"
            assert "wait_for" not in agent.executed[0].metadata


async def test_a_server_that_stops_tells_those_who_wait(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        call = asyncio.ensure_future(server.invoke(wait_for="1h", timeout=3000))
        job = asyncio.ensure_future(server.start(wait_for="1h", timeout=3000))
        await server.request("GET", "/healthz")
    for reply in await within(asyncio.gather(call, job)):
        assert (reply.status, reply.json["reason"]) == (503, "unavailable")


@pytest.mark.parametrize("wait_for", ["soon", -1, "2h", "1e9", float("1e300")])
async def test_a_faulty_wait_is_refused(server: Server, wait_for: Any) -> None:
    reply = await server.invoke(wait_for=wait_for)
    assert reply.status == 400
    assert "wait_for must be" in reply.json["detail"]


# ------------------------------------------------------------------------------------------------ previews


async def test_a_preview_says_who_would_receive_a_call_and_sends_nothing(server: Server) -> None:
    async with (
        attached(server, "agent-1", services=[game_server("s1"), game_server("ill", healthy=False)]) as one,
        attached(server, "agent-2", services=[game_server("s2")]) as two,
        attached(server, "agent-3", services=[game_server("s3")], scope=OTHER) as foreign,
    ):
        shown = await preview(server, route="hash", hash_key="p1")
        reply = await server.invoke(route="hash", hash_key="p1")
        assert len(one.executed + two.executed) == 1
        assert not foreign.executed
    assert shown["route"] == "hash"
    assert [each["chosen"] for each in shown["candidates"]] == [True, False, False]
    assert {each["service_id"] for each in shown["candidates"]} == {"s1", "s2", "ill"}
    chosen = shown["candidates"][0]
    assert chosen["agent_id"] == reply.headers["x-agent-id"]
    assert set(chosen) == {
        "agent_id", "service_id", "version", "healthy", "outstanding", "usable", "chosen", "why", "code", "parameters"
    }  # fmt: skip
    assert (shown["code"], chosen["code"]) == ("chosen_hash", "chosen_hash")


async def test_a_preview_leaves_no_record_and_uses_no_key(server: Server) -> None:
    async with attached(server) as agent:
        await preview(server, idempotency_key="k", payload={"n": 1})
        reply = await server.invoke(idempotency_key="k", payload={"n": 2})
        assert len(agent.executed) == 1
    assert reply.status == 200
    assert "x-replayed" not in reply.headers


async def test_a_preview_of_a_faulty_call_is_refused_as_the_call_would_be(server: Server) -> None:
    async with attached(server):
        for fields in (
            {"route": "hash"},
            {"route": "targeted"},
            {"route": "everywhere"},
            {"hash_key": "x" * 1_000_000},
        ):
            reply = await server.request("POST", "/api/route_preview", json={"function_id": "f", **HERE, **fields})
            assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")


# ------------------------------------------------------------------------------------------------ keys


def routed_by(**routing: str) -> Service:
    return game_server("s1", manifest_json=orjson.dumps([{"id": "f", "routing": routing}]))


async def test_a_function_says_where_in_its_payload_the_hash_key_is(server: Server) -> None:
    services = [routed_by(jsonpath="$.player.id"), game_server("s2"), game_server("s3")]
    async with attached(server, services=services) as agent:
        for player in ("p1", "p2", "p1"):
            assert (await server.invoke(route="hash", payload={"player": {"id": player}})).status == 200
        first, second, third = agent.executed
        missing = await server.invoke(route="hash", payload={"player": {}})
        assert len(agent.executed) == 3
    assert (first.metadata["hash_key"], second.metadata["hash_key"]) == ("p1", "p2")
    assert first.metadata["target_service_id"] == third.metadata["target_service_id"]
    assert missing.status == 400
    assert "$.player.id" in missing.json["detail"]


async def test_a_hash_key_may_be_named_by_its_field(server: Server) -> None:
    async with attached(server, services=[routed_by(hash_key="player_id")]) as agent:
        assert (await server.invoke(route="hash", payload={"player_id": 7})).status == 200
        assert agent.executed[0].metadata["hash_key"] == "7"


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"route": "everywhere"}, 400, "route must be one of lb, broadcast, targeted, hash"),
        ({"route": "hash"}, 400, "route hash needs hash_key"),
        ({"route": "hash", "hash_key": "x" * 1_000_000}, 400, "hash_key must be at most 256 bytes"),
        ({"idempotency_key": "x" * 1_000_000}, 400, "idempotency_key must be at most 256 bytes"),
        ({"route": "targeted", "target_service_id": "foreign"}, 404, "target service not found: foreign"),
        ({"route": "broadcast", "version": "9"}, 404, "there is 1"),
    ],
)
async def test_a_call_that_cannot_be_routed_is_refused_and_reaches_nobody(
    server: Server, fields: dict[str, Any], status: int, says: str
) -> None:
    async with (
        attached(server, "agent-1", services=[game_server("s1")]) as here,
        attached(server, "agent-2", services=[game_server("foreign")], scope=OTHER) as there,
    ):
        reply = await server.invoke(**fields)
        assert reply.status == status
        assert says in reply.json["detail"]
        assert not here.executed
        assert not there.executed


# ------------------------------------------------------------------------------------------------ canaries


async def test_a_canary_of_the_settings_gets_its_calls(tmp_path: Path) -> None:
    rule = {"game_id": "demo", "env": "dev", "function_id": "f", "version": "2", "percent": 100}
    services = [game_server("old"), Service(service_id="new", functions=(FunctionRef("f", "2"),))]
    async with (
        running(tmp_path, routing={"canary": [rule]}) as server,
        attached(server, services=services) as agent,
    ):
        for _ in range(4):
            assert (await server.invoke()).status == 200
        assert {frame.metadata["target_service_id"] for frame in agent.executed} == {"new"}
        assert "canary, 100 % to version 2" in (await preview(server))["reason"]
