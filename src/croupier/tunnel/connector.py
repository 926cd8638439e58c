"""The answering end of a session (an agent towards its server), without I/O.

    greet ─► waiting for Welcome ─► open ◄────────────┐
                                      │ disconnect    │ greet … Welcome{resumed}
                                      ▼               │
                                   offline ───────────┤
                                                      └ Welcome{not resumed}, or a plain peer: the old session's calls
                                                        are aborted, unacknowledged job events go out again

Each request is executed once and answered once; an answer nobody waits for any more is dropped here.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from croupier.domain.job import JobEvent
from croupier.errors import DeadlineExceeded, InvalidArgument, RateLimited
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.deadlines import Deadlines
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
from croupier.tunnel.link import BrokenLink, Link

RUNNING = 20_000
"""The most requests at a time; one more is answered "rate limited"."""
PLAIN_JOB_WINDOW = 256
"""Events of a job that may wait to be handed to a plain acceptor, which names no window."""

_EXPECTED = (Invoke, ListLocal, JobQuery, JobAck, CancelCall, CancelJob, Drain, Heartbeat)


class Opened(Struct, frozen=True, gc=False):
    """The stream is ready for use. Register anew unless it was resumed."""

    resumed: bool
    plain: bool
    job_window: int


class Execute(Struct, frozen=True, gc=False):
    """Run `frame` and answer it, within `deadline` (None: no limit)."""

    frame: Invoke
    raw: bytes
    deadline: float | None


class Abort(Struct, frozen=True, gc=False):
    """Nobody waits for this request any more: stop working on it. An answer will be dropped."""

    request_id: str
    reason: str


class JobCancelAsked(Struct, frozen=True, gc=False):
    job_id: str
    reason: str


class JobAcknowledged(Struct, frozen=True, gc=False):
    """The acceptor has stored the job's events up to `seq`; with `stop` it wants no more and the job is not its own."""

    job_id: str
    seq: int
    stop: bool


class Asked(Struct, frozen=True, gc=False):
    query: ListLocal | JobQuery


class AcceptorDraining(Struct, frozen=True, gc=False):
    reason: str


ConnectorEvent = Opened | Execute | Abort | JobCancelAsked | JobAcknowledged | Asked | AcceptorDraining


class Connector:
    def __init__(self, hello: Hello) -> None:
        self._hello = replace(hello, capabilities=(SESSION,))
        self.link = Link()
        self.open = False
        self._session_id = ""
        self._heartbeat = 15.0
        self._running: set[str] = set()
        self._deadlines = Deadlines()
        self._unacknowledged: dict[str, deque[tuple[int, bytes]]] = {}
        self._last_sent = 0.0

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def unacknowledged(self) -> int:
        """Job events that the acceptor has not confirmed."""
        return sum(len(events) for events in self._unacknowledged.values())

    def events_of(self, job_id: str) -> Sequence[tuple[int, bytes]]:
        """Number and frame of the job's events that the acceptor has not confirmed."""
        return tuple(self._unacknowledged.get(job_id, ()))

    # ------------------------------------------------------------------------------------------------ the stream

    def greet(self) -> bytes:
        """The first message of a new stream."""
        self.open = False
        return encode(replace(self._hello, session_id=self._session_id, received=self.link.received))

    def disconnect(self) -> list[ConnectorEvent]:
        """The stream ended. A session waits for its resume; a plain acceptor's calls end with its stream."""
        was_plain = self.open and self.link.plain
        self.open = False
        if not was_plain:
            return []
        self.link = Link()
        return self._forget("the stream ended")

    def open_plain(self, now: float) -> list[ConnectorEvent]:
        """No Welcome came: the acceptor speaks the contract and nothing else."""
        events = self._forget("the session ended")
        self._session_id = ""
        self.link = Link(plain=True)
        self.open = True
        self._last_sent = now
        self._send_again()
        return [*events, Opened(resumed=False, plain=True, job_window=PLAIN_JOB_WINDOW)]

    def _send_again(self) -> None:
        for job_id, waiting in self._unacknowledged.items():
            for _, raw in waiting:
                self.link.send_job(job_id, raw)

    def _welcomed(self, welcome: Welcome, now: float) -> list[ConnectorEvent]:
        resumed = welcome.resumed and welcome.session_id == self._session_id
        events: list[ConnectorEvent] = []
        if resumed:
            if not self.link.can_resume(welcome.received):
                self._session_id = ""
                raise BrokenLink(f"gap: the session cannot be resumed at message {welcome.received}; begin a new one")
            self.link.resume(welcome.received)
        else:
            events.extend(self._forget("the session ended"))
            self.link = Link()
            self._session_id = welcome.session_id
            self._send_again()
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
        """All frames of a message take effect, or none.

        Raises InvalidArgument when the stream must end: BrokenLink for a gap, otherwise the next stream begins a new session.
        """
        if self.open:
            return self._receive(data, now)
        frame = decode(parse(data))
        if isinstance(frame, Welcome):
            return self._welcomed(frame, now)
        _check(frame)
        return [*self.open_plain(now), *self._report(frame, data, now)]

    def _receive(self, data: bytes, now: float) -> list[ConnectorEvent]:
        try:
            frames = [(_check(decode(message)), raw) for message, raw in self.link.receive(data)]
        except BrokenLink:
            raise
        except InvalidArgument:
            self._session_id = ""
            raise
        events: list[ConnectorEvent] = []
        for frame, raw in frames:
            events.extend(self._report(frame, raw, now))
        return events

    def _report(self, frame: Frame, raw: bytes, now: float) -> Iterable[ConnectorEvent]:
        match frame:
            case Invoke():
                return self._execute(frame, raw, now)
            case JobAck():
                return self._acknowledge(frame)
            case CancelCall():
                return (Abort(frame.request_id, frame.reason),) if self._close_request(frame.request_id) else ()
            case CancelJob():
                return (JobCancelAsked(frame.job_id, frame.reason),)
            case ListLocal() | JobQuery():
                return (Asked(frame),) if self._admit(frame) else ()
            case Drain():
                return (AcceptorDraining(frame.reason),)
            case _:
                return ()

    def _execute(self, frame: Invoke, raw: bytes, now: float) -> Iterable[ConnectorEvent]:
        if not self._admit(frame):
            return ()
        deadline = now + frame.deadline_ms / 1000 if frame.deadline_ms else None
        if deadline is not None and not isinstance(frame, StartJob):
            self._deadlines.set(frame.request_id, deadline)
        return (Execute(frame, raw, deadline),)

    def _admit(self, frame: Invoke | ListLocal | JobQuery) -> bool:
        if frame.request_id in self._running:
            return False  # the first one will be answered; a second answer would end another call of a plain peer
        if len(self._running) >= RUNNING:
            self.link.send(encode(_refusal(frame)))
            return False
        self._running.add(frame.request_id)
        return True

    def _close_request(self, request_id: str) -> bool:
        """False when it is not open any more."""
        if request_id not in self._running:
            return False
        self._running.remove(request_id)
        self._deadlines.forget(request_id)
        return True

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
        if not self._close_request(request_id):
            return False
        self.link.send(raw)
        return True

    def emit(self, event: JobEvent, raw: bytes = b"") -> None:
        """Send a job's event, again and again until it is acknowledged. `raw` is its frame if there is one already.

        A plain acceptor acknowledges nothing: what was handed to its stream counts as stored (`handed`).
        """
        frame = raw or encode(JobEvents(event))
        self._unacknowledged.setdefault(event.job_id, deque()).append((event.seq, frame))
        if self._session_id or self.link.plain:
            self.link.send_job(event.job_id, frame)

    def drain(self, reason: str) -> None:
        if self.open and not self.link.plain:
            self.link.send(encode(Drain(reason)))

    def take(self, now: float) -> bytes | None:
        message = self.link.take() if self.open else None
        if message is not None:
            self._last_sent = now
        return message

    def handed(self) -> list[ConnectorEvent]:
        """What counts as stored since the last time, because a plain stream took it."""
        events: list[ConnectorEvent] = []
        for job_id in self.link.handed():
            waiting = self._unacknowledged.get(job_id)
            if waiting:
                events.extend(self._acknowledge(JobAck(job_id, waiting[0][0])))
        return events

    # ------------------------------------------------------------------------------------------------ time

    def next_wake(self) -> float | None:
        """When `tick` has something to do, at the earliest."""
        deadline = self._deadlines.next()
        times = [] if deadline is None else [deadline]
        if self.open:
            times.append(self._last_sent + self._heartbeat)
        return min(times, default=None)

    def tick(self, now: float) -> list[ConnectorEvent]:
        events: list[ConnectorEvent] = []
        for request_id in self._deadlines.expired(now):
            error = DeadlineExceeded("tunnel invoke timeout: the game server did not answer within the deadline")
            if self.answer(CallResult(request_id=request_id, error=error)):
                events.append(Abort(request_id, "deadline exceeded"))
        if self.open and now >= self._last_sent + self._heartbeat:
            self.link.acknowledge_now()
            self._last_sent = now
        return events


def _check(frame: Frame) -> Frame:
    if not isinstance(frame, _EXPECTED):
        raise InvalidArgument(f"bad frame: {type(frame).__name__} is not for this end of the tunnel")
    return frame


def _refusal(frame: Invoke | ListLocal | JobQuery) -> CallResult | JobStarted | LocalList | JobAnswer:
    error = RateLimited("rate limited: too many requests are running here; the call did not run, try again later")
    match frame:
        case StartJob():
            return JobStarted(request_id=frame.request_id, job_id=frame.job_id, error=error)
        case Invoke():
            return CallResult(request_id=frame.request_id, error=error)
        case ListLocal():
            return LocalList(request_id=frame.request_id, function_id=frame.function_id, error=error)
        case JobQuery():
            return JobAnswer(request_id=frame.request_id, error=error.message)
