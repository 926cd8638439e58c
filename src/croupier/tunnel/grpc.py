"""The tunnel's transport on grpcio: raw bytes in both directions, so a payload is copied and never rebuilt."""

import asyncio
from typing import NoReturn

import grpc
import grpc.aio

from croupier.domain.limits import MESSAGE_BYTES
from croupier.tunnel.stream import StreamBroken

OPEN = "/croupier.tunnel.v1.TunnelService/Open"
ATTACH = "/croupier.attach.v1.AttachService/Attach"


SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Peers keep idle tunnels alive with pings; without these the server would call that abuse and hang up.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.so_reuseport", 0),
)

UNARY_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A channel that dials before its peer listens waits this long; the default is a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Despite its name the time that making a connection may take: several round trips, to a peer that may be busy.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    # Each channel has its own connection: subchannels are otherwise shared by all channels of a process.
    ("grpc.use_local_subchannel_pool", 1),
)
"""For calls to a foreign server. No pings: more than two in ten minutes are abuse to a server that was not told otherwise,
and it hangs up on whatever is under way.
"""

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    *UNARY_OPTIONS,
    # A peer that vanished or hangs is noticed within 18 s. The other end of an edge that hangs does so after 15 s of silence and
    # then holds the sessions for 10 s more: an agent that takes longer to leave it comes too late to resume.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 8_000),
    # A ping has a time limit of its own, a minute; a peer that hangs but whose kernel acknowledges is noticed by it alone.
    ("grpc.http2.ping_timeout_ms", 8_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
"""For a tunnel or a link."""

ServerContext = grpc.aio.ServicerContext[bytes, bytes]
ClientCall = grpc.aio.StreamStreamCall[bytes, bytes]


async def abort_call(
    context: ServerContext, code: grpc.StatusCode, details: str, trailing: tuple[tuple[str, str | bytes], ...] = ()
) -> NoReturn:
    """End the call with this status; one that its caller gave up ends cancelled, since nobody hears it."""
    try:
        await context.abort(code, details, trailing)
    except grpc.aio.InternalError as error:
        # The call ended before grpcio cancelled its task, which is on its way. Anything else that is raised here grpcio would log.
        raise asyncio.CancelledError from error
    raise AssertionError("abort always raises")


class ServerStream:
    """The accepting side: the context of a running `Open` or `Attach`."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    async def read(self) -> bytes | None:
        try:
            message: object = await self._context.read()  # bytes, or a mark for the end
        except (grpc.aio.UsageError, grpc.aio.InternalError) as error:
            raise StreamBroken(str(error)) from error
        return message if isinstance(message, bytes) else None

    async def write(self, message: bytes) -> None:
        try:
            await self._context.write(message)
        except (grpc.aio.UsageError, grpc.aio.InternalError) as error:
            raise StreamBroken(str(error)) from error


class ClientStream:
    """The dialling side."""

    def __init__(self, call: ClientCall) -> None:
        self._call = call

    async def read(self) -> bytes | None:
        try:
            message: object = await self._call.read()  # bytes, or a mark for the end
        except grpc.aio.AioRpcError as error:
            raise StreamBroken(f"{error.code().name}: {error.details()}") from error
        except asyncio.CancelledError as error:
            _unless_cancelled(error)
        return message if isinstance(message, bytes) else None

    async def write(self, message: bytes) -> None:
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise StreamBroken(f"{error.code().name}: {error.details()}") from error
        except asyncio.CancelledError as error:
            _unless_cancelled(error)
        except asyncio.InvalidStateError as error:
            raise StreamBroken(str(error)) from error


def _unless_cancelled(error: asyncio.CancelledError) -> NoReturn:
    """For grpcio a cancelled call looks like a cancelled task; only the second is for our callers."""
    current = asyncio.current_task()
    if current is not None and current.cancelling():
        raise error
    raise StreamBroken("the stream was cancelled") from error


def open_stream(channel: grpc.aio.Channel, method: str) -> ClientCall:
    """Start the stream `method` on `channel`, in raw bytes."""
    call: ClientCall = channel.stream_stream(method, request_serializer=None, response_deserializer=None)()
    return call
