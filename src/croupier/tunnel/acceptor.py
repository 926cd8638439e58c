"""The calling end of a session (server towards agent, agent towards game server), without I/O.

    connect ─► connected ◄──────────────┐
                  │ disconnect          │ connect (same session, generation + 1)
                  ▼                     │
              waiting for a resume ─────┘
                  │ window passed, or close
                  ▼
               closed: every call still open ends, once

`now` is any monotonic clock in seconds. Whatever a call's end, its token is handed back in exactly one `Completed`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from msgspec import Struct

from croupier.codes import Code
from croupier.domain.job import JobEvent
from croupier.errors import (
    CroupierError,
    DeadlineExceeded,
    InvalidArgument,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from croupier.tunnel.codec import decode, encode
from croupier.tunnel.deadlines import Deadlines
from croupier.tunnel.frames import (
    SESSION,
    Answer,
    CallResult,
    CancelCall,
    CancelJob,
    Drain,
    Frame,
    Heartbeat,
    Hello,
    JobAck,
    JobAnswer,
    JobEvents,
    JobStarted,
    LocalList,
    Register,
    Welcome,
)
from croupier.tunnel.link import BrokenLink, Link

Token = Callable[[Answer | CroupierError, bytes], None]
"""Told how a call ended, with the bytes of the answer's frame (empty for an error of ours)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptorConfig:
    resume_window: float = 10.0
    """Seconds a lost session is kept for its connector to come back."""
    heartbeat: float = 15.0
    """Seconds; after three of them without a message the stream is given up."""
    job_window: int = 256
    calls: int = 20_000
    """The most calls in flight."""


class Completed(Struct, frozen=True, gc=False):
    token: Token
    outcome: Answer | CroupierError
    raw: bytes


class JobEventArrived(Struct, frozen=True, gc=False):
    event: JobEvent
    raw: bytes


class Registered(Struct, frozen=True, gc=False):
    register: Register


class PeerDraining(Struct, frozen=True, gc=False):
    reason: str


class Silent(Struct, frozen=True, gc=False):
    """Nothing was heard for three heartbeats: close the stream."""


class Closed(Struct, frozen=True, gc=False):
    """The session is over."""


AcceptorEvent = Completed | JobEventArrived | Registered | PeerDraining | Silent | Closed

_ANSWERS = (CallResult, JobStarted, LocalList, JobAnswer)
_EXPECTED = (*_ANSWERS, JobEvents, Register, Drain, Heartbeat)

PLAIN_JOBS = 100_000
"""The most jobs of a plain peer whose events are being numbered here."""


class Acceptor:
    def __init__(
        self,
        hello: Hello,
        *,
        session_id: str,
        incarnation: str,
        config: AcceptorConfig,
        numbers: dict[str, int] | None = None,
    ) -> None:
        """`numbers` are those of a plain peer's job events so far, from its earlier sessions."""
        self.hello = hello
        self.session_id = session_id
        self.generation = 0
        """Counts streams; a stream that ends speaks only for its own generation."""
        self.connected = False
        self.closed = False
        self.draining = False
        self.link = Link(plain=SESSION not in hello.capabilities)
        self._incarnation = incarnation
        self._config = config
        self._pending: dict[str, Token] = {}
        self._deadlines = Deadlines()
        self._violated = False
        self._heard = 0.0
        self._lost_at = 0.0
        self._plain_seq = {} if numbers is None else numbers

    @property
    def in_flight(self) -> int:
        return len(self._pending)

    def has(self, request_id: str) -> bool:
        return request_id in self._pending

    def lively(self, now: float) -> bool:
        """Its stream is there, and a heartbeat is not overdue: whoever is at its other end runs."""
        return self.connected and now < self._heard + 1.5 * self._config.heartbeat

    # ------------------------------------------------------------------------------------------------ the stream

    def resumes(self, hello: Hello) -> bool:
        """Does `hello` ask for this very session, from the same process? Not after it broke the protocol in it."""
        return (
            not self.closed
            and not self._violated
            and not self.link.plain
            and hello.session_id == self.session_id
            and hello.agent_id == self.hello.agent_id
            and hello.incarnation == self.hello.incarnation
            and self.link.can_resume(hello.received)
        )

    def refuse_resume(self) -> None:
        """The connector broke the protocol: it has to begin again with a new session."""
        self._violated = True

    def connect(self, hello: Hello, now: float) -> bytes | None:
        """A stream begins, the first or one that resumes. Returns the Welcome to send; None for a plain peer."""
        self.generation += 1
        self.connected = True
        self._heard = now
        if self.link.plain:
            return None
        resumed = self.generation > 1
        if resumed:
            self.link.resume(hello.received)
        return encode(
            Welcome(
                session_id=self.session_id,
                resumed=resumed,
                received=self.link.received,
                incarnation=self._incarnation,
                heartbeat_ms=int(self._config.heartbeat * 1000),
                job_window=self._config.job_window,
            )
        )

    def disconnect(self, generation: int, now: float) -> list[AcceptorEvent]:
        """The stream of `generation` ended. An older stream's end changes nothing."""
        if generation != self.generation or not self.connected:
            return []
        self.connected = False
        self._lost_at = now
        return self.close("agent not connected: its stream ended") if self.link.plain else []

    def close(self, why: str) -> list[AcceptorEvent]:
        """End the session and every call of it: `Unavailable` if it was never sent, otherwise `OutcomeUnknown`."""
        if self.closed:
            return []
        self.closed = True
        self.connected = False
        ended: list[AcceptorEvent] = []
        for request_id, token in self._pending.items():
            error: CroupierError = (
                Unavailable(f"{why}; the call was not sent and may be repeated", code=Code.LOST_BEFORE)
                if self.link.unsent(request_id)
                else OutcomeUnknown(
                    f"{why} after the call was sent; check whether it took effect before repeating it",
                    code=Code.LOST_AFTER,
                )
            )
            ended.append(Completed(token, error, b""))
        self._pending.clear()
        self._deadlines.clear()
        return [*ended, Closed()]

    # ------------------------------------------------------------------------------------------------ calls

    def call(self, request_id: str, raw: bytes, token: Token, deadline: float | None) -> None:
        """Send the request frame `raw`; `token` comes back in one `Completed`, at `deadline` at the latest.

        Raises Unavailable when the session is over, RateLimited when too much waits, InvalidArgument for an id in use.
        """
        if self.closed:
            raise Unavailable(
                "agent not connected: its session is over; the call was not sent and may be repeated",
                code=Code.LOST_BEFORE,
            )
        if self.link.full or len(self._pending) >= self._config.calls:
            raise RateLimited("rate limited: the tunnel has too much in flight; the call was not sent, try again later")
        if request_id in self._pending:
            raise InvalidArgument(f"request id {request_id} is in flight already")
        self._pending[request_id] = token
        if deadline is not None:
            self._deadlines.set(request_id, deadline)
        self.link.send(raw, request_id)

    def cancel(self, request_id: str, reason: str) -> Token | None:
        """Nobody waits any more. Returns the token if the call was open; there will be no `Completed` for it."""
        token = self._close_call(request_id)
        if token is not None and not self.link.withdraw(request_id) and not self.link.plain:
            self.link.send(encode(CancelCall(request_id, reason)))
        return token

    def _close_call(self, request_id: str) -> Token | None:
        token = self._pending.pop(request_id, None)
        if token is not None:
            self._deadlines.forget(request_id)
        return token

    def tell(self, frame: CancelJob | JobAck | Drain) -> None:
        """Send what needs no answer; a plain peer is told only what the contract knows."""
        if not self.closed and (not self.link.plain or isinstance(frame, CancelJob)):
            self.link.send(encode(frame))

    def take(self) -> bytes | None:
        return self.link.take() if self.connected else None

    # ------------------------------------------------------------------------------------------------ in

    def receive(self, data: bytes, now: float) -> list[AcceptorEvent]:
        """All frames of a message take effect, or none.

        Raises InvalidArgument when the stream must end: BrokenLink for a gap, otherwise the session cannot be resumed.
        """
        self._heard = now
        try:
            frames = [(self._expected(decode(message)), raw) for message, raw in self.link.receive(data)]
        except BrokenLink:
            raise
        except InvalidArgument:
            self.refuse_resume()
            raise
        events: list[AcceptorEvent] = []
        for frame, raw in frames:
            if isinstance(frame, _ANSWERS):
                token = self._close_call(frame.request_id)
                if token is not None:
                    events.append(Completed(token, frame, raw))
            else:
                events.extend(self._report(frame, raw))
        return events

    def _expected(self, frame: Frame) -> Frame:
        if not isinstance(frame, _EXPECTED):
            raise InvalidArgument(f"bad frame: {type(frame).__name__} is not for this end of the tunnel")
        if isinstance(frame, JobEvents) and self.link.plain and len(self._plain_seq) >= PLAIN_JOBS:
            raise InvalidArgument(f"bad frame: more than {PLAIN_JOBS} jobs have not ended; end some of them")
        return frame

    def _report(self, frame: Frame, raw: bytes) -> Iterable[AcceptorEvent]:
        match frame:
            case JobEvents():
                return (JobEventArrived(self._numbered(frame.event), raw),)
            case Register():
                return (Registered(frame),)
            case Drain():
                self.draining = True
                return (PeerDraining(frame.reason),)
            case _:
                return ()

    def _numbered(self, event: JobEvent) -> JobEvent:
        """A plain peer does not number its events: arrival does."""
        if event.seq or not self.link.plain:
            return event
        seq = self._plain_seq[event.job_id] = self._plain_seq.get(event.job_id, 0) + 1
        if event.type in {"done", "error"}:
            del self._plain_seq[event.job_id]
        return replace(event, seq=seq)

    # ------------------------------------------------------------------------------------------------ time

    def next_wake(self) -> float | None:
        """When `tick` has something to do, at the earliest."""
        deadline = self._deadlines.next()
        times = [] if deadline is None else [deadline]
        if self.connected:
            if not self.link.plain:
                times.append(self._heard + 3 * self._config.heartbeat)
        elif not self.closed and self.generation:
            times.append(self._lost_at + self._config.resume_window)
        return min(times, default=None)

    def tick(self, now: float) -> list[AcceptorEvent]:
        events: list[AcceptorEvent] = []
        for request_id in self._deadlines.expired(now):
            error = self._timeout(request_id)
            token = self.cancel(request_id, "deadline exceeded")
            if token is not None:
                events.append(Completed(token, error, b""))
        if self.connected and not self.link.plain and now >= self._heard + 3 * self._config.heartbeat:
            self._heard = now
            events.append(Silent())
        if (
            not self.connected
            and not self.closed
            and self.generation
            and now >= self._lost_at + self._config.resume_window
        ):
            events.extend(self.close("agent not connected: it did not come back in time"))
        return events

    def _timeout(self, request_id: str) -> CroupierError:
        if self.link.unsent(request_id):
            return Unavailable(
                "agent not connected: the call could not be sent in time and may be repeated",
                code=Code.NOT_SENT_IN_TIME,
            )
        return DeadlineExceeded(
            "tunnel invoke timeout: no answer within the deadline; the function may still have taken effect",
            code=Code.NO_ANSWER_IN_TIME,
        )
