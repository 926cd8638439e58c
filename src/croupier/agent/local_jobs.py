"""Jobs that callers on this machine started: their stories are kept here, in memory, until a while after their end.

    Jobs ─ deliver ─► the story ─► any number of followers, each from the event it asks for

Nothing of a story is ever dropped while it runs. One that outgrows its bounds ends: its job is canceled and fails with an
error that says so. Longer stories belong to jobs started through the server, which keeps them on disk.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from croupier.agent.jobs import Jobs
from croupier.agent.tracked_job import ended_state
from croupier.domain.job import JobEvent
from croupier.errors import NotFound, RateLimited

log = logging.getLogger(__name__)

STORIES = 1_000
STORY_EVENTS = 10_000
STORY_BYTES = 16_000_000
ALL_BYTES = 256_000_000
KEPT = 600.0
"""Seconds that a story can be read after its end."""
ACK_EVERY = 64
"""Events between acknowledgements: a quarter of the window."""


@dataclass(kw_only=True, slots=True, eq=False)
class Story:
    job_id: str
    events: list[JobEvent] = field(default_factory=list)
    size: int = 0
    ended_at: float | None = None
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def end(self) -> JobEvent | None:
        return self.events[-1] if self.ended_at is not None else None

    @property
    def state(self) -> str:
        if self.end is not None:
            return ended_state(self.end)
        return "running" if self.events else "pending"

    def full(self) -> bool:
        return len(self.events) >= STORY_EVENTS or self.size >= STORY_BYTES


class LocalJobs:
    full = False
    """Never: a story has bounds of its own."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._loop = asyncio.get_running_loop()
        self._stories: OrderedDict[str, Story] = OrderedDict()
        self._size = 0

    def open(self, job_id: str) -> None:
        """Begin a story. Raises RateLimited when too many run or hold too much."""
        self.sweep()
        if len(self._stories) >= STORIES or self._size >= ALL_BYTES:
            self._drop_oldest_ended()
        if len(self._stories) >= STORIES or self._size >= ALL_BYTES:
            raise RateLimited("rate limited: this agent keeps too many jobs of local callers; try again later")
        self._stories[job_id] = Story(job_id=job_id)

    def discard(self, job_id: str) -> None:
        """The job was not started after all."""
        story = self._stories.pop(job_id, None)
        if story is not None:
            self._size -= story.size

    def sweep(self) -> None:
        """Drop the stories that ended long enough ago."""
        now = self._loop.time()
        for story in list(self._stories.values()):
            if story.ended_at is not None and now - story.ended_at >= KEPT:
                self.discard(story.job_id)

    def _drop_oldest_ended(self) -> None:
        ended = [story for story in self._stories.values() if story.ended_at is not None]
        for story in sorted(ended, key=lambda each: each.ended_at or 0.0):
            if len(self._stories) < STORIES and self._size < ALL_BYTES:
                return
            self.discard(story.job_id)

    # ------------------------------------------------------------------------------------------------ writing

    def deliver(self, event: JobEvent, raw: bytes) -> None:  # noqa: ARG002 — a sink's signature; the story holds values
        story = self._stories.get(event.job_id)
        if story is None:
            self._jobs.acknowledged(event.job_id, event.seq, stop=True)
            return
        ends = event.type in {"done", "error"}
        size = len(event.payload) + len(event.message)
        story.events.append(event)
        story.size += size
        self._size += size
        if ends:
            story.ended_at = self._loop.time()
        grew, story.grew = story.grew, asyncio.Event()
        grew.set()
        if ends or event.seq % ACK_EVERY == 0:
            self._jobs.acknowledged(event.job_id, event.seq)
        if not ends and story.full():
            self._end_overlong(story)

    def _end_overlong(self, story: Story) -> None:
        job = self._jobs.get(story.job_id)
        if job is None:
            return
        self._jobs.end(
            job,
            stop=True,
            reason="failed_precondition",
            message=f"the job told more than {STORY_EVENTS} events or {STORY_BYTES} bytes, which is all an agent keeps of "
            "a local caller's job; it was canceled. Start such jobs through the server",
        )

    def waiting(self, job_id: str) -> Sequence[tuple[int, bytes]]:  # noqa: ARG002 — a sink's signature
        """Nothing: these stories are kept in memory only."""
        return ()

    # ------------------------------------------------------------------------------------------------ reading

    def story(self, job_id: str) -> Story:
        """Raises NotFound ("unknown job …")."""
        story = self._stories.get(job_id)
        if story is None:
            raise NotFound(
                f"unknown job {job_id[:256]}: no local caller of this agent started it, or it ended more than "
                f"{KEPT / 60:.0f} minutes ago; jobs started through the server are followed there"
            )
        return story

    async def follow(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        """Every event with a seq above `after`, from the first to the last, as they come. Raises NotFound."""
        story = self.story(job_id)
        place = min(after, len(story.events))
        while True:
            while place < len(story.events):
                place += 1
                yield story.events[place - 1]
            if story.ended_at is not None:
                return
            await story.grew.wait()
