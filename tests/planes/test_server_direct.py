"""Foreign agents that do not dial in but listen: the server calls them at the address that they registered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.planes.scripted_agent import (
    Server,
    registration,
    running,
    stub_of,
    within,
)

from croupier_wire.control.v1 import control_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        yield channel


class DirectAgent:
    """A foreign agent that listens, written against the contract's generated base class."""

    def __init__(self) -> None:
        self.invoked: list[Any] = []
        self.cancelled: list[str] = []
        self.go_on = asyncio.Event()

    async def Invoke(self, request: Any, context: Any) -> Any:
        self.invoked.append(request)
        if request.function_id == "refuse":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no local handler for refuse")
        return function_pb2.InvokeResponse(payload=request.payload)

    async def StartJob(self, request: Any, context: Any) -> Any:
        return function_pb2.StartJobResponse(job_id="" if request.function_id == "nameless" else "theirs-1")

    async def StreamJob(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield function_pb2.JobEvent(type="progress", progress=10)
        await self.go_on.wait()
        if self.cancelled:
            yield function_pb2.JobEvent(type="error", message="stopped")
        yield function_pb2.JobEvent(type="done", payload=b'"sent"')
        yield function_pb2.JobEvent(type="log", message="after the end")

    async def CancelJob(self, request: Any, context: Any) -> Any:
        self.cancelled.append(request.job_id)
        self.go_on.set()
        return function_pb2.StartJobResponse(job_id=request.job_id)


@asynccontextmanager
async def listening(agent: DirectAgent) -> AsyncIterator[str]:
    """The address on which the agent serves."""
    listener = grpc.aio.server()
    function_pb2_grpc.add_FunctionServiceServicer_to_server(agent, listener)  # type: ignore[no-untyped-call]
    port = listener.add_insecure_port("127.0.0.1:0")
    await listener.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await listener.stop(0)


async def test_an_agent_that_only_listens_is_called_by_its_address(server: Server, channel: grpc.aio.Channel) -> None:
    agent = DirectAgent()
    async with listening(agent) as address:
        port = address.rpartition(":")[2]
        await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(
            registration("direct-1", "f", "refuse", rpc_addr=f"0.0.0.0:{port}")
        )
        reply = await server.invoke(payload={"n": 1}, idempotency_key="k")
        refusal = await server.invoke("refuse")
    assert (reply.status, reply.json, reply.headers["X-Agent-ID"]) == (200, {"n": 1}, "direct-1")
    assert agent.invoked[0].idempotency_key == "k"
    assert dict(agent.invoked[0].metadata)["game_id"] == "demo"
    assert (refusal.status, refusal.json["reason"]) == (404, "not_found")


async def test_a_job_of_an_agent_that_only_listens_is_followed(server: Server, channel: grpc.aio.Channel) -> None:
    agent = DirectAgent()
    agent.go_on.set()
    async with listening(agent) as address:
        await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(registration(rpc_addr=address))
        job_id = await server.started()
        events = await within(server.follow(job_id))
        job = await server.job(job_id)
    assert [(seq, kind) for seq, kind, _ in events] == [(1, "progress"), (2, "done")]
    assert (job["state"], job["payload"], job["agent_id"]) == ("succeeded", "sent", "direct-1")


async def test_a_job_of_an_agent_that_only_listens_is_cancelled_under_its_name(
    server: Server, channel: grpc.aio.Channel
) -> None:
    agent = DirectAgent()
    async with listening(agent) as address:
        await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(registration(rpc_addr=address))
        job_id = await server.started()
        await server.request("POST", "/api/cancel_job", json={"job_id": job_id})
        job = await within(server.ended(job_id))
    assert agent.cancelled == ["theirs-1"]
    assert (job["state"], job["error"]) == ("failed", "stopped")


async def test_a_job_that_a_listening_agent_does_not_name_is_not_accepted(
    server: Server, channel: grpc.aio.Channel
) -> None:
    async with listening(DirectAgent()) as address:
        await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(
            registration("direct-1", "nameless", rpc_addr=address)
        )
        reply = await server.start("nameless")
    assert (reply.status, reply.json["reason"]) == (502, "outcome_unknown")


async def test_a_job_is_lost_when_its_listening_agent_goes(server: Server, channel: grpc.aio.Channel) -> None:
    async with listening(DirectAgent()) as address:
        await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(registration(rpc_addr=address))
        job_id = await server.started()
        async with server.stream(job_id) as events:
            await within(anext(events))
    job = await within(server.ended(job_id))
    assert job["state"] == "lost"


async def test_an_agent_that_moved_is_called_where_it_is_now(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    old, new = DirectAgent(), DirectAgent()
    async with listening(old) as before, listening(new) as after:
        await stub.Register(registration(rpc_addr=before))
        job_id = await server.started()
        await stub.Register(registration(rpc_addr=after))
        assert (await server.invoke()).status == 200
        old.go_on.set()
        assert (await within(server.ended(job_id)))["state"] == "succeeded"
    assert (len(old.invoked), len(new.invoked)) == (0, 1)


async def test_a_call_to_an_address_where_nobody_listens_may_be_repeated(
    server: Server, channel: grpc.aio.Channel
) -> None:
    async with listening(DirectAgent()) as address:
        pass
    await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(registration(rpc_addr=address))
    reply = await server.invoke()
    assert (reply.status, reply.json["reason"]) == (503, "unavailable")
