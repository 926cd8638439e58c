"""Jobs within one transaction: where each stands, and what has to be written about it."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from croupier.domain.job import Job, JobEvent, advance
from croupier.store.sql import queries, rows, statements
from croupier.store.sql.writes import Append, Conclude


class KnownJobs:
    """Where the jobs last written stand, as committed. Belongs to the writer thread."""

    def __init__(self, size: int = 4096) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._size = size

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def keep(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._jobs[job.id] = job
            self._jobs.move_to_end(job.id)
        while len(self._jobs) > self._size:
            self._jobs.popitem(last=False)


class Ledger:
    """Follows jobs through one transaction. `settle` hands on to `KnownJobs`, after the commit only."""

    def __init__(self, connection: Connection, known: KnownJobs) -> None:
        self._connection = connection
        self._known = known
        self._jobs: dict[str, Job] = {}
        self._advanced: dict[str, Job] = {}
        self._events: list[JobEvent] = []
        self.ended: list[Job] = []
        """In this transaction."""

    def create(self, jobs: list[Job]) -> None:
        statements.INSERT_JOBS.run(self._connection, [rows.job_row(job) for job in jobs])
        self._jobs.update((job.id, job) for job in jobs)

    def append(self, append: Append) -> dict[str, int]:
        reached: dict[str, int] = {}
        for event in append.events:
            job = self._job(event.job_id)
            if job is not None and event.seq == job.last_seq + 1 and not job.ended:
                job = self._advance(job, event)
            reached[event.job_id] = 0 if job is None else job.last_seq
        return reached

    def conclude(self, conclude: Conclude) -> None:
        job = self._job(conclude.job_id)
        if job is not None and not job.ended:
            event = JobEvent(
                job_id=job.id,
                seq=job.last_seq + 1,
                type="error",
                message=conclude.message,
                reason=conclude.reason,
                time_ms=conclude.time_ms,
            )
            self._advance(job, event)

    def write(self) -> None:
        statements.INSERT_EVENTS.run(self._connection, [rows.event_row(event) for event in self._events])
        statements.ADVANCE_JOBS.run(self._connection, [rows.progress_row(job) for job in self._advanced.values()])
        self._events.clear()

    def settle(self) -> None:
        self._known.keep(self._jobs.values())

    def _job(self, job_id: str) -> Job | None:
        job = self._jobs.get(job_id)
        if job is None:
            job = self._known.get(job_id) or queries.bare_job(self._connection, job_id)
            if job is not None:
                self._jobs[job_id] = job
        return job

    def _advance(self, job: Job, event: JobEvent) -> Job:
        job = advance(job, event)
        if job.payload:  # it is in the event; a result of megabytes must not stay in memory
            job = replace(job, payload=b"")
        self._jobs[job.id] = self._advanced[job.id] = job
        self._events.append(event)
        if job.ended:
            self.ended.append(job)
        return job
