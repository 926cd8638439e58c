"""One bulk at work.

    store ─ rows ─► waiting ─┬─ pace, concurrency, allowance ─► a task each ─► Calls.invoke ─► store.record ─► counted
                             └─ left: canceled, skipped ──────────────────────► store.record ─► counted

The loop decides what may begin now, begins it, and waits for news: a row that ended, a wish that changed, a turn of the pace.
A row is marked running in the same commit as its call's beginning, or an earlier one, and counts as ended when that is on
disk; so after a kill every row can be told (`domain.bulk.settled`).
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from croupier.domain.bulk import (
    ROW_ENDED,
    Bulk,
    BulkRow,
    BulkState,
    RowState,
    allowance,
    call_of,
    ended,
    released,
)
from croupier.domain.call import Call, Outcome
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.domain.trace import begin_trace
from croupier.errors import CroupierError, RateLimited, Unavailable
from croupier.server.approvals import Current, Grant
from croupier.server.bulk_pace import LONGEST_PAUSE, Pace, Speed, pause_before
from croupier.server.calls import Calls
from croupier.store.bulk import BulkStore

log = logging.getLogger(__name__)

TRIES = 5
PAGE, LEFT_PAGE = 64, 250
"""Rows that are read at once, to be run and to be left; with their arguments they are in memory."""
RETRY_AFTER = 1.0
"""Seconds until what the store refused is tried again."""

_PENDING = frozenset({RowState.PENDING})
T = TypeVar("T")


class BulkRun:
    """`bulk` is its state now; whoever changes it calls `wake`. `clock` gives milliseconds since 1970.

    Until `patient_until` (the loop's clock) a row is tried on, however often nothing ran: after a start of the server its
    agents need a moment to come back.
    """

    def __init__(
        self,
        bulk: Bulk,
        counts: Counter[RowState],
        *,
        calls: Calls,
        grant: Grant,
        current: Current,
        store: BulkStore,
        clock: Callable[[], int],
        patient_until: float,
        progressed: Callable[[str], None],
    ) -> None:
        self.bulk = bulk
        self.counts = counts
        self.speed = Speed()
        self._calls = calls
        self._grant = grant
        self._current = current
        self._store = store
        self._clock = clock
        self._patient_until = patient_until
        self._progressed = progressed
        self._caller = bulk.starter or Principal(name=bulk.started_by)
        self._pace = Pace(bulk.plan.rate)
        self._waiting: deque[BulkRow] = deque()
        self._read_to = 0
        self._flying: dict[asyncio.Task[None], int] = {}
        """The rows that run, by their tasks."""
        self._news = asyncio.Event()
        self._halted = asyncio.Event()
        self._stopping = False

    @property
    def has_news(self) -> bool:
        """Whether something happened that `run` has not looked at."""
        return self._news.is_set()

    @property
    def stopping(self) -> bool:
        return self._stopping

    @property
    def _working(self) -> bool:
        """Whether rows may be begun."""
        return self.bulk.state is BulkState.RUNNING and not self._stopping

    def wake(self) -> None:
        """The bulk's state has changed."""
        if self._working:
            self._halted.clear()
        else:
            self._halted.set()
        self._news.set()

    def stop(self) -> None:
        """The server ends: begin nothing more. What is kept of the bulk stays as it is."""
        self._stopping = True
        self.wake()

    async def abandon(self) -> None:
        """Leave the rows that still run: what became of them is in the records of their calls."""
        tasks = list(self._flying)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self) -> None:
        """Work until no row runs, and none may begin in the state that the bulk is in."""
        while True:
            self._news.clear()
            wait = await self._begin_rows()
            if not self._stopping:
                await self._leave_rows()
            if wait is None and not self._flying and not self.has_news:
                return
            await self._news_within(wait)

    async def _begin_rows(self) -> float | None:
        """Begin what may begin now. Seconds until more may; None when that depends on news."""
        loop = asyncio.get_running_loop()
        while self._has_room():
            if wait := self._pace.wait(loop.time()):
                return wait
            if not await self._read():
                return None
            if self._has_room():  # it may have been paused while the store was read
                self._pace.take(loop.time())
                self._begin(self._waiting.popleft())
        return None

    def _has_room(self) -> bool:
        return (
            self._working and len(self._flying) < self.bulk.plan.concurrency and allowance(self.bulk, self.counts) > 0
        )

    def _begin(self, row: BulkRow) -> None:
        self._count(row, RowState.RUNNING)
        task = asyncio.ensure_future(self._run_row(row))
        self._flying[task] = row.row
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("a row of bulk %s failed inside the server", self.bulk.id, exc_info=fault)
        self._news.set()

    async def _read(self) -> bool:
        """Whether a row waits; reads on in the store when none does."""
        if not self._waiting:
            found = await self.insisting(
                lambda: self._store.rows(self.bulk.id, _PENDING, after=self._read_to, limit=PAGE)
            )
            self._waiting.extend(found)
            self._read_to = found[-1].row if found else self._read_to
        return bool(self._waiting)

    async def _leave_rows(self) -> None:
        """What will not be run is marked: the rest of a bulk that is canceled, the invalid rows of one that is through."""
        if self.bulk.state is BulkState.CANCELING:
            self._waiting.clear()
            await self._leave(RowState.PENDING, RowState.CANCELED)
        elif self.bulk.state is BulkState.RUNNING and not self.counts[RowState.PENDING]:
            await self._leave(RowState.INVALID, RowState.SKIPPED)

    async def _leave(self, left: RowState, state: RowState) -> None:
        after, flying = 0, set(self._flying.values())
        while self.counts[left] and (found := await self._left(left, after)):
            after = found[-1].row
            # One that was begun a moment ago may not be marked so in the store yet.
            await self._move([row for row in found if row.row not in flying], state)

    async def _left(self, state: RowState, after: int) -> list[BulkRow]:
        return await self.insisting(
            lambda: self._store.rows(self.bulk.id, frozenset({state}), after=after, limit=LEFT_PAGE)
        )

    async def _move(self, rows: Sequence[BulkRow], state: RowState) -> None:
        if rows:
            await self._keep([replace(row, state=state, finished_ms=self._clock()) for row in rows], rows)

    # ------------------------------------------------------------------------------------------------ a row

    async def _run_row(self, row: BulkRow) -> None:
        attempt = 0
        while True:
            attempt += 1
            row = replace(row, state=RowState.RUNNING, call_id=new_id("c"), started_ms=row.started_ms or self._clock())
            outcome = await self._outcome(row)
            if not isinstance(outcome, Unavailable | RateLimited) or (
                self._is_last(attempt) and not outcome.retry_after
            ):
                row = replace(row, call_id=outcome.call_id or row.call_id)
                await self._keep([ended(row, outcome, self._clock())], [row])
                return
            # What says when it is worth trying again, a limit or maintenance, is waited for however long it takes.
            wait = min(outcome.retry_after, LONGEST_PAUSE) * random.uniform(1.0, 1.2)  # noqa: S311 — spreads retries, guards nothing
            if await self._halted_within(wait or pause_before(attempt)):
                await self._keep([released(row)], [row])
                self._waiting.appendleft(released(row))
                return

    async def _outcome(self, row: BulkRow) -> Outcome:
        call = call_of(self.bulk, row, row.call_id, begin_trace().traceparent)
        try:
            if self._is_early() and not await self._can_be_reached(call):
                return Unavailable("the server has started and no game server has come back yet")
            await self._store.record(self.bulk.id, [row], durable=False)
            return await self._calls.invoke(self._current(self._caller), call, grant=self._grant)
        except CroupierError as error:
            return error

    async def _can_be_reached(self, call: Call) -> bool:
        found = await self._calls.preview(self._caller, call)
        return any(candidate.chosen for candidate in found.candidates)

    def _is_early(self) -> bool:
        return asyncio.get_running_loop().time() < self._patient_until

    def _is_last(self, attempt: int) -> bool:
        return attempt >= TRIES and not self._is_early()

    async def _keep(self, rows: Sequence[BulkRow], before: Iterable[BulkRow]) -> None:
        """On disk first, then counted."""
        await self.insisting(lambda: self._store.record(self.bulk.id, rows))
        for was, row in zip(before, rows, strict=True):
            self._count(was, row.state)
            if row.state in ROW_ENDED:
                self.speed.note(asyncio.get_running_loop().time())

    def _count(self, row: BulkRow, state: RowState) -> None:
        self.counts[row.state] -= 1
        self.counts[state] += 1
        self._progressed(self.bulk.id)

    # ------------------------------------------------------------------------------------------------ waiting

    async def insisting(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Nothing is lost while the store refuses: the rows wait."""
        while True:
            try:
                return await operation()
            except Unavailable as error:
                log.warning("bulk %s waits, the store refused: %s", self.bulk.id, error.message)
                await asyncio.sleep(RETRY_AFTER)

    async def _halted_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._halted.wait()
        except TimeoutError:
            return False
        return True

    async def _news_within(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
