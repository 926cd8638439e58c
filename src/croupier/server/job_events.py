"""Where job events come in: stored first, then acknowledged to the agent and announced to followers.

    link ─ arrived ─► pending ─► store.append (one commit for all that gathered) ─┬─► link.acknowledge
                                                                                 ├─► recent (followers read it from memory)
                                                                                 └─► bus "job.<id>", and news where its state changed

The acknowledgement is the agent's credit: a job cannot have more events under way than its window. A plain peer knows no
window, so the links are not read from while too much waits. Only the agent that a job was given to may tell of it.
"""

import asyncio
import logging
from collections import OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from croupier.bus import Bus, Notice
from croupier.domain.job import Job, JobEvent
from croupier.domain.limits import JOB_MESSAGE_BYTES
from croupier.errors import CroupierError
from croupier.redaction import Redactor, redacted_events
from croupier.server.dispatch.link import Link
from croupier.server.news import News
from croupier.server.recent_events import RecentEvents, weight
from croupier.server.transcode import told
from croupier.store import JobStore
from croupier.transcoding import Codec

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 2_000
BATCH_BYTES = 8_000_000
PENDING = 20_000
PENDING_BYTES = 64_000_000
"""Events waiting for the store, in number and size, past which the links that bring them are not read."""
KNOWN_JOBS = 16_384
RETRY_AFTER = 1.0
"""Seconds until what the store refused is tried again."""

CLOCK_SKEW_MS = 24 * 3600 * 1000
"""An event from further in the future is dated now, or its job would be kept for ever."""

_TYPES = frozenset({"progress", "log", "done", "error"})
_LAST = frozenset({"done", "error"})
_MARK = " … (cut)"


def topic(job_id: str) -> str:
    return f"job.{job_id}"


def reach(notice: Notice) -> int | None:
    """Up to which seq a job's events are stored, by a notice of its topic; None where it says only that there may be more."""
    return None if notice.missed or not notice.body else int(notice.body)


def bounded(event: JobEvent, now_ms: int) -> JobEvent:
    """The event as it is kept: dated, its message cut to its limit, a type that nobody knows as a line of the log."""
    is_dated = 0 < event.time_ms <= now_ms + CLOCK_SKEW_MS
    fits = 4 * len(event.message) <= JOB_MESSAGE_BYTES or len(event.message.encode()) <= JOB_MESSAGE_BYTES
    if fits and event.type in _TYPES and 0 <= event.progress <= 100 and is_dated:
        return event
    return replace(
        event,
        type=event.type if event.type in _TYPES else "log",
        message=event.message if fits else _cut(event.message),
        progress=max(0, min(100, event.progress)),
        time_ms=event.time_ms if is_dated else now_ms,
    )


def _cut(message: str) -> str:
    return message.encode()[: JOB_MESSAGE_BYTES - len(_MARK.encode())].decode(errors="ignore") + _MARK


@dataclass(slots=True)
class _Known:
    """What is remembered of a job: whose events count, and whether there may be any more."""

    agent_id: str
    ended: bool
    codec: Codec | None = None
    """What makes JSON of its result."""
    tail: str = ""
    """The end of what it said, as it came."""


Arrival = tuple[Link, JobEvent]
_Wanted = tuple[Link, JobEvent, _Known]


class JobIntake:
    """`clock` gives milliseconds since 1970; `codec_of` what makes JSON of the result of a job that was started before the server was."""

    def __init__(
        self,
        store: JobStore,
        bus: Bus,
        clock: Callable[[], int],
        codec_of: Callable[[Job], Codec | None] = lambda _: None,
        redactor: Redactor | None = None,
        news: News | None = None,
    ) -> None:
        self._news = news or News()
        self._store = store
        self._bus = bus
        self._clock = clock
        self._codec_of = codec_of
        self._redactor = redactor or Redactor()
        self.recent = RecentEvents()
        self.ended: Callable[[str], None] = _nobody_cares
        """Told the id of every job that ends here; once, or more often."""
        self._pending: deque[Arrival] = deque()
        self._pending_bytes = 0
        self._paused: set[Link] = set()
        self._wake = asyncio.Event()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def expect(self, job_id: str, agent_id: str, codec: Codec | None = None) -> None:
        """The job is about to be given to this agent; nobody else may tell of it."""
        self._remember(job_id, _Known(agent_id, ended=False, codec=codec))

    async def conclude(self, job_id: str, *, reason: str, message: str) -> None:
        """End a job that will send no end of its own; what its agent still tells of it is stopped."""
        known = self._known.get(job_id) or self._remember(job_id, _Known("", ended=True))
        known.ended = True  # first, so that no event of the agent is taken for the end that is being written
        if self._redactor.active:
            message = self._redactor.text(message)
        try:
            await self._store.conclude(job_id, reason=reason, message=message)
        except BaseException:
            self._known.pop(job_id, None)
            raise
        self.ended(job_id)
        await self._bus.publish(topic(job_id), b"")
        await self._news.job(job_id)

    def arrived(self, link: Link, event: JobEvent) -> None:
        event = bounded(event, self._clock())
        self._pending.append((link, event))
        self._pending_bytes += weight(event)
        self._wake.set()
        if (len(self._pending) > PENDING or self._pending_bytes > PENDING_BYTES) and link not in self._paused:
            self._paused.add(link)
            link.pause()

    async def run(self) -> None:
        """Store what arrives, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                await self._keep(self._take())
            for link in self._paused:
                link.proceed()
            self._paused.clear()

    def _take(self) -> list[Arrival]:
        batch: list[Arrival] = []
        size = 0
        while self._pending and len(batch) < BATCH and size < BATCH_BYTES:
            arrival = self._pending.popleft()
            batch.append(arrival)
            size += weight(arrival[1])
        self._pending_bytes -= size
        return batch

    async def _keep(self, batch: Sequence[Arrival]) -> None:
        wanted, unwanted = await self._sorted(batch)
        unnumbered = [(link, event) for link, event, _ in wanted if not event.seq]
        wanted = [arrival for arrival in wanted if arrival[1].seq]
        for at, arrival in enumerate(wanted):
            if arrival[2].codec is not None and arrival[1].type == "done":
                wanted[at] = arrival[0], await told(arrival[2].codec, arrival[1]), arrival[2]
        if self._redactor.active:
            wanted = self._redacted(wanted)
        stored = await self._append([event for _, event, _ in wanted]) if wanted else {}
        newest: dict[str, Link] = {}
        for link, event, known in wanted:
            if known.ended and (event.job_id not in newest or event.seq > stored[event.job_id]):
                unwanted[link, event.job_id] = event.seq  # concluded meanwhile, or told after the job's own end
                continue
            newest[event.job_id] = link
            if event.seq <= stored[event.job_id]:
                self.recent.add(event)
                if event.type in _LAST:
                    known.ended = True
                    self.ended(event.job_id)
        for job_id, link in newest.items():
            link.acknowledge(job_id, stored[job_id])
            await self._bus.publish(topic(job_id), str(stored[job_id]).encode())
        for job_id in {event.job_id for _, event, _ in wanted if event.seq == 1 or event.type in _LAST}:
            await self._news.job(job_id)
        for link, event in unnumbered:
            await self._end_unnumbered(event)
            unwanted[link, event.job_id] = event.seq
        for (link, job_id), seq in unwanted.items():
            link.acknowledge(job_id, seq, stop=True)

    def _redacted(self, wanted: Sequence[_Wanted]) -> list[_Wanted]:
        """Job by job: a secret may be cut by the end of a line."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for at, (_, event, _) in enumerate(wanted):
            places[event.job_id].append(at)
        found = list(wanted)
        for at_once in places.values():
            known = wanted[at_once[0]][2]
            events, known.tail = redacted_events(self._redactor, [wanted[at][1] for at in at_once], known.tail)
            for at, event in zip(at_once, events, strict=True):
                found[at] = wanted[at][0], event, wanted[at][2]
        return found

    async def _end_unnumbered(self, event: JobEvent) -> None:
        """An agent that was restarted ends a job of which it does not know how far it had come."""
        await _insisting(lambda: self.conclude(event.job_id, reason=event.reason, message=event.message))

    async def _sorted(self, batch: Sequence[Arrival]) -> tuple[list[_Wanted], dict[tuple[Link, str], int]]:
        """Those to store; and up to which seq those of jobs that have ended, or that are none of their sender's."""
        wanted: list[_Wanted] = []
        unwanted: dict[tuple[Link, str], int] = {}
        for link, event in batch:
            known = self._known.get(event.job_id) or await self._look_up(event.job_id)
            if known is not None and known.agent_id == link.agent_id and not known.ended:
                wanted.append((link, event, known))
            else:
                unwanted[link, event.job_id] = event.seq
        return wanted, unwanted

    async def _look_up(self, job_id: str) -> _Known | None:
        job = await _insisting(lambda: self._store.job(job_id))
        if job is None:
            return None
        return self._remember(job_id, _Known(job.agent_id, job.ended, None if job.ended else self._codec_of(job)))

    def _remember(self, job_id: str, known: _Known) -> _Known:
        self._known[job_id] = known
        while len(self._known) > KNOWN_JOBS:
            self._known.popitem(last=False)
        return known

    async def _append(self, events: list[JobEvent]) -> dict[str, int]:
        return await _insisting(lambda: self._store.append(events))


def _nobody_cares(_job_id: str) -> None:
    pass


async def _insisting(operation: Callable[[], Awaitable[T]]) -> T:
    """Nothing is dropped while the store refuses: the agents hold what is not acknowledged, and their producers wait."""
    while True:
        try:
            return await operation()
        except CroupierError as error:
            log.warning("job events wait, the store refused: %s", error.message)
            await asyncio.sleep(RETRY_AFTER)
