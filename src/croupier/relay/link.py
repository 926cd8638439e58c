import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from croupier.domain.machine import Peer
from croupier.relay.frames import Identity, Open, Role, Status
from croupier.relay.machine import (
    CANCELLED,
    HEARTBEAT,
    Arrived,
    Ended,
    Granted,
    HalfClosed,
    Mux,
    MuxEvent,
    Opened,
)
from croupier.tunnel.stream import Stream, StreamBroken

_LOST = Status(14, "the link between edge and server was lost")


class LogicalStream:
    """One call on a link, at either end. Reading grants the other end credit; writing waits for it."""

    def __init__(self, link: "RelayLink", stream: int, how: Open) -> None:
        self.id = stream
        self.how = how
        self.status: Status | None = None
        """How the other end, or the loss of the link, ended it; None while it has not."""
        self.lost = False
        """It ended with its link."""
        self.sent = True
        """Of a lost one: its opening was given to the link, so the other end may have acted."""
        self.on_end: Callable[[], None] | None = None
        self._link = link
        self._inbox: deque[bytes] = deque()
        self._closed = False
        self._news = asyncio.Event()
        self._granted = asyncio.Event()

    async def read(self) -> bytes | None:
        """The next message, or None when the other end sends no more: see `status`."""
        while not self._inbox:
            if self._closed:
                return None
            self._news.clear()
            await self._news.wait()
        data = self._inbox.popleft()
        self._link.consumed(self.id, data)
        return data

    async def write(self, message: bytes) -> None:
        """Raises StreamBroken once the stream has ended."""
        while not self._link.mux.may_send(self.id):
            if not self._link.mux.is_open(self.id):
                raise StreamBroken("the stream has ended")
            self._granted.clear()
            await self._granted.wait()
        self._link.send(self.id, message)

    def half_close(self) -> None:
        """Send no more messages; for the opener."""
        self._link.half_close(self.id)

    def end(self, status: Status) -> None:
        """End it behind what was written. Safe to repeat."""
        self._link.end(self.id, status)
        self._granted.set()

    def cancel(self, why: str = "the caller gave up") -> None:
        """End it now. Safe to repeat."""
        self._link.cancel(self.id, Status(CANCELLED, why))
        self._granted.set()

    def abandon(self, status: Status) -> None:
        """Cancel it with `status`, and let whoever reads here find that it ended so."""
        self._link.cancel(self.id, status)
        self.ended(status)

    # told by the link

    def arrived(self, data: bytes) -> None:
        self._inbox.append(data)
        self._news.set()

    def half_closed(self) -> None:
        self._closed = True
        self._news.set()

    def ended(self, status: Status) -> None:
        self.status = status
        self._closed = True
        self._news.set()
        self._granted.set()
        if self.on_end is not None:
            self.on_end()

    def granted(self) -> None:
        self._granted.set()


Accept: TypeAlias = Callable[["RelayLink", LogicalStream], None]


class RelayLink:
    """A link whose handshake is over. `accept` is told of streams that the other end opens, and returns at once."""

    def __init__(self, own: Role, other: Identity, accept: Accept | None = None, peer: Peer | None = None) -> None:
        self.other = other
        self.peer = peer
        """Who that is by certificate; None over plain text."""
        self._loop = asyncio.get_running_loop()
        self.mux = Mux(own, self._loop.time())
        self._accept = accept
        self._streams: dict[int, LogicalStream] = {}
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self.bytes_in = 0
        self.bytes_out = 0

    def __len__(self) -> int:
        return len(self.mux)

    async def run(self, stream: Stream) -> None:
        """Carry the link over `stream` until it ends; then every logical stream has ended too.

        Raises LinkViolation when the other end broke the rules.
        """
        parts = [asyncio.ensure_future(part) for part in (self._read(stream), self._write(stream), self._watch())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in sorted(done, key=parts.index):  # what was heard tells more than a broken pipe
                part.result()
        except StreamBroken:
            return
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            self._lose()

    async def _read(self, stream: Stream) -> None:
        while (data := await stream.read()) is not None:
            self.bytes_in += len(data)
            for event in self.mux.receive(data, self._loop.time()):
                self._tell(event)
            if self.mux.ready:
                self._wake.set()

    async def _write(self, stream: Stream) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(0)  # let the tasks that are ready add their frames
            while (message := self.mux.take(self._loop.time())) is not None:
                self.bytes_out += len(message)
                await stream.write(message)

    async def _watch(self) -> None:
        while self.mux.tick(self._loop.time()) and not self._closing.is_set():
            self._wake.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT / 2):
                    await self._closing.wait()

    def close(self) -> None:
        """End the link, and every stream on it."""
        self._closing.set()

    def _tell(self, event: MuxEvent) -> None:
        if isinstance(event, Opened):
            fresh = self._streams[event.stream] = LogicalStream(self, event.stream, event.open)
            if self._accept is not None:
                self._accept(self, fresh)
            return
        stream = self._streams.get(event.stream)
        if stream is None:
            return  # it was refused a moment ago, by what came before in the same message
        match event:
            case Arrived():
                stream.arrived(event.data)
            case HalfClosed():
                stream.half_closed()
            case Granted():
                stream.granted()
            case Ended():
                del self._streams[event.stream]
                stream.ended(event.status)

    def _lose(self) -> None:
        for stream_id, sent in self.mux.lose():
            stream = self._streams.pop(stream_id)
            stream.lost, stream.sent = True, sent
            stream.ended(_LOST)
        self._streams.clear()

    # ------------------------------------------------------------------------------------------------ streams

    def open(self, how: Open) -> LogicalStream:
        """Raises RateLimited when there are too many."""
        fresh = LogicalStream(self, self.mux.open(how), how)
        self._streams[fresh.id] = fresh
        self._wake.set()
        return fresh

    def send(self, stream: int, data: bytes) -> None:
        self.mux.send(stream, data)
        self._wake.set()

    def consumed(self, stream: int, data: bytes) -> None:
        self.mux.consumed(stream, data)
        if self.mux.ready:
            self._wake.set()

    def half_close(self, stream: int) -> None:
        self.mux.half_close(stream)
        self._wake.set()

    def end(self, stream: int, status: Status) -> None:
        self._streams.pop(stream, None)
        self.mux.end(stream, status)
        self._wake.set()

    def cancel(self, stream: int, status: Status) -> None:
        self._streams.pop(stream, None)
        self.mux.cancel(stream, status)
        self._wake.set()
