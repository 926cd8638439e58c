"""What a reader reads: each feed knows how far it came, and says when there may be more."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence

from croupier.bus import Notice
from croupier.domain.job import Job, JobEvent
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.bulk import Bulks, Progress
from croupier.server.bulk import topic as bulk_topic
from croupier.server.job_events import topic as job_topic
from croupier.server.jobs import Jobs
from croupier.server.live.cursor import job_head
from croupier.server.live.ears import Ears
from croupier.server.live.frames import JobFrames, dumped, frame, line, unmoved
from croupier.server.live.pulse import Pulse
from croupier.server.live.topics import HEALTH
from croupier.server.recent_events import weight

PORTION_BYTES = 1_000_000
"""Of a job's events, with the one that goes beyond, that are sent at once."""
BULK_EVERY = 0.25
"""Seconds from one look at a bulk run to the next, at least."""

_LAST = frozenset({"done", "error"})


class Feed(ABC):
    """Of one topic, or several. Used by one task; `wake` is the reader's."""

    head = b""
    """What stands before `seq` in a cursor; empty for one that says how things are, which nobody resumes."""

    def __init__(self, topics: Sequence[str], wake: Callable[[], None]) -> None:
        self.topics = topics
        self.seq = 0
        self.ready = True
        """There may be something to read."""
        self._wake = wake

    @abstractmethod
    async def begin(self) -> None:
        """From now on it says when there is something. Raises CroupierError where the reader may not, or there is no such thing."""

    @abstractmethod
    async def read(self) -> Sequence[bytes]:
        """The next frames, up to a bound; `seq` is that of the last. Raises CroupierError."""

    @abstractmethod
    async def close(self) -> None: ...

    def has_news(self) -> None:
        self.ready = True
        self._wake()


class JobFeed(Feed):
    """A job's events, each once, in order; before them how it stands. `seq` is the number of the last that was told."""

    def __init__(
        self, topic: str, wake: Callable[[], None], *, job: Job, after: int, jobs: Jobs, ears: Ears, frames: JobFrames
    ) -> None:
        super().__init__((topic,), wake)
        self.head = job_head(topic)
        self.seq = after
        self._job = job
        self._jobs = jobs
        self._ears = ears
        self._frames = frames
        self._story: AsyncIterator[list[JobEvent]] | None = None
        """What follows, where it was archived."""
        self._rest: Sequence[JobEvent] = ()
        """Of what was read of that and not sent yet."""
        self._stands = False
        """It was told how the job stands."""
        self._stored = 0
        """How far the store is, as far as was said."""
        self._unsure = True
        """It may be further."""

    async def begin(self) -> None:
        await self._ears.listen(job_topic(self._job.id), self._told)
        self._job = await self._jobs.standing(self._job.id)

    async def read(self) -> Sequence[bytes]:
        if not self._stands:
            self._stands = True
            return [frame(self.seq, line(self.topics[0], "state", _standing(self._job)))]
        self.ready = False
        unsure, self._unsure = self._unsure, False
        events, more = await self._next()
        if not events:
            return ()
        self.seq = events[-1].seq
        if events[-1].type in _LAST:
            self.ready = False
            await self.close()
        elif unsure:
            self.ready = self._unsure = True
        elif more or self.seq < self._stored:
            self.ready = True
        return self._frames.of(self.topics[0], events)

    async def _next(self) -> tuple[Sequence[JobEvent], bool]:
        """What follows, from the archive where it is there; and whether more is known to."""
        if self._story is None:
            if found := await self._jobs.read(self._job.id, self.seq):
                events = _portion(found)
                return events, len(events) < len(found)
            job = await self._jobs.standing(self._job.id)
            if not job.archived or job.last_seq <= self.seq:
                return (), False
            self._story = self._jobs.archived(job, self.seq)
        if not self._rest:
            self._rest = await anext(self._story, [])
        events = _portion(self._rest)
        self._rest = self._rest[len(events) :]
        return events, True

    def _told(self, notice: Notice) -> None:
        if notice.missed or not notice.body:
            self._unsure = True
        else:
            self._stored = max(self._stored, int(notice.body))
        self.has_news()

    async def close(self) -> None:
        self._ears.leave(job_topic(self._job.id), self._told)
        story, self._story = self._story, None
        if story is not None and hasattr(story, "aclose"):
            await story.aclose()


def _portion(events: Sequence[JobEvent]) -> Sequence[JobEvent]:
    """The first of them, as many as are sent at once."""
    size = 0
    for at, each in enumerate(events):
        size += weight(each)
        if size >= PORTION_BYTES:
            return events[: at + 1]
    return events


def _standing(job: Job) -> bytes:
    return dumped(
        {
            "id": job.id,
            "function": job.function_id,
            "game_id": job.scope.game_id,
            "env": job.scope.env,
            "caller": job.caller,
            "state": job.state.value,
            "progress": job.progress,
            "last_seq": job.last_seq,
            "error": job.error,
            "reason": job.reason,
        }
    )


class BulkFeed(Feed):
    """How a bulk run stands, at once and when that changes, four times a second at most."""

    def __init__(
        self,
        topic: str,
        wake: Callable[[], None],
        *,
        bulk_id: str,
        bulks: Bulks,
        ears: Ears,
        shown: Callable[[Progress], bytes],
    ) -> None:
        super().__init__((topic,), wake)
        self._bulk_id = bulk_id
        self._bulks = bulks
        self._ears = ears
        self._shown = shown
        self._pause: asyncio.TimerHandle | None = None
        self._again = False
        """It changed while nobody may look."""

    async def begin(self) -> None:
        await self._ears.listen(bulk_topic(self._bulk_id), self._told)

    async def read(self) -> Sequence[bytes]:
        self.ready = False
        self._pause = asyncio.get_running_loop().call_later(BULK_EVERY, self._over)
        self._again = False
        progress = await self._bulks.progress(self._bulk_id)
        if progress.bulk.ended:
            await self.close()
        return [unmoved(line(self.topics[0], "progress", self._shown(progress)))]

    def _told(self, notice: Notice) -> None:  # noqa: ARG002 — as every listener
        if self._pause is None:
            self.has_news()
        else:
            self._again = True

    def _over(self) -> None:
        self._pause = None
        if self._again:
            self.has_news()

    async def close(self) -> None:
        self._ears.leave(bulk_topic(self._bulk_id), self._told)
        if self._pause is not None:
            self._pause.cancel()


class HealthFeed(Feed):
    """How the platform feels, at once and at every beat."""

    def __init__(self, wake: Callable[[], None], *, pulse: Pulse, caller: Principal, scope: Scope | None) -> None:
        super().__init__((HEALTH,), wake)
        self._pulse = pulse
        self._caller = caller
        self._scope = scope

    async def begin(self) -> None:
        self._pulse.join(self.has_news)

    async def read(self) -> Sequence[bytes]:
        self.ready = False
        return [unmoved(line(HEALTH, "health", await self._pulse.document(self._caller, self._scope)))]

    async def close(self) -> None:
        self._pulse.leave(self.has_news)
