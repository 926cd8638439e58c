"""Opens streams: what of the topics that somebody asks for may be told, and from where on."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from croupier.domain.policy import Within
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, RateLimited
from croupier.server.access.guard import Guard
from croupier.server.bulk import Bulks, Progress
from croupier.server.ears import Ears
from croupier.server.jobs import Jobs
from croupier.server.live.board_feed import RESTARTED, BoardFeed, Sight, Undecided
from croupier.server.live.cursor import Cursor, mark, read_cursor
from croupier.server.live.feed import Feed
from croupier.server.live.frames import JobFrames
from croupier.server.live.hub import Hub
from croupier.server.live.job_feed import JobFeed
from croupier.server.live.pulse import Pulse
from croupier.server.live.reader import Reader
from croupier.server.live.state_feeds import BulkFeed, HealthFeed
from croupier.server.live.topics import APPROVALS, HEALTH, JOB, ONE_BULK, RINGED

MOST_READERS = 4_096
MOST_READERS_EACH = 64
"""Of one session or token: a browser needs one."""

UNREADABLE = "unreadable"


class Live:
    """`shown` writes how a bulk run stands, as JSON."""

    def __init__(
        self,
        *,
        guard: Guard,
        jobs: Jobs,
        bulks: Bulks,
        undecided: Undecided,
        hub: Hub,
        ears: Ears,
        pulse: Pulse,
        shown: Callable[[Progress], bytes],
    ) -> None:
        self._guard = guard
        self._jobs = jobs
        self._bulks = bulks
        self._undecided = undecided
        self._hub = hub
        self._ears = ears
        self._pulse = pulse
        self._shown = shown
        self._frames = JobFrames()
        self._readers: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def reading(
        self, caller: Principal, scope: Scope | None, topics: Sequence[str], last_event_id: str = ""
    ) -> AsyncIterator[Reader]:
        """A stream of `topics`, after the message of that id. Topics that the caller may not read are told in it.

        Raises RateLimited.
        """
        whose = (caller.name, caller.credential)
        if self._readers.total() >= MOST_READERS or self._readers[whose] >= MOST_READERS_EACH:
            raise RateLimited("rate limited: too many streams are open; a browser needs one, so close the others")
        self._readers[whose] += 1
        reader = Reader(self._hub.board.epoch, self._jobs.turns)
        try:
            await self._begin(reader, caller, scope, topics, last_event_id)
            yield reader
        finally:
            await reader.close()
            self._readers[whose] -= 1
            if not self._readers[whose]:
                del self._readers[whose]

    async def _begin(
        self, reader: Reader, caller: Principal, scope: Scope | None, topics: Sequence[str], last_event_id: str
    ) -> None:
        cursor = read_cursor(last_event_id) if last_event_id else None
        if last_event_id and cursor is None:
            for topic in topics:
                reader.reset(topic, UNREADABLE)
        for topic in topics:
            if topic not in RINGED:
                try:
                    await reader.add(await self._one(reader, caller, scope, topic, cursor))
                except CroupierError as error:
                    reader.deny((topic,), error)
        within = await self._within(reader, caller, scope, [topic for topic in topics if topic in RINGED])
        if within:
            sight = Sight(caller=caller, scope=scope, within=within)
            board = BoardFeed(reader.wake, sight=sight, hub=self._hub, undecided=self._undecided, cursor=cursor)
            await reader.add(board)

    async def _one(
        self, reader: Reader, caller: Principal, scope: Scope | None, topic: str, cursor: Cursor | None
    ) -> Feed:
        """Raises CroupierError where the caller may not read it, or there is no such thing."""
        if topic == HEALTH:
            return HealthFeed(reader.wake, pulse=self._pulse, caller=caller, scope=scope)
        if topic.startswith(ONE_BULK):
            bulk_id = topic.removeprefix(ONE_BULK)
            await self._bulks.get(caller, bulk_id)
            make = partial(BulkFeed, topic, reader.wake, bulks=self._bulks, ears=self._ears, shown=self._shown)
            return make(bulk_id=bulk_id)
        job = await self._jobs.readable(caller, topic.removeprefix(JOB))
        after = cursor.jobs.get(mark(topic), 0) if cursor is not None else 0
        if after > job.last_seq:  # a cursor of another store, or of nobody's
            reader.reset(topic, RESTARTED)
            after = 0
        return JobFeed(topic, reader.wake, job=job, after=after, jobs=self._jobs, ears=self._ears, frames=self._frames)

    async def _within(
        self, reader: Reader, caller: Principal, scope: Scope | None, topics: Sequence[str]
    ) -> dict[str, Within | None]:
        """Where the caller may see what, of those topics that he may see at all."""
        found: dict[str, Within | None] = {}
        for topic in topics:
            if topic == APPROVALS:  # one's own may be seen without a permission
                found[topic] = None if caller.root else self._guard.policy.visible(caller, "approvals.read")
                continue
            try:
                found[topic] = await self._guard.where(caller, f"{topic}.read", scope)
            except CroupierError as error:
                reader.deny((topic,), error)
        return found
