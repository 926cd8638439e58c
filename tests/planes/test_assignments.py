"""What a scope may use is enforced whichever way a function is called, and shows in the registry."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import orjson
import pytest
from tests.planes.scripted_agent import HERE, Reply, Server, attached, running, service, stub_of

from croupier_wire.function.v1 import function_pb2, function_pb2_grpc

SCOPED = {"X-Game-ID": "demo", "X-Env": "dev"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def assign(server: Server, **assignments: list[str]) -> None:
    wanted = {name.replace("_", "|"): functions for name, functions in assignments.items()}
    reply = await server.request("PUT", "/api/assignments", data=orjson.dumps(wanted))
    assert reply.status == 200, reply.body


def refused(reply: Reply) -> Any:
    assert (reply.status, reply.json["reason"]) == (403, "permission_denied"), reply.body
    assert "PUT /api/assignments" in reply.json["detail"]
    return reply.json["detail"]


async def test_a_call_of_a_function_that_is_not_assigned_is_refused_with_the_fix(server: Server) -> None:
    async with attached(server, services=(service("f", "g"),)) as agent:
        assert (await server.invoke()).status == 200
        await assign(server, demo_dev=["g", "player.*"])
        assert "f is not assigned to demo|dev" in refused(await server.invoke())
        assert (await server.invoke(function_id="g")).status == 200
        assert [frame.function_id for frame in agent.executed] == ["f", "g"]


async def test_no_way_of_calling_goes_round_an_assignment(server: Server) -> None:
    async with attached(server) as agent:
        await assign(server, demo_dev=["g"])
        refused(await server.start())
        refused(await server.invoke(route="broadcast"))
        refused(await server.request("POST", "/api/route_preview", json={"function_id": "f", **HERE}))
        refused(await server.request("POST", "/games/demo/functions/f", headers={"X-Env": "dev"}, data=b"{}"))
        params = {"function_id": "f"}
        headers = {**SCOPED, "Content-Type": "application/jsonl"}
        refused(await server.request("POST", "/api/bulk", data=b"{}\n", headers=headers, params=params))
        assert not agent.executed


async def test_a_call_over_grpc_is_refused_too(server: Server) -> None:
    await assign(server, demo_dev=[])
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
        request = function_pb2.InvokeRequest(function_id="f", payload=b"{}", metadata=HERE)
        for method in (stub.Invoke, stub.StartJob):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await method(request, metadata=server.credentials, timeout=20)
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_recorded_call_is_not_repeated_once_its_function_is_taken_away(server: Server) -> None:
    async with attached(server):
        call_id = (await server.invoke()).headers["X-Call-ID"]
        await assign(server, demo_dev=[])
        refused(await server.request("POST", f"/api/calls/{call_id}/replay"))


async def test_a_bulk_that_was_uploaded_before_does_not_start(server: Server) -> None:
    async with attached(server):
        headers = {**SCOPED, "Content-Type": "application/jsonl"}
        params = {"function_id": "f"}
        bulk = (await server.request("POST", "/api/bulk", data=b"{}\n", headers=headers, params=params)).json
        await assign(server, demo_dev=[])
        refused(await server.request("POST", f"/api/bulk/{bulk['bulk_id']}/start", data=b"{}"))


async def test_a_scope_that_is_not_named_may_use_everything(server: Server) -> None:
    async with attached(server):
        await assign(server, demo_prod=[])
        assert (await server.invoke()).status == 200


async def test_assignments_hold_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        await assign(server, demo_dev=["g"])
    async with running(tmp_path) as server, attached(server):
        refused(await server.invoke())


async def test_the_registry_tells_what_is_assigned_and_not_there(server: Server) -> None:
    manifest = orjson.dumps([{"id": "f"}, {"id": "player.get"}, {"id": "mail.send"}])
    services = (service("f", manifest_json=manifest), service("f", service_id="game-2", healthy=False))
    async with attached(server, services=services):
        await assign(server, demo_dev=["f", "item.grant", "player.*"], demo_prod=["mail.*", "x"])
        registry = (await server.request("GET", "/api/registry")).json
        assert registry["assignments"] == {"demo|dev": ["f", "item.grant", "player.*"], "demo|prod": ["mail.*", "x"]}
        here, there = registry["coverage"]
        assert here == {
            "game_env": "demo|dev",
            "functions": {"f": {"healthy": 1, "total": 2}},
            "uncovered": ["item.grant", "player.get"],
            "uncovered_count": 2,
            "partial": ["f"],
        }
        assert (there["game_env"], there["uncovered"]) == ("demo|prod", ["x"])
