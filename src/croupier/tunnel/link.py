"""One end of a session's numbered messages: batching, acknowledgement, resending. No I/O.

    send(raw) ─► urgent lane ─┐
                              ├─► take() ─► message seq=n ─► retained until the peer acknowledges n
    send_job(id, raw) ─► one lane per job, served in turn ─┘

Frames of calls always go before events of jobs, and jobs take turns event by event, so no job can starve a call or
another job. A plain link (a peer that speaks the contract and nothing else) sends every frame alone and keeps nothing.
"""

from collections import OrderedDict, deque

from croupier.errors import InvalidArgument
from croupier.tunnel.codec import parse
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire

BATCH_BYTES = 256 * 1024
WAITING_BYTES = 32 * 1024 * 1024
"""Queued and unacknowledged bytes past which a link takes no new calls and sends nothing new."""
ACK_MESSAGES = 32
ACK_BYTES = 256 * 1024
BATCH_FRAMES = 10_000


class BrokenLink(InvalidArgument):
    """The peer skipped a message: the stream must end, and the session be resumed."""


class Link:
    def __init__(self, *, plain: bool = False) -> None:
        self.plain = plain
        self.received = 0
        """The last seq received; everything before it arrived too."""
        self.sent = 0
        """The last seq given out by `take`."""
        self._urgent: deque[tuple[bytes, str]] = deque()
        self._jobs: OrderedDict[str, deque[bytes]] = OrderedDict()
        self._queued_bytes = 0
        self._retained: deque[tuple[int, bytes]] = deque()
        self._retained_bytes = 0
        self._resend: deque[bytes] = deque()
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

    def send(self, raw: bytes, request_id: str = "") -> None:
        self._urgent.append((raw, request_id))
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

    def unsent(self) -> set[str]:
        """The requests that were never given to a stream: their calls certainly did not happen."""
        return {request_id for _, request_id in self._urgent if request_id}

    def acknowledge_now(self) -> None:
        self.ack_due = True

    # ------------------------------------------------------------------------------------------------ out

    def take(self) -> bytes | None:
        """The next message for the stream, or None when there is nothing to send now."""
        if self._resend:
            return self._resend.popleft()
        if self.plain:
            return self._take_plain()
        frames = [] if self._retained_bytes > WAITING_BYTES else self._gather()
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

    def _next(self) -> bytes | None:
        if self._urgent:
            raw, _ = self._urgent.popleft()
        elif self._jobs:
            job_id, lane = self._jobs.popitem(last=False)
            raw = lane.popleft()
            if lane:
                self._jobs[job_id] = lane
        else:
            return None
        self._queued_bytes -= len(raw)
        return raw

    def _gather(self) -> list[bytes]:
        frames: list[bytes] = []
        size = 0
        while size < BATCH_BYTES and len(frames) < BATCH_FRAMES and (raw := self._next()) is not None:
            frames.append(raw)
            size += len(raw)
        return frames

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
            return []
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
