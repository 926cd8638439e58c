from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Protocol

from croupier.domain.call import Call, Result
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.trace import trace_id_of
from croupier.errors import CroupierError, InvalidArgument, NotFound, OutcomeUnknown, PayloadTooLarge, Unavailable
from croupier.server.dispatch.sending import sent
from croupier.telemetry import Tracer
from croupier.tunnel.frames import CallResult, CancelJob, Invoke, JobAck, JobAnswer, JobQuery, JobStarted, StartJob
from croupier.tunnel.peer import AcceptorPeer

EARLY_EVENTS = 1_000
EARLY_BYTES = 16_000_000
"""How much a plain agent may tell of jobs before it has named them."""


NAMES = 100_000
"""Jobs of one plain agent whose names are remembered."""


class Link(Protocol):
    """The way to one agent. `timeout` is in seconds; whatever fails is raised as a CroupierError."""

    agent_id: str

    @property
    def connected(self) -> bool:
        """There is a way to the agent now."""

    @property
    def usable(self) -> bool:
        """Can take a new call now."""

    @property
    def outstanding(self) -> int:
        """Calls sent that have not ended."""

    async def invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        """`service_id` names the game server that must run it, or is empty for the agent's choice."""

    async def start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
        """The job runs under `call.id`, unless the answer names another id: a plain agent chooses its own."""

    def cancel_job(self, job_id: str, reason: str) -> None:
        """Ask; what became of it shows in the job's events."""

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None:
        """The job's events up to `seq` are stored; with `stop` no more are wanted."""

    async def ask(self, job_id: str, timeout: float) -> JobAnswer:
        """What the agent knows of a job."""

    def pause(self) -> None:
        """Bring no more events until `proceed`; their producers then wait."""

    def proceed(self) -> None: ...


Arrived = Callable[[Link, JobEvent], None]
"""Told of every event of a job, under the name that we gave the job."""


class TunnelLink:
    """An agent that dialled in."""

    def __init__(
        self,
        agent_id: str,
        peer: AcceptorPeer,
        arrived: Arrived,
        tracer: Tracer | None = None,
        names: "JobNames | None" = None,
    ) -> None:
        self.agent_id = agent_id
        self.peer = peer
        self._tracer = tracer
        self._arrived = arrived
        self._names = JobNames() if names is None else names
        self._starting = 0

    @property
    def connected(self) -> bool:
        return self.peer.machine.connected

    @property
    def usable(self) -> bool:
        machine = self.peer.machine
        return machine.connected and not machine.draining

    @property
    def outstanding(self) -> int:
        return self.peer.machine.in_flight

    def invoke(self, call: Call, service_id: str, timeout: float) -> Coroutine[Any, Any, Result]:
        if self._tracer is None:
            return self._invoke(call, service_id, timeout)
        return sent(
            self._tracer, call, self.agent_id, service_id, lambda traced: self._invoke(traced, service_id, timeout)
        )

    async def _invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        frame = Invoke(
            request_id=call.id,
            function_id=call.function_id,
            idempotency_key=call.idempotency_key,
            payload=call.payload,
            metadata=travelling_metadata(call, service_id),
            deadline_ms=_milliseconds(timeout),
            traceparent=call.traceparent,
            game_id=call.scope.game_id,
            env=call.scope.env,
        )
        answer = await self.peer.request(frame, timeout)
        if not isinstance(answer, CallResult):
            raise _mismatch(self.agent_id, answer)
        if answer.error is not None:
            answer.error.spent = (answer.agent_us, answer.handler_us)
            raise self._marked(answer.error, answer.service_id)
        return Result(
            payload=answer.payload,
            service_id=answer.service_id,
            agent_id=self.agent_id,
            agent_us=answer.agent_us,
            handler_us=answer.handler_us,
        )

    def start(self, call: Call, service_id: str, timeout: float) -> Coroutine[Any, Any, JobStarted]:
        if self._tracer is None:
            return self._start(call, service_id, timeout)
        return sent(
            self._tracer, call, self.agent_id, service_id, lambda traced: self._start(traced, service_id, timeout)
        )

    async def _start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
        frame = StartJob(
            request_id=new_id("r"),
            function_id=call.function_id,
            idempotency_key=call.idempotency_key,
            payload=call.payload,
            metadata=travelling_metadata(call, service_id),
            deadline_ms=_milliseconds(call.timeout),
            traceparent=call.traceparent,
            game_id=call.scope.game_id,
            env=call.scope.env,
            job_id=call.id,
        )
        self._starting += 1
        try:
            answer = await self.peer.request(frame, timeout)
            return self._started(call, answer)
        finally:
            self._starting -= 1
            if not self._starting:
                self._names.forget_early()

    def _marked(self, error: CroupierError, service_id: str) -> CroupierError:
        """An agent of ours names the game server that answered; where it names none, "no local handler" is its own word: it
        offered the function when it was chosen, and has lost it since. It is the call that a game server found too large: an
        answer that is, is its failure (docs/reference/agent.md).
        """
        if isinstance(error, NotFound) and not service_id and not self.peer.machine.link.plain:
            gone = Unavailable(f"{error.message}; it was offered a moment ago, nothing ran, try again", error.details)
            gone.spent, gone.unsent = error.spent, True
            return gone
        error.service_id = service_id
        error.unsent = isinstance(error, PayloadTooLarge)
        return error

    def _started(self, call: Call, answer: object) -> JobStarted:
        if not isinstance(answer, JobStarted):
            raise _mismatch(self.agent_id, answer)
        if answer.error is not None:
            raise self._marked(answer.error, answer.service_id)
        if not answer.job_id:
            raise OutcomeUnknown(
                f"agent {self.agent_id} accepted the job without naming it, so it cannot be followed; check what it did"
            )
        if answer.job_id != call.id:
            for event in self._names.name(answer.job_id, call.id):
                self.event(event)
        return answer

    def event(self, event: JobEvent) -> None:
        """What the agent says of a job. Raises InvalidArgument when it says too much of jobs that it has not named."""
        if self.peer.machine.link.plain and self._starting and not self._names.knows(event.job_id):
            self._names.keep_early(event)
            return
        self._arrived(self, self._names.ours(event))

    def pause(self) -> None:
        self.peer.pause()

    def proceed(self) -> None:
        self.peer.proceed()

    def cancel_job(self, job_id: str, reason: str) -> None:
        self.peer.tell(CancelJob(self._names.theirs(job_id), reason))

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None:
        self.peer.tell(JobAck(self._names.theirs(job_id), seq, stop))

    async def ask(self, job_id: str, timeout: float) -> JobAnswer:
        answer = await self.peer.request(JobQuery(new_id("r"), self._names.theirs(job_id)), timeout)
        if not isinstance(answer, JobAnswer):
            raise _mismatch(self.agent_id, answer)
        return answer


class JobNames:
    """A plain agent names its jobs itself, and may tell of one before its answer says which of ours it is.

    The names outlive its sessions, and so do the numbers that its events are given.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        """The last event of each job, under the agent's name for it."""
        self._ours: dict[str, str] = {}
        self._theirs: dict[str, str] = {}
        self._early: defaultdict[str, list[JobEvent]] = defaultdict(list)
        self._early_events = 0
        self._early_bytes = 0

    def knows(self, theirs: str) -> bool:
        return theirs in self._ours

    def theirs(self, ours: str) -> str:
        return self._theirs.get(ours, ours)

    def name(self, theirs: str, ours: str) -> list[JobEvent]:
        """Returns what was told of the job already."""
        self._ours[theirs] = ours
        self._theirs[ours] = theirs
        while len(self._ours) > NAMES:
            oldest = next(iter(self._ours))
            self._theirs.pop(self._ours.pop(oldest), None)
            self.numbers.pop(oldest, None)
        return self._from_one(theirs)

    def _from_one(self, theirs: str) -> list[JobEvent]:
        """The early events; an agent that was started anew may use a name again, and its numbers begin anew."""
        early = [replace(event, seq=seq) for seq, event in enumerate(self._early.pop(theirs, []), 1)]
        if early and early[-1].type in {"done", "error"}:
            self.numbers.pop(theirs, None)
        else:
            self.numbers[theirs] = len(early)
        return early

    def ours(self, event: JobEvent) -> JobEvent:
        """The event under our name for its job; its last one ends the name."""
        ours = self._ours.get(event.job_id)
        if ours is None:
            return event
        if event.type in {"done", "error"}:
            del self._ours[event.job_id]
            self._theirs.pop(ours, None)
        return replace(event, job_id=ours)

    def keep_early(self, event: JobEvent) -> None:
        self._early_events += 1
        self._early_bytes += len(event.payload) + len(event.message)
        if self._early_events > EARLY_EVENTS or self._early_bytes > EARLY_BYTES:
            raise InvalidArgument("bad frame: too many events of jobs whose start was not answered; answer it first")
        self._early[event.job_id].append(event)

    def forget_early(self) -> None:
        """No start is open: what is left belongs to no job of ours."""
        self._early.clear()
        self._early_events = self._early_bytes = 0


def travelling_metadata(call: Call, service_id: str) -> dict[str, str]:
    """The contract's metadata keys (section 3), as game servers and agents read them."""
    metadata = {**call.metadata, "game_id": call.scope.game_id, "env": call.scope.env}
    if call.traceparent:
        metadata["traceparent"] = call.traceparent
        metadata.setdefault("trace_id", trace_id_of(call.traceparent))
    if service_id:
        metadata["route"] = "targeted"
        metadata["target_service_id"] = service_id
    if call.hash_key:
        metadata["hash_key"] = call.hash_key
    if call.version:
        metadata["version"] = call.version
    return metadata


def _milliseconds(timeout: float | None) -> int:
    return 0 if timeout is None else max(1, int(timeout * 1000))


def _mismatch(agent_id: str, answer: object) -> CroupierError:
    if isinstance(answer, CroupierError):
        return answer
    return OutcomeUnknown(
        f"agent {agent_id} answered with the wrong kind of frame ({type(answer).__name__}); check what the function did"
    )
