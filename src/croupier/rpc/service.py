import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, NoReturn, Protocol, TypeAlias

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection

from croupier.errors import AwaitingApproval, CroupierError, InternalError, InvalidArgument, PermissionDenied
from croupier.pki.identity import MachineFiles
from croupier.rpc.codec import decode, encode, is_json
from croupier.rpc.gate import Gate
from croupier.rpc.secure import check_plain, server_credentials
from croupier.tunnel.frames import Hello
from croupier.tunnel.grpc import SERVER_OPTIONS, ServerContext, ServerStream, abort_call
from croupier.tunnel.link import BrokenLink
from croupier.tunnel.status import grpc_code
from croupier.tunnel.stream import Stream, StreamBroken
from croupier_wire.tunnel.v1 import tunnel_pb2

log = logging.getLogger(__name__)

REASON = "croupier-reason"
"""Trailing metadata that carries an error's reason."""

APPROVAL_ID = "croupier-approval-id"
"""Trailing metadata of a call that waits for an approval."""

TRACE_ID = "croupier-trace-id"
CALL_ID = "croupier-call-id"
"""Trailing metadata of every answer of a call, good or bad."""

REPLAYED = "croupier-replayed"
"""Trailing metadata of an answer, good or bad, that an earlier call with the same idempotency key was given."""

MESSAGE_BYTES_MAX = 2048
"""UTF-8 bytes of an error's text: it travels percent-encoded in the trailing metadata, whose usual limit is 8 KiB."""

FIRST_WORD = 1.0
"""Seconds in which a caller that is refused may say something first."""

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"  # generic in the stubs only
Unary = Callable[[Any, Context], Awaitable[Message]]
Streaming = Callable[[Any, Context], AsyncIterator[Message]]
Passing = Callable[[str, ServerContext], Awaitable[None]]
"""Serves a method, named by its full path, on bytes. Raises CroupierError to end it with a code."""


class StreamService(Protocol):
    """Serves one bidirectional stream of TunnelMessages until it ends. Raises CroupierError to end it with a code."""

    async def __call__(self, stream: Stream, context: ServerContext) -> None: ...


async def abort(context: Context, error: CroupierError) -> NoReturn:
    """End the call with the error's code, its message and, in the trailing metadata, its reason."""
    code = grpc.StatusCode.DATA_LOSS if isinstance(error, BrokenLink) else grpc_code(error)
    told = tuple(context.trailing_metadata() or ())  # which `abort` would put aside
    if isinstance(error, AwaitingApproval):
        told += ((APPROVAL_ID, error.details["approval_id"]),)
    await abort_call(context, code, bounded_text(error.message), (*told, (REASON, error.reason)))


def bounded_text(message: str) -> str:
    """As much of it as fits into trailing metadata."""
    data = message.encode(errors="replace")
    if len(data) <= MESSAGE_BYTES_MAX:
        return data.decode()
    return data[:MESSAGE_BYTES_MAX].decode(errors="ignore") + " … (cut)"


async def _fail(context: Context, method: str, error: Exception, gate: Gate | None = None) -> NoReturn:
    if gate is not None and isinstance(error, PermissionDenied):
        await gate.refused(context, method, error)
    if isinstance(error, CroupierError):
        await abort(context, error)
    told = dict(context.trailing_metadata() or ())
    extra = {"call_id": told.get(CALL_ID, ""), "trace_id": told.get(TRACE_ID, "")}
    log.error("%s failed", method, exc_info=error, extra=extra)
    await abort(context, InternalError(f"{method} failed inside Croupier; the log of this process has the details"))


def _unary(method: MethodDescriptor, behavior: Unary, gate: Gate | None = None) -> Handler:
    kind = message_factory.GetMessageClass(method.input_type)
    service = method.containing_service.full_name

    async def handle(raw: bytes, context: Context) -> bytes:
        try:
            if gate is not None:
                gate.admit(service, context)
            answer = await behavior(decode(kind, raw), context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 — the border: every failure becomes a status, and is logged if it is ours
            await _fail(context, method.full_name, error, gate)
        return encode(answer, json=is_json(raw))

    return grpc.unary_unary_rpc_method_handler(handle)


def _held(gate: Gate | None, service: str, context: Any) -> AbstractContextManager[object]:
    return nullcontext() if gate is None else gate.hold(service, context)


async def _refuse_patiently(gate: Gate, service: str, context: Any) -> None:
    """For streams: raises what the gate raises, once the caller has said something. A client that is refused while it writes its
    first message is told by its gRPC library of an internal error, and not why.
    """
    try:
        gate.admit(service, context)
    except CroupierError:
        with suppress(TimeoutError, StreamBroken):
            async with asyncio.timeout(FIRST_WORD):
                await ServerStream(context).read()
        raise


def _streaming(method: MethodDescriptor, behavior: Streaming, gate: Gate | None) -> Handler:
    kind = message_factory.GetMessageClass(method.input_type)
    service = method.containing_service.full_name

    async def handle(raw: bytes, context: Context) -> AsyncIterator[bytes]:
        json = is_json(raw)
        try:
            with _held(gate, service, context):
                async for answer in behavior(decode(kind, raw), context):
                    yield encode(answer, json=json)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 — the border, as above
            await _fail(context, method.full_name, error, gate)

    return grpc.unary_stream_rpc_method_handler(handle)


class _Writer:
    """What a method sees that writes messages to its context."""

    def __init__(self, context: Context, *, json: bool) -> None:
        self._context = context
        self._json = json

    async def write(self, message: Message) -> None:
        await self._context.write(encode(message, json=self._json))


def _written(method: MethodDescriptor, behavior: Callable[[Any, Any], Awaitable[None]]) -> Handler:
    """A streaming method that writes its answers instead of yielding them, as grpc's own health service does."""
    kind = message_factory.GetMessageClass(method.input_type)

    async def handle(raw: bytes, context: Context) -> None:
        try:
            await behavior(decode(kind, raw), _Writer(context, json=is_json(raw)))
        except Exception as error:  # noqa: BLE001 — the border, as above
            await _fail(context, method.full_name, error)

    return grpc.unary_stream_rpc_method_handler(handle)


class JsonStream:
    """A tunnel whose peer speaks JSON, as one that speaks protobuf."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read(self) -> bytes | None:
        data = await self._stream.read()
        return None if data is None else decode(tunnel_pb2.TunnelMessage, data).SerializeToString()

    async def write(self, message: bytes) -> None:
        await self._stream.write(encode(tunnel_pb2.TunnelMessage.FromString(message), json=True))


class FirstRead:
    """A stream whose first message was read already."""

    def __init__(self, first: bytes, stream: Stream) -> None:
        self._first: bytes | None = first
        self._stream = stream

    async def read(self) -> bytes | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._stream.read()

    async def write(self, message: bytes) -> None:
        await self._stream.write(message)


async def _either_codec(stream: Stream) -> Stream:
    first = await stream.read()
    if first is None:
        raise InvalidArgument("bad hello: the stream ended before it")
    whole = FirstRead(first, stream)
    return JsonStream(whole) if is_json(first) else whole


def _bidirectional(method: MethodDescriptor, serve: StreamService, gate: Gate | None) -> Handler:
    service = method.containing_service.full_name
    either = method.input_type.full_name == tunnel_pb2.TunnelMessage.DESCRIPTOR.full_name  # links speak protobuf only

    async def handle(_: Any, context: ServerContext) -> None:
        stream: Stream = ServerStream(context)
        try:
            if gate is not None:
                await _refuse_patiently(gate, service, context)
            with _held(gate, service, context):
                await serve(await _either_codec(stream) if either else stream, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 — the border, as above
            await _fail(context, method.full_name, error, gate)

    return grpc.stream_stream_rpc_method_handler(handle)


def _handler(method: MethodDescriptor, behavior: Any, gate: Gate | None) -> Handler:
    if method.client_streaming:
        return _bidirectional(method, behavior, gate)
    return _streaming(method, behavior, gate) if method.server_streaming else _unary(method, behavior, gate)


def _passed(service: str, path: str, carry: Passing, gate: Gate | None) -> Handler:
    async def handle(_: Any, context: ServerContext) -> None:
        try:
            if gate is not None:
                await _refuse_patiently(gate, service, context)
            with _held(gate, service, context):
                await carry(path, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 — the border, as above
            await _fail(context, path, error, gate)

    return grpc.stream_stream_rpc_method_handler(handle)


def service_descriptor(name: str) -> ServiceDescriptor:
    return descriptor_pool.Default().FindServiceByName(name)


def method_handlers(
    services: Mapping[str, Mapping[str, Any]], gate: Gate | None = None
) -> Mapping[str, dict[str, Handler]]:
    """The methods of `services` as they are served: on bytes, in either codec, with every failure as a status; with a
    `gate`, for those it admits.
    """
    return {
        name: {method.name: _handler(method, methods[method.name], gate) for method in service_descriptor(name).methods}
        for name, methods in services.items()
    }


class RpcServer:
    """One listening gRPC server with health and reflection. `services` maps full names to their methods by name.

    With `files` it speaks mTLS and `gate` decides whose certificate may use what; without, plain text, on this machine only.

    Every method of the services named in `passing` goes to it as bytes, whatever its kind: bytes are read from and written
    to the context.
    """

    def __init__(
        self,
        services: Mapping[str, Mapping[str, Any]],
        *,
        passing: Mapping[str, Passing] | None = None,
        options: Sequence[tuple[str, int]] = SERVER_OPTIONS,
        files: MachineFiles | None = None,
        gate: Gate | None = None,
    ) -> None:
        if (files is None) != (gate is None):
            raise ValueError("certificates and the gate that reads them go together")
        self._files = files
        self._server = grpc.aio.server(options=options)
        self._health = health.aio.HealthServicer()
        passing = passing or {}
        names = [*services, *passing, health.SERVICE_NAME]
        for name, handlers in method_handlers(services, gate).items():
            self._add(name, handlers)
        for name, carry in passing.items():
            methods = service_descriptor(name).methods
            self._add(name, {method.name: _passed(name, f"/{name}/{method.name}", carry, gate) for method in methods})
        checks = service_descriptor(health.SERVICE_NAME).methods_by_name
        self._add(
            health.SERVICE_NAME,
            {
                "Check": _unary(checks["Check"], self._health.Check),
                "Watch": _written(checks["Watch"], self._health.Watch),
            },
        )
        reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._server)
        self._names = names
        self.address = ""
        """host:port once started."""

    def _add(self, name: str, handlers: dict[str, Handler]) -> None:
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))

    async def start(self, address: str) -> None:
        """Listen. Raises OSError when the address cannot be had, FailedPrecondition for plain text beyond this machine."""
        if self._files is None:
            check_plain(address, "the gRPC address")
        try:
            port = (
                self._server.add_insecure_port(address)
                if self._files is None
                else self._server.add_secure_port(address, server_credentials(self._files))
            )
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: {error}") from error
        await self._server.start()
        self.address = f"{address.rpartition(':')[0]}:{port}"
        await self.set_serving(serving=True)

    async def set_serving(self, *, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ["", *self._names]:
            await self._health.set(name, status)

    async def stop(self, grace: float) -> None:
        """Refuse new calls, give those in flight `grace` seconds."""
        await self.set_serving(serving=False)
        await self._server.stop(grace)


def metadata_value(context: Context, key: str) -> str:
    """The first value of a request's gRPC metadata, or nothing."""
    pairs: Iterable[tuple[str, str | bytes]] = context.invocation_metadata() or ()
    return next((value if isinstance(value, str) else "" for name, value in pairs if name == key), "")


def read_hello(frame: Any) -> Hello:
    """Raises InvalidArgument "bad hello" when the first frame is anything else."""
    if not isinstance(frame, Hello):
        raise InvalidArgument("bad hello: the first message must be hello")
    return frame
