"""What is old leaves the database: keys are let go of, jobs' events and calls move to the archive, or are deleted.

    a job:  events ─► archive (whole, or not at all) ─► marked as archived ─► events deleted, some at a time
    calls:  some ─► archive ─► deleted, some at a time

Nothing is deleted before the archive has it for good. Killed in between, the next sweep does it again from where the database
stands, and writes the same objects once more. Every change is a small one of the writer's, with a pause after it, so that no
call waits for them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from croupier.domain.job import Job, JobEvent
from croupier.errors import CroupierError
from croupier.server.archive import Archive, day
from croupier.store import CallRecord, Store

log = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds between sweeps."""
PAUSE = 0.02
"""Seconds between two changes."""
KEYS = 500
JOBS = 100
EVENTS = 500
DELETED_CALLS = 100
"""Most of each in one change or reading."""
CALLS = 2_000
CALLS_BYTES = 16_000_000
"""Most calls of one object; it is put together in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """How long, in seconds."""

    calls: float
    jobs: float


class Retention:
    """`clock` gives milliseconds since 1970. Without an archive what is old is deleted."""

    def __init__(
        self, *, store: Store, archive: Archive | None, clock: Callable[[], int], kept: Kept, pause: float = PAUSE
    ) -> None:
        self._store = store
        self._archive = archive
        self._clock = clock
        self._kept = kept
        self._pause = pause

    async def run(self) -> None:
        """Sweep for ever. What the store or the archive refuses is tried again at the next sweep."""
        while True:
            try:
                await self.sweep()
            except CroupierError as error:
                log.warning("what is old could not be moved out of the database, trying again: %s", error.message)
            except Exception:
                log.exception("what is old could not be moved out of the database by a fault of ours, trying again")
            await asyncio.sleep(INTERVAL)

    async def sweep(self) -> None:
        """Everything that is due. Raises CroupierError; what was done until then is done."""
        while await self._store.expire_keys(KEYS):
            await self._breathe()
        now = self._clock()
        while jobs := await self._store.old_jobs(now - int(self._kept.jobs * 1000), JOBS):
            for job in jobs:
                await self._move_job(job)
        while calls := await self._some_calls(now - int(self._kept.calls * 1000)):
            await self._move_calls(calls)

    async def _move_job(self, job: Job) -> None:
        if not job.archived:
            if self._archive is not None:
                await self._archive.keep_job(job, self._story(job))
            await self._store.archive_job(job.id)
        while await self._store.forget_events(job.id, EVENTS):
            await self._breathe()

    async def _story(self, job: Job) -> AsyncIterator[list[JobEvent]]:
        after = 0
        while batch := await self._store.events(job.id, after, EVENTS):
            yield batch
            after = batch[-1].seq

    async def _some_calls(self, before_ms: int) -> list[CallRecord]:
        """The oldest calls, of one day."""
        found: list[CallRecord] = []
        weight = 0
        places = await self._store.old_calls(before_ms, CALLS)
        for place in places:
            if weight > CALLS_BYTES or day(place.time_ms) != day(places[0].time_ms):
                break
            record = await self._store.call(place.id)
            if record is not None:
                found.append(record)
                weight += _weight(record)
        return found

    async def _move_calls(self, records: list[CallRecord]) -> None:
        if self._archive is not None:
            await self._archive.keep_calls(records)
        ids = [record.call.id for record in records]
        for start in range(0, len(ids), DELETED_CALLS):
            await self._store.forget_calls(ids[start : start + DELETED_CALLS])
            await self._breathe()

    async def _breathe(self) -> None:
        await asyncio.sleep(self._pause)


def _weight(record: CallRecord) -> int:
    return len(record.call.payload) + len(getattr(record.outcome, "payload", b""))
