"""The answering end of a session (an agent towards its server), without I/O.

    greet ─► waiting for Welcome ─► open ◄────────────┐
                                      │ disconnect    │ greet … Welcome{resumed}
                                      ▼               │
                                   offline ───────────┤
                                                      └ Welcome{not resumed}, or a plain peer: the old session's calls
                                                        are aborted, unacknowledged job events go out again

Each request is executed once and answered once; an answer nobody waits for any more is dropped here.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from croupier.domain.job import JobEvent
from croupier.errors import DeadlineExceeded, InvalidArgument
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.frames import (
    SESSION,
    CallResult,
    CancelCall,
    CancelJob,
    Drain,
    Frame,
    Heartbeat,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobEvents,
    JobQuery,
    JobStarted,
    ListLocal,
    LocalList,
    Register,
    StartJob,
    Welcome,
)
from croupier.tunnel.link import Link


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream is ready for use. Register anew unless it was resumed."""

    resumed: bool
    plain: bool
    job_window: int


@dataclass(frozen=True, slots=True)
class Execute:
    """Run `frame` and answer it, within `deadline` (None: no limit)."""

    frame: Invoke
    raw: bytes
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Abort:
    """Nobody waits for this request any more: stop working on it. An answer will be dropped."""

    request_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobCancelAsked:
    job_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobAcknowledged:
    """The acceptor has stored the job's events up to `seq`; with `stop` it wants no more and the job is not its own."""

    job_id: str
    seq: int
    stop: bool


@dataclass(frozen=True, slots=True)
class Asked:
    query: ListLocal | JobQuery


@dataclass(frozen=True, slots=True)
class AcceptorDraining:
    reason: str


ConnectorEvent = Opened | Execute | Abort | JobCancelAsked | JobAcknowledged | Asked | AcceptorDraining


class Connector:
    def __init__(self, hello: Hello) -> None:
        self._hello = replace(hello, capabilities=(SESSION,))
        self.link = Link()
        self.open = False
        self._session_id = ""
        self._heartbeat = 15.0
        self._running: dict[str, float | None] = {}
        self._deadlines: list[tuple[float, str]] = []
        self._unacknowledged: dict[str, deque[tuple[int, bytes]]] = {}
        self._last_sent = 0.0

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def unacknowledged(self) -> int:
        """Job events that the acceptor has not confirmed."""
        return sum(len(events) for events in self._unacknowledged.values())

    # ------------------------------------------------------------------------------------------------ the stream

    def greet(self) -> bytes:
        """The first message of a new stream."""
        self.open = False
        return encode(replace(self._hello, session_id=self._session_id, received=self.link.received))

    def disconnect(self) -> None:
        self.open = False

    def open_plain(self, now: float) -> list[ConnectorEvent]:
        """No Welcome came: the acceptor speaks the contract and nothing else."""
        events = self._forget("the session ended")
        self._session_id = ""
        self.link = Link(plain=True)
        self.open = True
        self._last_sent = now
        for job_id, waiting in self._unacknowledged.items():
            for _, raw in waiting:
                self.link.send_job(job_id, raw)
            events.append(JobAcknowledged(job_id, waiting[-1][0], stop=False))
        self._unacknowledged.clear()
        return [*events, Opened(resumed=False, plain=True, job_window=0)]

    def _welcomed(self, welcome: Welcome, now: float) -> list[ConnectorEvent]:
        resumed = welcome.resumed and welcome.session_id == self._session_id
        events: list[ConnectorEvent] = []
        if resumed:
            self.link.resume(welcome.received)
        else:
            events.extend(self._forget("the session ended"))
            self.link = Link()
            self._session_id = welcome.session_id
            for job_id, waiting in self._unacknowledged.items():
                for _, raw in waiting:
                    self.link.send_job(job_id, raw)
        self._heartbeat = max(0.1, welcome.heartbeat_ms / 1000)
        self.open = True
        self._last_sent = now
        return [*events, Opened(resumed=resumed, plain=False, job_window=welcome.job_window)]

    def _forget(self, why: str) -> list[ConnectorEvent]:
        aborted: list[ConnectorEvent] = [Abort(request_id, why) for request_id in self._running]
        self._running.clear()
        self._deadlines.clear()
        return aborted

    # ------------------------------------------------------------------------------------------------ in

    def receive(self, data: bytes, now: float) -> list[ConnectorEvent]:
        """Raises InvalidArgument (BrokenLink for a gap) when the stream must end."""
        if not self.open:
            frame = decode(parse(data))
            if isinstance(frame, Welcome):
                return self._welcomed(frame, now)
            return [*self.open_plain(now), *self._receive(data, now)]
        return self._receive(data, now)

    def _receive(self, data: bytes, now: float) -> list[ConnectorEvent]:
        events: list[ConnectorEvent] = []
        for message, raw in self.link.receive(data):
            events.extend(self._report(decode(message), raw, now))
        return events

    def _report(self, frame: Frame, raw: bytes, now: float) -> Iterable[ConnectorEvent]:
        match frame:
            case Invoke():
                return self._execute(frame, raw, now)
            case JobAck():
                return self._acknowledge(frame)
            case CancelCall():
                known = self._running.pop(frame.request_id, self) is not self
                return (Abort(frame.request_id, frame.reason),) if known else ()
            case CancelJob():
                return (JobCancelAsked(frame.job_id, frame.reason),)
            case ListLocal() | JobQuery():
                self._running[frame.request_id] = None
                return (Asked(frame),)
            case Drain():
                return (AcceptorDraining(frame.reason),)
            case Heartbeat():
                return ()
            case _:
                raise InvalidArgument(f"bad frame: {type(frame).__name__} is not for this end of the tunnel")

    def _execute(self, frame: Invoke, raw: bytes, now: float) -> Iterable[ConnectorEvent]:
        if frame.request_id in self._running:
            return ()  # the first one will be answered; a second answer would end another call of a plain peer
        deadline = now + frame.deadline_ms / 1000 if frame.deadline_ms else None
        self._running[frame.request_id] = deadline
        if deadline is not None and not isinstance(frame, StartJob):
            heapq.heappush(self._deadlines, (deadline, frame.request_id))
        return (Execute(frame, raw, deadline),)

    def _acknowledge(self, frame: JobAck) -> Iterable[ConnectorEvent]:
        waiting = self._unacknowledged.get(frame.job_id)
        if waiting is not None:
            while waiting and (frame.stop or waiting[0][0] <= frame.seq):
                waiting.popleft()
            if not waiting:
                del self._unacknowledged[frame.job_id]
        if frame.stop:
            self.link.drop_job(frame.job_id)
        return (JobAcknowledged(frame.job_id, frame.seq, frame.stop),)

    # ------------------------------------------------------------------------------------------------ out

    def register(self, register: Register) -> None:
        if self.open and not self.link.plain:
            self.link.send(encode(register))

    def answer(self, frame: CallResult | JobStarted | LocalList | JobAnswer) -> bool:
        """Answer a request. False when nobody waits for it any more."""
        return self.answer_raw(frame.request_id, encode(frame))

    def answer_raw(self, request_id: str, raw: bytes) -> bool:
        """Answer with a frame that is encoded already."""
        if self._running.pop(request_id, self) is self:
            return False
        self.link.send(raw)
        return True

    def emit(self, event: JobEvent, raw: bytes = b"") -> list[ConnectorEvent]:
        """Send a job's event, again and again until it is acknowledged. `raw` is its frame if there is one already.

        A plain acceptor acknowledges nothing: what was handed to it counts as stored.
        """
        frame = raw or encode(JobEvents(event))
        if self.link.plain:
            self.link.send_job(event.job_id, frame)
            return [JobAcknowledged(event.job_id, event.seq, stop=False)]
        self._unacknowledged.setdefault(event.job_id, deque()).append((event.seq, frame))
        if self._session_id:
            self.link.send_job(event.job_id, frame)
        return []

    def drain(self, reason: str) -> None:
        if self.open and not self.link.plain:
            self.link.send(encode(Drain(reason)))

    def take(self, now: float) -> bytes | None:
        message = self.link.take() if self.open else None
        if message is not None:
            self._last_sent = now
        return message

    # ------------------------------------------------------------------------------------------------ time

    def next_wake(self) -> float | None:
        """When `tick` has something to do, at the earliest."""
        while self._deadlines and self._deadlines[0][1] not in self._running:
            heapq.heappop(self._deadlines)
        times = [self._deadlines[0][0]] if self._deadlines else []
        if self.open:
            times.append(self._last_sent + self._heartbeat)
        return min(times, default=None)

    def tick(self, now: float) -> list[ConnectorEvent]:
        events: list[ConnectorEvent] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            _, request_id = heapq.heappop(self._deadlines)
            error = DeadlineExceeded("tunnel invoke timeout: the game server did not answer within the deadline")
            if self.answer(CallResult(request_id=request_id, error=error)):
                events.append(Abort(request_id, "deadline exceeded"))
        if self.open and now - self._last_sent >= self._heartbeat:
            self.link.acknowledge_now()
            self._last_sent = now
        return events
