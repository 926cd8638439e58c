"""Both ends of a link as a state machine: bytes in, events out; items in, bytes out. No I/O, no clock of its own.

Every stream has a window of bytes in each direction. A message may be sent while any of the window is left, so one larger
than the window passes alone, and a stream never has more than a window and one message on the way. What the receiver has
consumed comes back as credit. Streams with something to send take turns frame by frame: none can starve another.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from croupier.domain.limits import MESSAGE_BYTES
from croupier.errors import PayloadTooLarge, RateLimited
from croupier.relay.codec import LinkViolation, add, parse, read_open, read_status, size_of
from croupier.relay.frames import HalfClose, Open, Role, Sent, Status
from croupier_wire.relay.v1 import relay_pb2 as wire

WINDOW = 1024 * 1024
"""Bytes of one stream and direction that may be on the way or unread."""
MESSAGE_COST = 64
"""Bytes that a message counts besides its own, so that empty ones are not free."""
GRANT = WINDOW // 4
"""Credit is sent once so much was consumed."""
BATCH_BYTES = 256 * 1024
"""The largest message, unless a single frame is larger."""
BATCH_FRAMES = 10_000
STREAMS = 20_000
"""Streams that are open at once on one link."""
HEARTBEAT = 5.0
"""Seconds without a message after which an end says that it is still there."""
SILENCE = 3 * HEARTBEAT
"""Seconds without a message after which the other end counts as gone."""
CANCELLED = 1
RESOURCE_EXHAUSTED = 8


class Opened(NamedTuple):
    """The other end opened a stream."""

    stream: int
    open: Open


class Arrived(NamedTuple):
    stream: int
    data: bytes


class HalfClosed(NamedTuple):
    stream: int


class Ended(NamedTuple):
    """The other end ended the stream; it is gone."""

    stream: int
    status: Status


class Granted(NamedTuple):
    """There is credit again."""

    stream: int


MuxEvent: TypeAlias = Opened | Arrived | HalfClosed | Ended | Granted


@dataclass(slots=True)
class _Stream:
    ours: bool
    """Opened by this end."""
    credit: int = WINDOW
    """Bytes that we may send."""
    allowance: int = WINDOW
    """Bytes that the other end may send."""
    owed: int = 0
    """Bytes consumed here that are not granted again yet."""
    finished: bool = False
    """The opener sends no more messages."""


class Mux:
    """One end. `role` decides which ids are its own: an edge opens streams, a server in this version accepts them only."""

    def __init__(self, role: Role, now: float, *, most: int = STREAMS) -> None:
        self._accepts = role is Role.SERVER
        self._last_own = 0 if role is Role.SERVER else -1
        self._last_theirs = -1 if role is Role.SERVER else 0
        self._most = most
        self._streams: dict[int, _Stream] = {}
        self._lanes: OrderedDict[int, deque[Sent]] = OrderedDict()
        self._grants: dict[int, int] = {}
        self._ends: deque[tuple[int, Status]] = deque()
        self._heard_at = self._sent_at = now
        self._beat = False

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def ready(self) -> bool:
        """Has `take` something to give?"""
        return bool(self._lanes or self._grants or self._ends or self._beat)

    def is_open(self, stream: int) -> bool:
        return stream in self._streams

    # ------------------------------------------------------------------------------------------------ what we do

    def open(self, how: Open) -> int:
        """Open a stream and return its id. Raises RateLimited when there are too many."""
        if len(self._streams) >= self._most:
            raise RateLimited(f"rate limited: {self._most} streams are open on this link already; try again later")
        self._last_own += 2
        self._streams[self._last_own] = _Stream(ours=True)
        self._lanes[self._last_own] = deque((how,))
        return self._last_own

    def may_send(self, stream: int) -> bool:
        """Is there credit? False also for a stream that is gone."""
        state = self._streams.get(stream)
        return state is not None and state.credit > 0

    def send(self, stream: int, data: bytes) -> None:
        """Queue a message; only while `may_send`. Raises PayloadTooLarge for one that no link takes."""
        if len(data) > MESSAGE_BYTES:
            raise PayloadTooLarge(f"a message of {len(data)} bytes; at most {MESSAGE_BYTES} pass an edge")
        state = self._streams[stream]
        if state.credit <= 0:
            raise ValueError(f"stream {stream} has no credit")
        state.credit -= len(data) + MESSAGE_COST
        self._queue(stream, data)

    def half_close(self, stream: int) -> None:
        if stream in self._streams:
            self._queue(stream, HalfClose())

    def consumed(self, stream: int, data: bytes) -> None:
        """A message needs no more room here."""
        state = self._streams.get(stream)
        if state is None:
            return
        state.owed += len(data) + MESSAGE_COST
        if state.owed >= GRANT:
            state.allowance += state.owed
            self._grants[stream] = self._grants.get(stream, 0) + state.owed
            state.owed = 0

    def end(self, stream: int, status: Status) -> None:
        """End a stream behind what was sent on it. Nothing for one that is gone."""
        if self._streams.pop(stream, None) is not None:
            self._grants.pop(stream, None)
            self._queue(stream, status)

    def cancel(self, stream: int, status: Status) -> None:
        """End a stream and forget what was not sent yet. One whose opening was not sent leaves no trace."""
        if self._streams.pop(stream, None) is None:
            return
        self._grants.pop(stream, None)
        lane = self._lanes.pop(stream, None)
        if lane is None or not isinstance(lane[0], Open):
            self._ends.append((stream, status))

    def lose(self) -> list[tuple[int, bool]]:
        """The link is gone, and every stream with it: their ids, and whether their opening was ever sent."""
        lost = [
            (stream, not ((lane := self._lanes.get(stream)) and isinstance(lane[0], Open))) for stream in self._streams
        ]
        self._streams.clear()
        self._lanes.clear()
        self._grants.clear()
        self._ends.clear()
        return lost

    def _queue(self, stream: int, item: Sent) -> None:
        lane = self._lanes.get(stream)
        if lane is None:
            self._lanes[stream] = deque((item,))
        else:
            lane.append(item)

    # ------------------------------------------------------------------------------------------------ out

    def take(self, now: float) -> bytes | None:
        """The next message for the link, or None when there is nothing to send now."""
        batch = wire.LinkMessage()
        self._take_control(batch, now)
        self._take_turns(batch, now)
        if not batch.frames and not self._beat:
            return None
        self._beat = False
        self._sent_at = now
        return batch.SerializeToString()

    def _take_control(self, batch: wire.LinkMessage, now: float) -> None:
        frames = batch.frames
        while self._grants and len(frames) < BATCH_FRAMES:
            stream, credit = self._grants.popitem()
            frames.add(stream=stream, kind=wire.KIND_CREDIT, credit=credit)
        while self._ends and len(frames) < BATCH_FRAMES:
            add(batch, *self._ends.popleft(), now)

    def _take_turns(self, batch: wire.LinkMessage, now: float) -> None:
        room = BATCH_BYTES
        count = len(batch.frames)
        while self._lanes and count < BATCH_FRAMES:
            stream, lane = next(iter(self._lanes.items()))
            size = size_of(lane[0])
            if size > room and count:
                return
            add(batch, stream, lane.popleft(), now)
            room -= size
            count += 1
            if lane:
                self._lanes.move_to_end(stream)
            else:
                del self._lanes[stream]

    def tick(self, now: float) -> bool:
        """Time has passed. False when the other end has been silent for too long."""
        self._beat = self._beat or now - self._sent_at >= HEARTBEAT
        return now - self._heard_at < SILENCE

    # ------------------------------------------------------------------------------------------------ in

    def receive(self, data: bytes, now: float) -> list[MuxEvent]:
        """What a message says. Raises LinkViolation when the other end broke the rules; the link must end then."""
        self._heard_at = now
        message = parse(data)
        if message.hello or message.proof:
            raise LinkViolation("bad link message: the handshake is over")
        if len(message.frames) > BATCH_FRAMES:
            raise LinkViolation(f"bad link message: more than {BATCH_FRAMES} frames")
        events: list[MuxEvent] = []
        for frame in message.frames:
            event = self._opened(frame, now) if frame.kind == wire.KIND_OPEN else self._heard(frame)
            if event is not None:
                events.append(event)
        return events

    def _opened(self, frame: wire.Frame, now: float) -> Opened | None:
        stream = frame.stream
        if not self._accepts:
            raise LinkViolation("bad open: an edge accepts no streams")
        if stream % 2 != self._last_theirs % 2 or stream <= self._last_theirs:
            raise LinkViolation(f"bad open: {stream} is no new id of the other end; each is higher than the one before")
        how = read_open(frame.open, now)
        self._last_theirs = stream
        if len(self._streams) >= self._most:
            self._ends.append((stream, Status(RESOURCE_EXHAUSTED, f"rate limited: {self._most} streams are open")))
            return None
        self._streams[stream] = _Stream(ours=False)
        return Opened(stream, how)

    def _heard(self, frame: wire.Frame) -> MuxEvent | None:
        stream = frame.stream
        state = self._streams.get(stream)
        if state is None:
            # What was under way when the stream ended is late, and nothing more.
            self._check_was_open(stream)
            return None
        kind = frame.kind
        if kind == wire.KIND_MESSAGE:
            return self._message(state, stream, frame.message)
        if kind == wire.KIND_CREDIT:
            return self._credit(state, stream, frame.credit)
        if kind == wire.KIND_HALF_CLOSE:
            if state.ours or state.finished:
                raise LinkViolation(f"bad half-close of stream {stream}: only its opener may, once")
            state.finished = True
            return HalfClosed(stream)
        if kind == wire.KIND_STATUS:
            status = read_status(frame.status)
            del self._streams[stream]
            self._grants.pop(stream, None)
            self._lanes.pop(stream, None)
            return Ended(stream, status)
        raise LinkViolation(f"bad frame: kind {kind} is unknown")

    def _check_was_open(self, stream: int) -> None:
        last = self._last_own if stream % 2 == self._last_own % 2 else self._last_theirs
        if not 0 < stream <= last:
            raise LinkViolation(f"bad frame: stream {stream} was never opened")

    @staticmethod
    def _message(state: _Stream, stream: int, data: bytes) -> Arrived:
        if state.allowance <= 0:
            raise LinkViolation(f"bad message: stream {stream} has no credit left")
        if len(data) > MESSAGE_BYTES:
            raise LinkViolation(f"bad message: {len(data)} bytes on stream {stream}")
        if state.finished:
            raise LinkViolation(f"bad message: stream {stream} was half-closed")
        state.allowance -= len(data) + MESSAGE_COST
        return Arrived(stream, data)

    @staticmethod
    def _credit(state: _Stream, stream: int, count: int) -> Granted | None:
        if not 0 < count <= WINDOW - state.credit:
            raise LinkViolation(f"bad credit: stream {stream} was given {count} bytes more than a window")
        starved = state.credit <= 0
        state.credit += count
        return Granted(stream) if starved and state.credit > 0 else None
