"""Which of a job's events go through the spool, and when.

An attached game server keeps its events itself until the server has them, and sends them again. They are spooled once it is gone,
and while no server takes them: agent and game server may end together. What nobody would send again is on disk before it goes up:
the events of game servers that listen, which this agent numbers, and the ends that the agent itself writes.
"""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from croupier.agent.spool import KeptJob, Spool, Then
from croupier.agent.tracked_job import TrackedJob
from croupier.domain.job import JobEvent
from croupier.errors import InvalidArgument, Unavailable
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.frames import JobEvents


class Told(NamedTuple):
    """How far the telling of a game server that listens was heard."""

    place: int = 0
    first: bytes = b""
    """What tells its first event from others."""


def event_of(frame: bytes) -> JobEvent:
    """The event in a frame that was kept. Raises InvalidArgument for any other."""
    decoded = decode(parse(frame))
    if not isinstance(decoded, JobEvents):
        raise InvalidArgument(f"bad frame: {type(decoded).__name__} was kept as an event")
    return decoded.event


@dataclass(slots=True, eq=False)
class JobKeeper:
    spool: Spool

    def placed(self, job: TrackedJob, then: Then | None) -> None:
        """Keep where the job runs; `then` is told."""
        kept = KeptJob(
            job_id=job.job_id,
            function_id=job.function_id,
            service_id=job.service_id,
            incarnation=job.incarnation,
            listens=job.listens,
            remote_id=job.remote_id,
            deadline_ms=job.deadline_ms,
        )
        self.spool.keep_job(kept, then)

    async def named(self, job: TrackedJob) -> None:
        """Keep the name that its game server gave it. Raises Unavailable."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def then(refusal: Unavailable | None) -> None:
            if not written.done():
                written.set_result(None) if refusal is None else written.set_exception(refusal)

        self.placed(job, then)
        await written

    def deliver(self, job: TrackedJob, event: JobEvent, raw: bytes, told: Told) -> None:
        """To the job's sink, once it is on disk."""
        frame = raw or encode(JobEvents(event))
        job.spooled = True
        job.secured = max(job.secured, event.seq)
        self.spool.keep_events(
            job.job_id,
            [(event.seq, frame)],
            place=told.place,
            first=told.first,
            then=lambda _: job.sink.deliver(event, frame),
        )

    def secure(self, job: TrackedJob) -> None:
        """Its game server is gone, or drops it, or no server is there: what the sink still holds of it must not depend on this
        process.
        """
        waiting = [each for each in job.sink.waiting(job.job_id) if each[0] > job.secured]
        if waiting:
            if self.spool.full:
                return
            job.spooled = True
            self.spool.keep_events(job.job_id, waiting)
        job.secured = max(job.secured, job.last_seq)

    def copy(self, job: TrackedJob, event: JobEvent, raw: bytes) -> None:
        """Have an event on disk, too, that goes to the sink at once. None that comes after one for which there was no room: the
        next process could not tell the gap.
        """
        if event.seq == job.secured + 1 and not self.spool.full:
            job.spooled = True
            job.secured = event.seq
            self.spool.keep_events(job.job_id, [(event.seq, raw or encode(JobEvents(event)))])

    def acknowledged(self, job: TrackedJob, seq: int) -> None:
        if job.spooled:
            self.spool.acknowledged(job.job_id, seq)

    def forget(self, job: TrackedJob) -> None:
        self.spool.forget(job.job_id)
