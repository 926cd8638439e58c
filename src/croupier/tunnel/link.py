"""One end of a session's numbered messages: batching, acknowledgement, resending. No I/O.

    send(raw) ─► urgent lane ─┐
                              ├─► take() ─► message seq=n ─► retained until the peer acknowledges n
    send_job(id, raw) ─► one lane per job, served in turn ─┘

Frames of calls always go before events of jobs, and jobs take turns event by event, so no job can starve a call or
another job. A plain link (a peer that speaks the contract and nothing else) sends every frame alone and keeps nothing.
"""

from collections import OrderedDict, deque
from itertools import count

from croupier.errors import InvalidArgument
from croupier.tunnel.codec import decode, parse
from croupier.tunnel.frames import Heartbeat
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire

BATCH_BYTES = 256 * 1024
"""The largest message, unless a single frame is larger."""
WAITING_BYTES = 32 * 1024 * 1024
"""Queued and unacknowledged bytes past which a link takes no new calls and sends nothing new."""
ACK_MESSAGES = 32
ACK_BYTES = 256 * 1024
BATCH_FRAMES = 10_000

_MESSAGE_OVERHEAD = 32
"""Bytes of a batch besides its frames, at most: type, seq and ack."""
_FRAME_OVERHEAD = 6
"""Bytes in front of each frame of a batch, at most: the field's tag and a length below 256 MiB."""


class BrokenLink(InvalidArgument):
    """The peer skipped a message: the stream must end, and the session be resumed."""


class Link:
    def __init__(self, *, plain: bool = False) -> None:
        self.plain = plain
        self.received = 0
        """The last seq received; everything before it arrived too."""
        self.sent = 0
        """The last seq given out by `take`."""
        self._urgent: OrderedDict[str | int, bytes] = OrderedDict()
        """By request id, so that a request can be withdrawn; the frames nobody withdraws have a number instead."""
        self._anonymous = count()
        self._jobs: OrderedDict[str, deque[bytes]] = OrderedDict()
        self._queued_bytes = 0
        self._retained: deque[tuple[int, bytes]] = deque()
        self._retained_bytes = 0
        self._resend: deque[bytes] = deque()
        self._handed: list[str] = []
        self._unanswered_messages = 0
        self._unanswered_bytes = 0
        self.ack_due = False

    @property
    def full(self) -> bool:
        return self._queued_bytes + self._retained_bytes > WAITING_BYTES

    @property
    def idle(self) -> bool:
        """Nothing waits to be sent or to be acknowledged."""
        return not (self._urgent or self._jobs or self._retained)

    @property
    def ready(self) -> bool:
        """Has `take` something to give?"""
        if self._resend or self.ack_due:
            return True
        return bool(self._urgent or self._jobs) and not self._held_back

    @property
    def _held_back(self) -> bool:
        return self._retained_bytes > WAITING_BYTES

    def send(self, raw: bytes, request_id: str = "") -> None:
        """Queue a frame. `request_id` names a request that may be withdrawn; it must not be queued already."""
        self._urgent[request_id or next(self._anonymous)] = raw
        self._queued_bytes += len(raw)

    def send_job(self, job_id: str, raw: bytes) -> None:
        lane = self._jobs.get(job_id)
        if lane is None:
            lane = self._jobs[job_id] = deque()
        lane.append(raw)
        self._queued_bytes += len(raw)

    def drop_job(self, job_id: str) -> None:
        for raw in self._jobs.pop(job_id, ()):
            self._queued_bytes -= len(raw)

    def unsent(self, request_id: str) -> bool:
        """Was this request never given to a stream? Then its call certainly did not happen."""
        return request_id in self._urgent

    def withdraw(self, request_id: str) -> bool:
        """Take an unsent request back. False when it was given to a stream, and may have arrived."""
        raw = self._urgent.pop(request_id, None)
        if raw is None:
            return False
        self._queued_bytes -= len(raw)
        return True

    def acknowledge_now(self) -> None:
        self.ack_due = True

    # ------------------------------------------------------------------------------------------------ out

    def take(self) -> bytes | None:
        """The next message for the stream, or None when there is nothing to send now."""
        if self._resend:
            return self._resend.popleft()
        if self.plain:
            return self._take_plain()
        frames = [] if self._held_back else self._gather()
        if frames:
            self.sent += 1
            message = wire.TunnelMessage(
                type="batch", seq=self.sent, ack=self.received, batch=frames
            ).SerializeToString()
            self._retained.append((self.sent, message))
            self._retained_bytes += len(message)
        elif self.ack_due:
            message = wire.TunnelMessage(type="heartbeat", ack=self.received).SerializeToString()
        else:
            return None
        self.ack_due = False
        self._unanswered_messages = self._unanswered_bytes = 0
        return message

    def _take_plain(self) -> bytes | None:
        frame = self._next()
        if frame is None and self.ack_due:
            self.ack_due = False
            return wire.TunnelMessage(type="heartbeat").SerializeToString()
        return frame

    def _next(self, room: int | None = None) -> bytes | None:
        """The frame whose turn it is; None when there is none, or when it has more than `room` bytes."""
        if self._urgent:
            key, raw = next(iter(self._urgent.items()))
            if room is not None and len(raw) > room:
                return None
            del self._urgent[key]
        elif self._jobs:
            job_id, lane = next(iter(self._jobs.items()))
            if room is not None and len(lane[0]) > room:
                return None
            raw = lane.popleft()
            if lane:
                self._jobs.move_to_end(job_id)
            else:
                del self._jobs[job_id]
            if self.plain:
                self._handed.append(job_id)
        else:
            return None
        self._queued_bytes -= len(raw)
        return raw

    @property
    def _fits_whole(self) -> bool:
        waiting = len(self._urgent)
        size = self._queued_bytes + waiting * _FRAME_OVERHEAD + _MESSAGE_OVERHEAD
        return size <= BATCH_BYTES and waiting <= BATCH_FRAMES

    def _gather(self) -> list[bytes]:
        if not self._jobs and self._fits_whole:
            # As nearly always; frame by frame would cost ten times as much.
            frames = list(self._urgent.values())
            self._urgent.clear()
            self._queued_bytes = 0
            return frames
        frames = []
        raw = self._next()  # the first may be as large as it is
        room = BATCH_BYTES - _MESSAGE_OVERHEAD - _FRAME_OVERHEAD
        while raw is not None:
            frames.append(raw)
            room -= len(raw) + _FRAME_OVERHEAD
            raw = self._next(room) if len(frames) < BATCH_FRAMES else None
        return frames

    def handed(self) -> list[str]:
        """The jobs of the events that a plain stream took since the last time, once per event."""
        handed, self._handed = self._handed, []
        return handed

    # ------------------------------------------------------------------------------------------------ in

    def receive(self, data: bytes) -> list[tuple[wire.TunnelMessage, bytes]]:
        """The new frames in `data`, each parsed and as its bytes; none when `data` came before.

        Raises InvalidArgument for rubbish and BrokenLink for a gap.
        """
        message = parse(data)
        if self.plain:
            return [(message, data)]
        self._acknowledged(message.ack)
        seq = message.seq
        if seq == 0:
            return self._unnumbered(message)
        if seq <= self.received:
            return []
        if seq > self.received + 1:
            raise BrokenLink(f"gap: message {seq} came after {self.received}; resume the session")
        frames = message.batch
        if len(frames) > BATCH_FRAMES:
            raise InvalidArgument(f"bad frame: a batch of {len(frames)} frames; at most {BATCH_FRAMES} are allowed")
        parsed = [(parse(raw), raw) for raw in frames] if frames else [(message, data)]
        self.received = seq
        self._unanswered_messages += 1
        self._unanswered_bytes += len(data)
        if self._unanswered_messages >= ACK_MESSAGES or self._unanswered_bytes >= ACK_BYTES:
            self.ack_due = True
        return parsed

    def _unnumbered(self, message: wire.TunnelMessage) -> list[tuple[wire.TunnelMessage, bytes]]:
        """Only what may get lost goes without a number; a frame that was dropped in silence would be missed for ever."""
        if message.batch or not isinstance(decode(message), Heartbeat):
            raise InvalidArgument("bad frame: only a heartbeat goes without a seq in a session; number the message")
        return []

    def _acknowledged(self, seq: int) -> None:
        retained = self._retained
        while retained and retained[0][0] <= seq:
            self._retained_bytes -= len(retained.popleft()[1])

    def can_resume(self, received: int) -> bool:
        """Is everything that a peer who has received so much still needs at hand?"""
        first_kept = self._retained[0][0] if self._retained else self.sent + 1
        return first_kept - 1 <= received <= self.sent

    def resume(self, received: int) -> None:
        """A new stream carries the session on: the peer has everything up to `received`; the rest goes out again."""
        self._acknowledged(received)
        self._resend = deque(message for _, message in self._retained)
        self.ack_due = True
