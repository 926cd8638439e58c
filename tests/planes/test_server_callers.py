"""FunctionService and JobService of the server, as invokers written against the contract call them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import orjson
import pytest
from tests.planes.edge_testbed import LINK_TOKEN, edge_of
from tests.planes.scripted_agent import (
    HERE,
    Server,
    attached,
    keep_silent,
    refused,
    running,
    stub_of,
)

from croupier.domain.limits import PAYLOAD_BYTES
from croupier_wire.edge.job.v1 import job_pb2, job_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc
from croupier_wire.sdk.v1 import sdk_pb2_grpc


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path, link_token=LINK_TOKEN) as server:
        yield server


@pytest.fixture(params=["direct", "through an edge"])
async def channel(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[grpc.aio.Channel]:
    """A caller cannot tell whether there is an edge between."""
    async with AsyncExitStack() as stack:
        direct = request.param == "direct"
        address = server.grpc if direct else (await stack.enter_async_context(edge_of(server))).grpc
        yield await stack.enter_async_context(grpc.aio.insecure_channel(address))


def request(**more: Any) -> function_pb2.InvokeRequest:
    return function_pb2.InvokeRequest(**{"function_id": "f", "payload": b"{}", "metadata": HERE, **more})


async def test_the_services_that_run_functions_need_the_token(server: Server, channel: grpc.aio.Channel) -> None:
    functions = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    jobs = stub_of(job_pb2_grpc.JobServiceStub, channel)
    follow = function_pb2.JobStreamRequest(job_id="j")
    wrong = (("authorization", "Bearer not-the-token"),)
    async with attached(server) as agent:
        outcomes = [
            await refused(functions.Invoke(request())),
            await refused(functions.Invoke(request(), metadata=wrong)),
            await refused(functions.StartJob(request())),
            await refused(anext(aiter(functions.StreamJob(follow)))),
            await refused(functions.CancelJob(function_pb2.CancelJobRequest(job_id="j"))),
            await refused(jobs.GetJobResult(job_pb2.GetJobResultRequest(job_id="j"))),
        ]
    assert {code for code, _ in outcomes} == {grpc.StatusCode.UNAUTHENTICATED}
    assert not any("not-the-token" in text for _, text in outcomes)
    assert not agent.executed


@pytest.mark.parametrize("kind", [function_pb2_grpc.FunctionServiceStub, sdk_pb2_grpc.FunctionServiceStub])
async def test_a_function_is_invoked_over_grpc(server: Server, channel: grpc.aio.Channel, kind: Any) -> None:
    async with attached(server) as agent:
        answer = await stub_of(kind, channel).Invoke(
            request(payload=b'{"n": 1}', idempotency_key="k", metadata={**HERE, "trace_id": "t", "ticket": "7"}),
            metadata=server.credentials,
            timeout=20,
        )
    assert answer.payload == b'{"n": 1}'
    (frame,) = agent.executed
    assert (frame.idempotency_key, frame.metadata["trace_id"], frame.metadata["ticket"]) == ("k", "t", "7")
    assert 10_000 < frame.deadline_ms <= 21_000  # gRPC rounds the deadline up on the wire


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("said", "headers"),
    [({"traceparent": PARENT}, ()), ({}, (("traceparent", PARENT),)), ({"trace_id": PARENT[3:35]}, ())],
)
async def test_a_trace_goes_on_and_every_answer_names_it(
    server: Server, channel: grpc.aio.Channel, said: Any, headers: Any
) -> None:
    functions = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    credentials = (*server.credentials, *headers)
    async with attached(server) as agent:
        good = functions.Invoke(request(metadata={**HERE, **said}), metadata=credentials)
        await good
        job = functions.StartJob(request(metadata={**HERE, **said}), metadata=credentials)
        await job
        bad = functions.Invoke(request(function_id="none", metadata={**HERE, **said}), metadata=credentials)
        await refused(bad)
    for call in (good, job, bad):
        told = dict(await call.trailing_metadata())
        assert told["croupier-trace-id"] == PARENT[3:35]
        assert told["croupier-call-id"][0] in "cj"
    assert dict(await bad.trailing_metadata())["croupier-reason"] == "not_found"
    for frame in agent.executed:
        assert frame.traceparent[3:35] == frame.metadata["traceparent"][3:35] == PARENT[3:35]


async def test_a_call_without_a_trace_begins_one(server: Server, channel: grpc.aio.Channel) -> None:
    functions = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    async with attached(server) as agent:
        call = functions.Invoke(request(metadata={**HERE, "traceparent": "junk"}), metadata=server.credentials)
        await call
    (frame,) = agent.executed
    assert dict(await call.trailing_metadata())["croupier-trace-id"] == frame.traceparent[3:35]


async def test_a_function_is_invoked_in_the_contracts_json(server: Server, channel: grpc.aio.Channel) -> None:
    call = channel.unary_unary(
        "/croupier.function.v1.FunctionService/Invoke", request_serializer=None, response_deserializer=None
    )
    body = {"function_id": "f", "payload": "eyJuIjogMX0=", "metadata": HERE}
    async with attached(server):
        raw = await call(orjson.dumps(body), metadata=server.credentials)
    assert orjson.loads(raw) == {"payload": "eyJuIjogMX0="}


async def test_a_caller_over_grpc_that_gives_up_frees_the_agent(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    async with attached(server, script=keep_silent) as agent:
        call = stub.Invoke(request(), metadata=server.credentials)
        frame = await agent.request()
        call.cancel()
        await agent.aborted(frame.request_id)


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (request(function_id="none"), grpc.StatusCode.NOT_FOUND, "unknown function none in demo|dev"),
        (request(metadata={}), grpc.StatusCode.INVALID_ARGUMENT, "game_id is missing"),
        (request(function_id=""), grpc.StatusCode.INVALID_ARGUMENT, "function_id"),
        (request(metadata={**HERE, "route": "all"}), grpc.StatusCode.INVALID_ARGUMENT, "route must be one of"),
        (request(idempotency_key="é" * 129), grpc.StatusCode.INVALID_ARGUMENT, "idempotency_key"),
        (request(metadata={**HERE, "x": "é" * 9_000}), grpc.StatusCode.INVALID_ARGUMENT, "metadata"),
        (request(metadata={**HERE, **{f"k{n}": "" for n in range(64)}}), grpc.StatusCode.INVALID_ARGUMENT, "metadata"),
        (request(payload=b"x" * (PAYLOAD_BYTES + 1)), grpc.StatusCode.INVALID_ARGUMENT, "bytes"),
        (
            request(metadata={**HERE, "route": "targeted", "target_service_id": "nobody"}),
            grpc.StatusCode.NOT_FOUND,
            "target service not found: nobody",
        ),
    ],
)
async def test_a_faulty_call_over_grpc_gets_a_proper_code(
    server: Server, channel: grpc.aio.Channel, call: Any, code: grpc.StatusCode, says: str
) -> None:
    stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    async with attached(server) as agent:
        found, text = await refused(stub.Invoke(call, metadata=server.credentials))
    assert found is code
    assert says in text
    assert not agent.executed


async def test_a_job_is_run_over_grpc(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    jobs = stub_of(job_pb2_grpc.JobServiceStub, channel)
    sent: dict[str, Any] = {"metadata": server.credentials}
    async with attached(server) as agent:
        job_id = (await stub.StartJob(request(), **sent)).job_id
        for seq in (1, 2):
            agent.tell(job_id, seq, message=f"line {seq}")
        running_state = (await jobs.GetJobResult(job_pb2.GetJobResultRequest(job_id=job_id), **sent)).state
        agent.tell(job_id, 3, "done", payload=b'"ok"')
        whole = [event async for event in stub.StreamJob(function_pb2.JobStreamRequest(job_id=job_id), **sent)]
        rest = [
            event async for event in stub.StreamJob(function_pb2.JobStreamRequest(job_id=job_id, after_seq=2), **sent)
        ]
        ended = await stub.CancelJob(function_pb2.CancelJobRequest(job_id=job_id), **sent)
        result = await jobs.GetJobResult(job_pb2.GetJobResultRequest(job_id=job_id), **sent)
        unknown = await refused(jobs.GetJobResult(job_pb2.GetJobResultRequest(job_id="j-none"), **sent))
    assert running_state in {"pending", "running"}
    assert [(event.seq, event.type) for event in whole] == [(1, "log"), (2, "log"), (3, "done")]
    assert [event.seq for event in rest] == [3]
    assert ended.job_id == job_id
    assert (result.state, result.payload, result.error) == ("succeeded", b'"ok"', "")
    assert unknown == (grpc.StatusCode.NOT_FOUND, "unknown job j-none")
