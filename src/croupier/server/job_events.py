"""Where job events come in: stored first, then acknowledged to the agent and announced to followers.

    link ─ arrived ─► pending ─► store.append (one commit for all that gathered) ─┬─► link.acknowledge
                                                                                 ├─► recent (followers read it from memory)
                                                                                 └─► bus "job.<id>"

The acknowledgement is the agent's credit: a job cannot have more events under way than its window, so what waits here is
bounded by the number of jobs; a plain peer knows no window, and is not read from while too much of its waits.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence

from croupier.bus import Bus
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError
from croupier.server.dispatch.link import Link
from croupier.store import JobStore

log = logging.getLogger(__name__)

BATCH = 2_000
PENDING_HIGH = 20_000
"""Events waiting for the store past which the links that bring them are not read."""
RECENT_EVENTS = 1_024
RECENT_BYTES = 4_000_000
RECENT_JOBS = 256
RETRY_AFTER = 1.0
"""Seconds until a refused append is tried again."""


def topic(job_id: str) -> str:
    return f"job.{job_id}"


class RecentEvents:
    """The newest stored events of the jobs that had some lately, so that followers need not all read the store."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, deque[JobEvent]] = OrderedDict()

    def add(self, event: JobEvent) -> None:
        """Events of a job come in order; a gap starts over."""
        events = self._jobs.get(event.job_id)
        if events is None or events[-1].seq + 1 < event.seq:
            events = self._jobs[event.job_id] = deque()
            if len(self._jobs) > RECENT_JOBS:
                self._jobs.popitem(last=False)
        elif events[-1].seq >= event.seq:
            return
        events.append(event)
        self._jobs.move_to_end(event.job_id)

    def trim(self, job_id: str) -> None:
        events = self._jobs.get(job_id)
        if events is None:
            return
        size = sum(len(event.payload) + len(event.message) for event in events)
        while len(events) > 1 and (len(events) > RECENT_EVENTS or size > RECENT_BYTES):
            dropped = events.popleft()
            size -= len(dropped.payload) + len(dropped.message)

    def after(self, job_id: str, seq: int, limit: int) -> list[JobEvent]:
        """The events that follow `seq` directly; nothing when they are not all here."""
        events = self._jobs.get(job_id)
        if not events or events[0].seq > seq + 1 or events[-1].seq <= seq:
            return []
        start = seq + 1 - events[0].seq
        return [events[index] for index in range(start, min(len(events), start + limit))]


class JobIntake:
    def __init__(self, store: JobStore, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self.recent = RecentEvents()
        self._pending: deque[tuple[Link, JobEvent]] = deque()
        self._paused: set[Link] = set()
        self._wake = asyncio.Event()

    def arrived(self, link: Link, event: JobEvent) -> None:
        self._pending.append((link, event))
        self._wake.set()
        if len(self._pending) > PENDING_HIGH and link not in self._paused:
            self._paused.add(link)
            link.pause()

    async def run(self) -> None:
        """Store what arrives, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
                await self._keep(batch)
            for link in self._paused:
                link.proceed()
            self._paused.clear()

    async def _keep(self, batch: Sequence[tuple[Link, JobEvent]]) -> None:
        events = [link.own(event) for link, event in batch]
        stored = await self._append(events)
        newest: dict[str, tuple[Link, int]] = {}
        for (link, _), event in zip(batch, events, strict=True):
            if event.seq <= stored.get(event.job_id, 0):
                self.recent.add(event)
            newest[event.job_id] = (link, event.seq)
        for job_id, (link, seq) in newest.items():
            await self._acknowledge(link, job_id, seq, stored.get(job_id, 0))

    async def _append(self, events: list[JobEvent]) -> dict[str, int]:
        while True:
            try:
                return await self._store.append(events)
            except CroupierError as error:
                # Nothing is dropped: the agents hold what is not acknowledged, and their producers wait.
                log.warning("job events wait, the store refused them: %s", error.message)
                await asyncio.sleep(RETRY_AFTER)

    async def _acknowledge(self, link: Link, job_id: str, seq: int, stored: int) -> None:
        if seq > stored:
            job = await self._store.job(job_id)
            unwanted = job is None or job.ended
            link.acknowledge(job_id, seq if unwanted else stored, stop=unwanted)
        else:
            link.acknowledge(job_id, stored)
        self.recent.trim(job_id)
        await self._bus.publish(topic(job_id), str(stored).encode())
