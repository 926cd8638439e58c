"""A job's story, for a reader that goes on where it was."""

from collections.abc import AsyncIterator, Callable, Sequence

from croupier.bus import Notice
from croupier.domain.job import Job, JobEvent
from croupier.server.ears import Ears
from croupier.server.job_events import reach
from croupier.server.job_events import topic as job_topic
from croupier.server.jobs import Jobs
from croupier.server.live.cursor import job_head
from croupier.server.live.feed import Feed
from croupier.server.live.frames import JobFrames, dumped, frame, line
from croupier.server.recent_events import weight

PORTION_BYTES = 1_000_000
"""Of events, with the one that goes beyond, that are sent at once."""

_LAST = frozenset({"done", "error"})


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
        stored = reach(notice)
        if stored is None:
            self._unsure = True
        else:
            self._stored = max(self._stored, stored)
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
