"""A real server on loopback, asked by unmodified generated stubs and by foreign programs that speak JSON."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from croupier.errors import BY_REASON, NotFound
from croupier.rpc.service import REASON, Context, RpcServer, metadata_value, read_hello
from croupier.tunnel.codec import decode, parse
from croupier.tunnel.grpc import OPEN, ServerContext
from croupier.tunnel.link import BrokenLink
from croupier.tunnel.status import CODES
from croupier.tunnel.stream import Stream
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc
from croupier_wire.tunnel.v1 import tunnel_pb2, tunnel_pb2_grpc

FUNCTIONS = "croupier.function.v1.FunctionService"
TUNNELS = "croupier.tunnel.v1.TunnelService"
SECRET = "the database password is swordfish"


class Functions:
    """A FunctionService whose answers the request chooses."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.stopped = asyncio.Event()

    async def invoke(self, request: function_pb2.InvokeRequest, context: Context) -> function_pb2.InvokeResponse:
        match request.function_id.split(":"):
            case ["fail", reason]:
                raise BY_REASON[reason](f"it failed: {reason} ✗", {"k": "v"})
            case ["long", size]:
                raise NotFound("unknown job " + "語" * int(size))
            case ["bug"]:
                raise KeyError(SECRET)
            case ["late"]:
                self.waiting.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.stopped.set()
                    raise KeyError(SECRET)
            case ["token"]:
                return function_pb2.InvokeResponse(payload=metadata_value(context, "authorization").encode())
        return function_pb2.InvokeResponse(payload=request.payload + dict(request.metadata).get("k", "").encode())

    async def start_job(self, request: function_pb2.InvokeRequest, _: Context) -> function_pb2.StartJobResponse:
        return function_pb2.StartJobResponse(job_id=request.idempotency_key)

    async def stream_job(
        self, request: function_pb2.JobStreamRequest, _: Context
    ) -> AsyncIterator[function_pb2.JobEvent]:
        yield function_pb2.JobEvent(type="progress", progress=50)
        match request.job_id:
            case "unknown":
                raise NotFound("unknown job")
            case "bug":
                raise KeyError(SECRET)
            case "endless":
                self.waiting.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.stopped.set()
        yield function_pb2.JobEvent(type="done", payload=b"\x00\x01")

    async def cancel_job(self, request: function_pb2.CancelJobRequest, _: Context) -> function_pb2.StartJobResponse:
        return function_pb2.StartJobResponse(job_id=request.job_id)


async def echo(stream: Stream, _: ServerContext) -> None:
    """A tunnel that sends back what it hears, after a hello."""
    first = await stream.read()
    read_hello(decode(parse(first or b"")))
    while (message := await stream.read()) is not None:
        if parse(message).type == "gap":
            raise BrokenLink("gap: message 3 came after 1; resume the session")
        await stream.write(message)


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
async def server(functions: Functions) -> AsyncIterator[RpcServer]:
    server = RpcServer(
        {
            FUNCTIONS: {
                "Invoke": functions.invoke,
                "StartJob": functions.start_job,
                "StreamJob": functions.stream_job,
                "CancelJob": functions.cancel_job,
            },
            TUNNELS: {"Open": echo},
        }
    )
    await server.start("127.0.0.1:0")
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: RpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return function_pb2_grpc.FunctionServiceStub(channel)


Raw = Callable[..., Awaitable[bytes]]


@pytest.fixture
def raw(channel: grpc.aio.Channel) -> Raw:
    """A foreign program: bytes in, bytes out."""

    async def call(method: str, data: bytes, service: str = FUNCTIONS) -> bytes:
        answer: bytes = await channel.unary_unary(f"/{service}/{method}")(data)
        return answer

    return call


def reason_of(error: grpc.aio.AioRpcError) -> str | bytes | None:
    return dict(error.trailing_metadata() or ()).get(REASON)


# ------------------------------------------------------------------------------------------------ both codecs


async def test_the_generated_stubs_are_served_in_protobuf(stub: Any) -> None:
    answer = await stub.Invoke(function_pb2.InvokeRequest(function_id="f", payload=b"\xff\x00", metadata={"k": "v"}))
    started = await stub.StartJob(function_pb2.InvokeRequest(function_id="f", idempotency_key="key"))
    cancelled = await stub.CancelJob(function_pb2.CancelJobRequest(job_id="j"))
    events = [event async for event in stub.StreamJob(function_pb2.JobStreamRequest(job_id="j"))]

    assert answer.payload == b"\xff\x00v"
    assert started.job_id == "key"
    assert cancelled.job_id == "j"
    assert [(event.type, event.progress, event.payload) for event in events] == [
        ("progress", 50, b""),
        ("done", 0, b"\x00\x01"),
    ]


async def test_a_json_request_is_answered_in_json(raw: Raw, channel: grpc.aio.Channel) -> None:
    answer = await raw("Invoke", b'{"function_id":"f","payload":"/wA=","metadata":{"k":"v"},"unknown":1}')
    call = channel.unary_stream(f"/{FUNCTIONS}/StreamJob")(b'{"job_id":"j"}')
    events = [event async for event in call]

    assert json.loads(answer) == {"payload": "/wB2"}
    assert [json.loads(event) for event in events] == [
        {"type": "progress", "progress": 50},
        {"type": "done", "payload": "AAE="},
    ]


async def test_the_content_subtype_json_is_accepted(channel: grpc.aio.Channel) -> None:
    call = channel.unary_unary(f"/{FUNCTIONS}/Invoke")
    answer = await call(b'{"payload":"YQ=="}', metadata=(("content-type", "application/grpc+json"),))
    assert json.loads(answer) == {"payload": "YQ=="}


async def test_an_empty_answer_keeps_the_codec_of_the_request(raw: Raw) -> None:
    assert await raw("Invoke", b"{}") == b"{}"
    assert await raw("Invoke", b"") == b""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'["function_id"]', "neither croupier.function.v1.InvokeRequest in protobuf nor JSON"),
        (b'  {"function_id":"f"}', "neither"),
        (b'{"function_id":"f', "starts like JSON"),
        (b'{"function_id":["f"]}', "InvokeRequest.function_id must be a string"),
        (b"\x0a\x05play", "neither"),
        (b"\x0a\x02\xff\xfe", "neither"),
        (b"{\x0a\x05", "starts like JSON"),
    ],
)
async def test_a_request_in_no_codec_is_an_invalid_argument(raw: Raw, data: bytes, said: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw("Invoke", data)

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert said in (caught.value.details() or "")
    assert reason_of(caught.value) == "invalid_argument"


async def test_a_stream_asked_for_in_rubbish_is_an_invalid_argument(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_stream(f"/{FUNCTIONS}/StreamJob")(b"\x0a\x05j").read()
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_eleven_megabytes_pass_and_more_are_refused_by_code(server: RpcServer) -> None:
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        stub: Any = function_pb2_grpc.FunctionServiceStub(channel)
        answer = await stub.Invoke(function_pb2.InvokeRequest(function_id="f", payload=bytes(10_000_000)))
        assert len(answer.payload) == 10_000_000
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Invoke(function_pb2.InvokeRequest(function_id="f", payload=bytes(12_000_000)))
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


# ------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("reason", BY_REASON)
async def test_an_error_has_its_code_its_text_and_its_reason(stub: Any, reason: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Invoke(function_pb2.InvokeRequest(function_id=f"fail:{reason}"))

    assert caught.value.code() == CODES[reason]
    assert caught.value.details() == f"it failed: {reason} ✗"
    assert reason_of(caught.value) == reason


async def test_an_error_in_the_middle_of_a_stream_comes_after_its_events(stub: Any) -> None:
    call = stub.StreamJob(function_pb2.JobStreamRequest(job_id="unknown"))
    assert (await call.read()).type == "progress"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert reason_of(caught.value) == "not_found"


@pytest.mark.parametrize("size", [600, 4096, 100_000])
async def test_a_long_error_text_is_cut_and_keeps_its_code(stub: Any, size: int) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Invoke(function_pb2.InvokeRequest(function_id=f"long:{size}"))

    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert (caught.value.details() or "").startswith("unknown job 語語")
    assert reason_of(caught.value) == "not_found"


@pytest.mark.parametrize("method", ["Invoke", "StreamJob"])
async def test_a_bug_is_internal_and_tells_the_caller_nothing_of_it(
    stub: Any, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught, caplog.at_level(logging.ERROR):
        if method == "Invoke":
            await stub.Invoke(function_pb2.InvokeRequest(function_id="bug"))
        else:
            await stub.StreamJob(function_pb2.JobStreamRequest(job_id="bug")).read()
            call = stub.StreamJob(function_pb2.JobStreamRequest(job_id="bug"))
            assert [event.type async for event in call] == ["progress"]

    details = caught.value.details() or ""
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert reason_of(caught.value) == "internal"
    assert f"{FUNCTIONS}.{method}" in details
    for word in ("Traceback", "KeyError", "swordfish", ".py"):
        assert word not in details
    assert "KeyError" in caplog.text, "the operator needs what the caller must not see"


async def test_an_unknown_method_is_unimplemented(raw: Raw) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw("Nothing", b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_client_that_goes_away_stops_the_method(stub: Any, functions: Functions) -> None:
    call = stub.StreamJob(function_pb2.JobStreamRequest(job_id="endless"))
    await call.read()
    await functions.waiting.wait()

    call.cancel()

    await functions.stopped.wait()


async def test_a_bug_whose_caller_has_gone_is_logged_once(
    server: RpcServer, stub: Any, functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    call = stub.Invoke(function_pb2.InvokeRequest(function_id="late"))
    await functions.waiting.wait()

    call.cancel()

    await functions.stopped.wait()
    await server.stop(0)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [f"{FUNCTIONS}.Invoke failed"]


async def test_request_metadata_reaches_the_method(channel: grpc.aio.Channel) -> None:
    stub: Any = function_pb2_grpc.FunctionServiceStub(channel)
    answer = await stub.Invoke(
        function_pb2.InvokeRequest(function_id="token"), metadata=(("authorization", "Bearer t"),)
    )
    assert answer.payload == b"Bearer t"


# ------------------------------------------------------------------------------------------------ tunnels


async def test_a_stream_in_protobuf_is_carried_as_it_is(channel: grpc.aio.Channel) -> None:
    stub: Any = tunnel_pb2_grpc.TunnelServiceStub(channel)
    call = stub.Open()
    await call.write(tunnel_pb2.TunnelMessage(type="hello", hello=tunnel_pb2.Hello(agent_id="a")))
    frame = tunnel_pb2.TunnelMessage(type="result", result=tunnel_pb2.ResultFrame(request_id="r", payload=b"\xff"))
    await call.write(frame)
    assert await call.read() == frame
    await call.done_writing()
    assert await call.read() == grpc.aio.EOF
    assert await call.code() == grpc.StatusCode.OK


async def test_a_stream_in_json_is_answered_in_json(channel: grpc.aio.Channel) -> None:
    call = channel.stream_stream(OPEN)()
    await call.write(b'{"type":"hello","hello":{"agent_id":"a"}}')
    await call.write(b'{"type":"result","result":{"request_id":"r","payload":"/w=="}}')
    assert json.loads(await call.read()) == {"type": "result", "result": {"request_id": "r", "payload": "/w=="}}
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.OK


@pytest.mark.parametrize("first", [b'{"type":"heartbeat"}', b"", b"\x0a\x09heartbeat", None])
async def test_any_other_first_message_ends_the_stream_with_bad_hello(
    channel: grpc.aio.Channel, first: bytes | None
) -> None:
    call = channel.stream_stream(OPEN)()
    if first is not None:
        await call.write(first)
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "bad hello" in (await call.details() or "")


async def test_rubbish_in_a_stream_is_an_invalid_argument(channel: grpc.aio.Channel) -> None:
    for hello, rubbish in (
        (b'{"hello":{"agent_id":"a"}}', b"\x0a\x01a"),
        (b'{"hello":{"agent_id":"a"}}', b'{"type":1}'),
        (b"\x12\x03\x0a\x01a", b"{"),
    ):
        call = channel.stream_stream(OPEN)()
        await call.write(hello)
        await call.write(rubbish)
        if hello.startswith(b"{") and not rubbish.startswith(b"{"):
            assert json.loads(await call.read()) == {"type": "a"}, "a JSON peer may send protobuf too"
            call.cancel()
            continue
        assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_gap_ends_the_stream_with_data_loss(channel: grpc.aio.Channel) -> None:
    call = channel.stream_stream(OPEN)()
    await call.write(b'{"hello":{"agent_id":"a"}}')
    await call.write(b'{"type":"gap"}')
    assert await call.code() == grpc.StatusCode.DATA_LOSS


# ------------------------------------------------------------------------------------------------ health, reflection


async def test_health_is_answered_for_the_server_and_each_service(server: RpcServer, channel: grpc.aio.Channel) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)
    for service in ("", FUNCTIONS, TUNNELS):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    await server.set_serving(serving=False)

    answer = await health.Check(health_pb2.HealthCheckRequest(service=FUNCTIONS))
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_health_can_be_watched_in_both_codecs(server: RpcServer, channel: grpc.aio.Channel) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)
    watch = health.Watch(health_pb2.HealthCheckRequest(service=""))
    watch_json = channel.unary_stream("/grpc.health.v1.Health/Watch")(b'{"service":""}')
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    assert json.loads(await watch_json.read()) == {"status": 1}

    await server.set_serving(serving=False)

    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert json.loads(await watch_json.read()) == {"status": 2}
    watch.cancel()
    watch_json.cancel()


async def test_reflection_lists_the_services_and_describes_them(channel: grpc.aio.Channel) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    listed = {service.name for service in (await call.read()).list_services_response.service}
    await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=FUNCTIONS))
    described = await call.read()
    await call.done_writing()

    assert {FUNCTIONS, TUNNELS, "grpc.health.v1.Health"} <= listed
    assert described.file_descriptor_response.file_descriptor_proto


async def test_an_address_that_is_taken_is_an_os_error(server: RpcServer) -> None:
    other = RpcServer({TUNNELS: {"Open": echo}})
    with pytest.raises(OSError, match="cannot listen"):
        await other.start(server.address)
    await other.stop(0)
