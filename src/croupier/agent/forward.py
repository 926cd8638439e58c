"""One call on its way: a request comes in, a game server is chosen, its answer goes out as the bytes it came in.

The same for the server's calls and for those of local callers. Nothing here waits: an answer is told to `done`, so a call
costs neither a task nor a future.
"""

import asyncio
import functools
from itertools import count

from msgspec import structs

from croupier.agent.choice import choose
from croupier.agent.game_server import Done, GameServer
from croupier.agent.instances import Instances
from croupier.agent.jobs import Jobs
from croupier.agent.metrics import Calls
from croupier.agent.resend import Resend
from croupier.agent.tracked_job import JobSink, TrackedJob
from croupier.domain.identifiers import new_id
from croupier.domain.limits import CALL_TIMEOUT, PAYLOAD_BYTES
from croupier.domain.scope import Scope
from croupier.errors import (
    CroupierError,
    DeadlineExceeded,
    FailedPrecondition,
    HandlerFailed,
    OutcomeUnknown,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    Unavailable,
)
from croupier.telemetry import Span, Tracer
from croupier.tunnel.codec import encode
from croupier.tunnel.frames import Answer, CallResult, Invoke, JobStarted, StartJob

START_TIMEOUT = 10.0
"""Seconds in which a game server must accept a job."""
FLIGHTS = 20_000
"""The most calls under way."""
ANSWER_BYTES = PAYLOAD_BYTES + 400_000
"""The largest frame of an answer; a bigger one could not travel on."""


class Flight:
    """One call under way, between a game server and whoever waits for it."""

    __slots__ = ("_done", "_forward", "_job", "_lost", "_name", "_server", "deadline", "frame", "open", "span")

    def __init__(
        self, forward: "Forward", server: GameServer, frame: Invoke, deadline: float, done: Done, job: TrackedJob | None
    ) -> None:
        self.frame = frame
        self.deadline = deadline
        self.open = True
        self._forward = forward
        self._server = server
        self._done = done
        self._job = job
        self._name = ""
        self._lost: OutcomeUnknown | None = None
        """Why it was or must be sent again. What is refused from then on may have run the first time."""
        self.span: Span | None = None
        """Where spans are collected."""

    def send(self, raw: bytes, timeout: float) -> None:
        self._name = self._server.call(self.frame, raw, timeout, self._answered)
        self._server.outstanding += 1
        self._server.last_turn = next(self._forward.turns)

    def begin(self, raw: bytes, timeout: float, refusal: CroupierError | None) -> None:
        """Send it now that it is kept, or refuse it because it could not be."""
        try:
            if refusal is not None:
                raise refusal
            self._forward.hand_over(self, raw, timeout)
        except CroupierError as error:
            self.give_up(error)

    def again(self, server: GameServer) -> None:
        """Send it to `server` after the one that had it was lost. Raises CroupierError when it was not sent."""
        timeout = self._forward.left(self)
        self.frame = structs.replace(self.frame, deadline_ms=max(1, int(timeout * 1000)))
        self._server = server
        self.send(b"", timeout)

    def give_up(self, error: CroupierError) -> None:
        """It was lost and cannot be sent again."""
        self._server.outstanding += 1
        self._end(error, b"")

    def _answered(self, outcome: Answer | CroupierError, raw: bytes) -> None:
        if not self.open:
            return
        if isinstance(outcome, OutcomeUnknown) and self._forward.keep(self, self._server, outcome):
            self._lost = outcome
            self._server.outstanding -= 1
            return
        self._end(outcome, raw)

    def _end(self, outcome: Answer | CroupierError, raw: bytes) -> None:
        self._close()
        outcome, raw = _checked(outcome, raw, self._server.service_id)
        error = outcome if isinstance(outcome, CroupierError) else getattr(outcome, "error", None)
        if self._lost is not None and isinstance(error, Unavailable | RateLimited):
            outcome, raw, error = self._lost, b"", self._lost
        if isinstance(outcome, CroupierError):
            outcome.service_id = self._server.service_id
        self._ended("ok" if error is None else error.reason)
        if self._job is not None:
            self._forward.started(self._job, error)
        self._done(outcome, raw)

    def cancel(self, reason: str) -> None:
        """Nobody waits any more. A job that is being started is left to its own story."""
        if not self.open:
            return
        if self._job is not None:
            self._done = _nobody
            return
        waits = self._lost is not None and self._forward.unkeep(self, self._server)
        self._close()
        self._ended("canceled")
        if waits:
            self._server.outstanding += 1
        else:
            self._server.cancel(self._name, reason)

    def _ended(self, outcome: str) -> None:
        self._forward.count(outcome)
        if self.span is not None:
            self.span.end(outcome, {"croupier.service": self._server.service_id})

    def _close(self) -> None:
        self.open = False
        self._server.outstanding -= 1
        self._forward.closed(self)


def _nobody(_: Answer | CroupierError, __: bytes) -> None:
    """Takes an answer that nobody waits for."""


class Forward:
    def __init__(
        self,
        scope: Scope,
        instances: Instances,
        jobs: Jobs,
        calls: Calls,
        resend: Resend,
        tracer: Tracer | None = None,
    ) -> None:
        self._scope = scope
        self._games = frozenset({scope.game_id, "", None})
        self._envs = frozenset({scope.env, "", None})
        """What a call may name as its game and env."""
        self._instances = instances
        self._jobs = jobs
        self._calls = calls
        self._resend = resend
        self._tracer = tracer
        self._loop = asyncio.get_running_loop()
        self.turns = count(1)
        """Numbers of the calls that are given out."""
        self._flights: set[Flight] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    # ------------------------------------------------------------------------------------------------ calls

    def invoke(self, frame: Invoke, raw: bytes, deadline: float | None, done: Done) -> Flight:
        """Pass `frame` on. `raw` is its encoded form, if there is one; `deadline` is on the loop's clock.

        `done` is told once, later. Raises CroupierError when the call was not sent to any game server.
        """
        timeout = CALL_TIMEOUT if deadline is None else deadline - self._loop.time()
        try:
            server = self._choose(frame, timeout)
            if deadline is None:
                deadline = self._loop.time() + timeout
            return self._launch(Flight(self, server, frame, deadline, done, None), raw, timeout)
        except CroupierError as error:
            self.count(error.reason)
            raise

    def start(self, frame: StartJob, raw: bytes, deadline: float | None, done: Done, sink: JobSink) -> Flight | None:
        """Start the job `frame.job_id`; its events go to `sink`. None when `done` was told already: it runs.

        A plain server leaves the name to us. Raises CroupierError when it was not sent to any game server.
        """
        if not frame.job_id:
            frame, raw = structs.replace(frame, job_id=new_id("j")), b""
        known = self._jobs.get(frame.job_id)
        if known is not None:
            self._started_before(known, frame, done)
            return None
        timeout = START_TIMEOUT if deadline is None else min(START_TIMEOUT, deadline - self._loop.time())
        try:
            server = self._choose(frame, timeout)
            job = self._jobs.place(frame.job_id, frame.function_id, server, sink)
            try:
                if frame.deadline_ms:
                    self._jobs.limit(job, frame.deadline_ms / 1000)
                flight = Flight(self, server, frame, 0.0, done, job)
                if self._jobs.keep(job, lambda refusal: flight.begin(raw, timeout, refusal)):
                    return self._under_way(flight)
                return self._launch(flight, raw, timeout)
            except CroupierError:
                self._jobs.forget(job)
                raise
        except CroupierError as error:
            self.count(error.reason)
            raise

    def _started_before(self, job: TrackedJob, frame: StartJob, done: Done) -> None:
        if not job.started:
            raise FailedPrecondition(f"job {frame.job_id} is being started already; follow it by its id")
        answer = JobStarted(request_id=frame.request_id, job_id=job.job_id, service_id=job.service_id)
        done(answer, b"")

    def _choose(self, frame: Invoke, timeout: float) -> GameServer:
        if self.draining:
            raise Unavailable("this agent is stopping; the call was not sent and may be repeated")
        self._check_scope(frame)
        if len(frame.payload) > PAYLOAD_BYTES:
            raise PayloadTooLarge(f"the payload has {len(frame.payload)} bytes; at most {PAYLOAD_BYTES} are allowed")
        if len(self._flights) >= FLIGHTS:
            raise RateLimited("rate limited: this agent has too many calls under way; try again later")
        if timeout <= 0:
            raise DeadlineExceeded("tunnel invoke timeout: the deadline passed before the call was sent")
        return choose(self._instances, frame.function_id, frame.metadata).server

    def _check_scope(self, frame: Invoke) -> None:
        """Scope is a wall: what names another game or env is not for the game servers here."""
        scope, metadata = self._scope, frame.metadata
        if (
            frame.game_id in self._games
            and frame.env in self._envs
            and metadata.get("game_id") in self._games
            and metadata.get("env") in self._envs
        ):
            return  # nearly all; the rest is for saying what is wrong
        for label, ours, named in (
            ("game_id", scope.game_id, (frame.game_id, metadata.get("game_id"))),
            ("env", scope.env, (frame.env, metadata.get("env"))),
        ):
            for theirs in named:
                if theirs and theirs != ours:
                    raise PermissionDenied(f"this agent serves {label} {ours}, and the call is for {theirs[:64]}")

    def _launch(self, flight: Flight, raw: bytes, timeout: float) -> Flight:
        self.hand_over(flight, raw, timeout)
        return self._under_way(flight)

    def hand_over(self, flight: Flight, raw: bytes, timeout: float) -> None:
        """Raises CroupierError when it was not sent."""
        if self._tracer is None:
            flight.send(raw, timeout)
        else:
            self._send_traced(self._tracer, flight, raw, timeout)

    def _under_way(self, flight: Flight) -> Flight:
        self._flights.add(flight)
        self._calls.in_flight += 1
        self._idle.clear()
        return flight

    def _send_traced(self, tracer: Tracer, flight: Flight, raw: bytes, timeout: float) -> None:
        """Send the frame as it goes on from the span of this hop."""
        frame = flight.frame
        facts = {
            "croupier.call": frame.job_id if isinstance(frame, StartJob) else frame.request_id,
            "croupier.function": frame.function_id,
            "croupier.game": self._scope.game_id,
            "croupier.env": self._scope.env,
        }
        span = flight.span = tracer.send(f"forward {frame.function_id}", frame.traceparent, facts)
        parent = span.traceparent
        if raw:
            raw += _parent_mark(parent, job=isinstance(frame, StartJob))
        flight.frame = structs.replace(frame, traceparent=parent, metadata={**frame.metadata, "traceparent": parent})
        try:
            flight.send(raw, timeout)
        except CroupierError as error:
            span.end(error.reason, {})
            raise

    # ------------------------------------------------------------------------------------------------ how it went

    def count(self, outcome: str) -> None:
        self._calls.outcomes[outcome] += 1

    def keep(self, flight: Flight, server: GameServer, error: OutcomeUnknown) -> bool:
        """Hold a call whose game server was lost until it can be sent again. False when it must not be."""
        return self._resend.keep(flight, server, error)

    def unkeep(self, flight: Flight, server: GameServer) -> bool:
        """False when it is not held."""
        return self._resend.forget(flight, server)

    def left(self, flight: Flight) -> float:
        """Seconds until its deadline, at least one millisecond."""
        return max(0.001, flight.deadline - self._loop.time())

    def closed(self, flight: Flight) -> None:
        self._flights.discard(flight)
        self._calls.in_flight -= 1
        if not self._flights:
            self._idle.set()

    def started(self, job: TrackedJob, error: CroupierError | None) -> None:
        if error is None:
            job.started = True
        elif not job.last_seq:
            self._jobs.forget(job)

    async def drain(self, grace: float) -> None:
        """Take no more calls; wait for those under way, `grace` seconds at most, then cancel them."""
        self.draining = True
        try:
            async with asyncio.timeout(grace):
                await self._idle.wait()
        except TimeoutError:
            for flight in list(self._flights):
                flight.cancel("the agent stops")


def _checked(outcome: Answer | CroupierError, raw: bytes, service_id: str) -> tuple[Answer | CroupierError, bytes]:
    """The answer as it may travel on, its bytes saying which game server gave it."""
    if not isinstance(outcome, CallResult | JobStarted):
        if isinstance(outcome, CroupierError):
            return outcome, b""
        return HandlerFailed(f"{service_id} answered with the wrong kind of frame, {type(outcome).__name__}"), b""
    size = len(outcome.payload) if isinstance(outcome, CallResult) else 0
    if size > PAYLOAD_BYTES:
        return HandlerFailed(f"{service_id} answered {size} bytes; at most {PAYLOAD_BYTES} are allowed"), b""
    if len(raw) > ANSWER_BYTES:
        return HandlerFailed(f"{service_id} answered with a frame of {len(raw)} bytes, which is too large"), b""
    if raw and not outcome.service_id:
        return outcome, raw + _mark(service_id, job=isinstance(outcome, JobStarted))
    return outcome, raw


@functools.lru_cache(maxsize=4_096)
def _mark(service_id: str, *, job: bool) -> bytes:
    """Appended to an answer's frame it adds who gave it: protobuf joins the parts of a message, later fields winning."""
    kind = JobStarted if job else CallResult
    return encode(kind(request_id="", service_id=service_id))


def _parent_mark(traceparent: str, *, job: bool) -> bytes:
    """The same for a request's frame and the span it comes from; fields that we do not know stay in the frame."""
    kind = StartJob if job else Invoke
    metadata = {"traceparent": traceparent}
    return encode(kind(request_id="", function_id="", payload=b"", traceparent=traceparent, metadata=metadata))
