from dataclasses import replace
from typing import Protocol

from croupier.domain.call import Call, Result
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, OutcomeUnknown
from croupier.tunnel.frames import CallResult, CancelJob, Invoke, JobAck, JobAnswer, JobQuery, JobStarted, StartJob
from croupier.tunnel.peer import AcceptorPeer


class Link(Protocol):
    """The way to one agent. `timeout` is in seconds; whatever fails is raised as a CroupierError."""

    agent_id: str

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

    def own(self, event: JobEvent) -> JobEvent:
        """An event that came this way, under the name that we gave its job."""

    def pause(self) -> None:
        """Bring no more events until `proceed`; their producers then wait."""

    def proceed(self) -> None: ...


class TunnelLink:
    """An agent that dialled in."""

    def __init__(self, agent_id: str, peer: AcceptorPeer) -> None:
        self.agent_id = agent_id
        self.peer = peer
        self._ours: dict[str, str] = {}
        self._theirs: dict[str, str] = {}
        """A plain agent names its jobs itself: its name by ours, ours by its."""

    @property
    def usable(self) -> bool:
        machine = self.peer.machine
        return machine.connected and not machine.draining

    @property
    def outstanding(self) -> int:
        return self.peer.machine.in_flight

    async def invoke(self, call: Call, service_id: str, timeout: float) -> Result:
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
            raise answer.error
        return Result(payload=answer.payload, service_id=answer.service_id, agent_id=self.agent_id)

    async def start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
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
        answer = await self.peer.request(frame, timeout)
        if not isinstance(answer, JobStarted):
            raise _mismatch(self.agent_id, answer)
        if answer.error is not None:
            raise answer.error
        if answer.job_id != call.id:
            self._ours[answer.job_id] = call.id
            self._theirs[call.id] = answer.job_id
        return answer

    def own(self, event: JobEvent) -> JobEvent:
        """The event under the name that we gave its job."""
        ours = self._ours.get(event.job_id)
        if ours is None:
            return event
        if event.type in {"done", "error"}:
            del self._ours[event.job_id]
            del self._theirs[ours]
        return replace(event, job_id=ours)

    def pause(self) -> None:
        self.peer.pause()

    def proceed(self) -> None:
        self.peer.proceed()

    def cancel_job(self, job_id: str, reason: str) -> None:
        self.peer.tell(CancelJob(self._theirs.get(job_id, job_id), reason))

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None:
        self.peer.tell(JobAck(self._theirs.get(job_id, job_id), seq, stop))

    async def ask(self, job_id: str, timeout: float) -> JobAnswer:
        answer = await self.peer.request(JobQuery(new_id("r"), self._theirs.get(job_id, job_id)), timeout)
        if not isinstance(answer, JobAnswer):
            raise _mismatch(self.agent_id, answer)
        return answer


def travelling_metadata(call: Call, service_id: str) -> dict[str, str]:
    """The contract's metadata keys (section 3), as game servers and agents read them."""
    metadata = {**call.metadata, "game_id": call.scope.game_id, "env": call.scope.env}
    if call.traceparent:
        metadata["traceparent"] = call.traceparent
        metadata.setdefault("trace_id", call.traceparent[3:35])
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
