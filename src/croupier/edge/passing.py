"""A call at the edge becomes a logical stream on a link; its messages pass both ways as they are."""

import asyncio
import contextlib
from collections import Counter

import grpc
import grpc.aio

from croupier.edge.links import Links
from croupier.errors import Canceled, CroupierError, InvalidArgument, OutcomeUnknown, PayloadTooLarge, Unavailable
from croupier.relay.codec import METHOD_LIMIT, PAIRS_RULE, fits
from croupier.relay.context import pairs_of, refusal, text_pairs
from croupier.relay.frames import Open, Status
from croupier.relay.link import LogicalStream
from croupier.relay.methods import ACTING, STREAMING
from croupier.rpc.gate import certificate_of
from croupier.tunnel.grpc import ServerContext, ServerStream, abort_call
from croupier.tunnel.status import grpc_code
from croupier.tunnel.stream import StreamBroken

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_DRAINING = "the edge is draining; connect to another one"
_LEAVE_TOGETHER = 100
_LEAVE_PAUSE = 0.05
"""So many tunnels leave at once, and after so many seconds the next: their agents come back elsewhere, but not as a herd."""


class Passing:
    def __init__(self, links: Links) -> None:
        self._links = links
        self._tunnels: dict[LogicalStream, None] = {}
        self._calls: dict[LogicalStream, None] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False
        self.tunnels = 0
        """How many were opened, as the next."""
        self.calls = 0
        self.ended: Counter[str] = Counter()
        """By gRPC code."""

    @property
    def open_tunnels(self) -> int:
        return len(self._tunnels)

    @property
    def open_calls(self) -> int:
        return len(self._calls)

    async def carry(self, path: str, context: ServerContext) -> None:
        """Serve one call of the method `path` by passing it on.

        Raises Unavailable when it was certainly not sent, OutcomeUnknown when the server may have acted.
        """
        if self.draining:
            raise Unavailable(_DRAINING)
        stream = self._links.choose().open(_opening(path, context))
        streaming = STREAMING[path]
        self._note(stream, streaming=streaming)
        try:
            status = await (_both_ways if streaming else _request_first)(stream, context)
        except StreamBroken as error:
            raise Canceled("the caller went away") from error
        finally:
            self._forget(stream)
            stream.cancel()
        self.ended[_CODES[status.code].name] += 1
        if stream.lost:
            raise _loss(path, stream)
        if status.code:
            await abort_call(context, _CODES[status.code], status.message, text_pairs(status.trailing))
        context.set_trailing_metadata(text_pairs(status.trailing))

    def _note(self, stream: LogicalStream, *, streaming: bool) -> None:
        if streaming:
            self.tunnels += 1
            self._tunnels[stream] = None
        else:
            self.calls += 1
            self._calls[stream] = None
            self._idle.clear()

    def _forget(self, stream: LogicalStream) -> None:
        self._tunnels.pop(stream, None)
        self._calls.pop(stream, None)
        if not self._calls:
            self._idle.set()

    async def drain(self, grace: float) -> None:
        """Take nothing new, send every tunnel away, wait for the other calls, `grace` seconds at most, and end the rest.

        A tunnel's session is its agent's and its server's: it goes on over another edge, with what was under way.
        """
        self.draining = True
        leave = _status(Unavailable(_DRAINING))
        for number, stream in enumerate(list(self._tunnels), 1):
            stream.abandon(leave)
            if number % _LEAVE_TOGETHER == 0:
                await asyncio.sleep(_LEAVE_PAUSE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._idle.wait()
        for stream in list(self._calls):
            stream.abandon(_sent_away(stream.how.method))


def _opening(path: str, context: ServerContext) -> Open:
    left: object = context.time_remaining()  # None without a deadline, whatever its stub says
    metadata = tuple(pair for pair in pairs_of(context.invocation_metadata()) if not pair[0].startswith((":", "grpc-")))
    if not fits(metadata):
        raise InvalidArgument(f"metadata of a call may have {PAIRS_RULE}")
    return Open(
        method=path,
        metadata=metadata,
        peer=context.peer()[:METHOD_LIMIT],
        deadline=asyncio.get_running_loop().time() + left if isinstance(left, float) else None,
        certificate=certificate_of(context),
    )


async def _request_first(stream: LogicalStream, context: ServerContext) -> Status:
    """A caller with one message: it is sent, then the answers come."""
    request = await ServerStream(context).read()
    if request is None:
        raise InvalidArgument("the call ended before its request")
    with contextlib.suppress(StreamBroken):  # it has ended, and its end says why
        await stream.write(request)
        stream.half_close()
    return await _answers(stream, context)


async def _both_ways(stream: LogicalStream, context: ServerContext) -> Status:
    sending = asyncio.ensure_future(_send(stream, context))
    try:
        return await _answers(stream, context)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _send(stream: LogicalStream, context: ServerContext) -> None:
    caller = ServerStream(context)
    try:
        while (message := await caller.read()) is not None:
            await stream.write(message)
        stream.half_close()
    except StreamBroken:
        return  # either side has ended; whoever reads the answers finds out how
    except PayloadTooLarge as error:
        stream.abandon(_status(error))


async def _answers(stream: LogicalStream, context: ServerContext) -> Status:
    caller = ServerStream(context)
    while (message := await stream.read()) is not None:
        await caller.write(message)
    if stream.status is None:
        raise RuntimeError("a server ends its answers with a status")
    return stream.status


def _status(error: CroupierError) -> Status:
    return refusal(error, grpc_code(error).value[0])


def _sent_away(path: str) -> Status:
    """What a call that outlasts the drain is told."""
    if path in ACTING:
        return _status(OutcomeUnknown("the edge stopped during the call; check whether it took effect"))
    return _status(Unavailable(_DRAINING))


def _loss(path: str, stream: LogicalStream) -> CroupierError:
    if stream.sent and path in ACTING:
        return OutcomeUnknown("the link to the server was lost during the call; check whether it took effect")
    return Unavailable("the link to the server was lost; try again")
