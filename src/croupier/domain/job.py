"""The life of a job.

    pending ──► running ──► succeeded | failed | canceled | lost
       └──────────────────► failed | canceled | lost          (it never started)

It runs once its game server has accepted it, or an event says so. Ended states are final and follow from the events, so a job's
story and its end cannot disagree.
"""

from dataclasses import replace
from enum import StrEnum

from croupier.domain.scope import Scope
from croupier.domain.values import value


class JobState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    LOST = "lost"


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.LOST})
UNFINISHED = frozenset(JobState) - ENDED


@value(frozen=True, kw_only=True, slots=True)
class JobEvent:
    """One line of a job's story. `type` is progress, log, done or error (the contract's four)."""

    job_id: str
    seq: int
    type: str
    message: str = ""
    progress: int = 0
    payload: bytes = b""
    reason: str = ""
    """For `error`: one of the reasons of `croupier.errors`; `canceled` and `lost` decide the job's last state."""
    time_ms: int = 0


@value(frozen=True, kw_only=True, slots=True)
class Job:
    id: str
    function_id: str
    scope: Scope
    caller: str
    state: JobState = JobState.PENDING
    last_seq: int = 0
    progress: int = 0
    payload: bytes = b""
    """The result, once succeeded."""
    error: str = ""
    reason: str = ""
    agent_id: str = ""
    service_id: str = ""
    cancel_reason: str = ""
    """Why it was asked to stop, if it was."""
    created_ms: int = 0
    finished_ms: int = 0
    archived: bool = False
    """Its events, and its result with them, were moved to the archive, or deleted where nothing is archived."""

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def advance(job: Job, event: JobEvent) -> Job:
    """The job after `event`. An event that comes after the end, or a second time, changes nothing."""
    if job.ended or event.seq <= job.last_seq:
        return job
    job = replace(job, last_seq=event.seq, state=JobState.RUNNING)
    match event.type:
        case "progress":
            return replace(job, progress=max(0, min(100, event.progress)))
        case "done":
            return replace(
                job,
                state=JobState.SUCCEEDED,
                progress=100,
                payload=event.payload,
                finished_ms=event.time_ms,
            )
        case "error":
            return replace(
                job, state=state_after(event), error=event.message, reason=event.reason, finished_ms=event.time_ms
            )
        case _:
            return job


def state_after(event: JobEvent) -> JobState:
    """Of a job that had not ended before."""
    match event.type:
        case "done":
            return JobState.SUCCEEDED
        case "error":
            return {"canceled": JobState.CANCELED, "lost": JobState.LOST}.get(event.reason, JobState.FAILED)
        case _:
            return JobState.RUNNING
