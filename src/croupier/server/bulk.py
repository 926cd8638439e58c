"""Bulk runs: a function called once for every row of a file, through the spine. Its life: `domain/bulk.py`.

upload ─► bulk_intake (bulk_file ─► bulk_columns ─► bulk_rows) ─► store
start, confirm, resume ─► bulk_run ─► Calls.invoke, a row at a time ─► store ─► bus "bulk.<id>" ─► followers
"""

import asyncio
import builtins
import logging
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace

from croupier.bus import Bus
from croupier.codes import Code
from croupier.domain import bulk as life
from croupier.domain.approval import Approval
from croupier.domain.bulk import NAME_CHARACTERS, ROW_ENDED, Bulk, BulkRow, BulkState, Counts, Plan, RowState
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound, RateLimited
from croupier.server.access.audit import Act, Audit
from croupier.server.access.guard import Guard
from croupier.server.approvals import ApprovalGate, Current, Grant
from croupier.server.bulk_approval import approved_call, approved_plan
from croupier.server.bulk_intake import BulkIntake, RowFault
from croupier.server.bulk_rows import Format
from croupier.server.bulk_run import BulkRun
from croupier.server.bulk_shown import ShownRows
from croupier.server.calls import Calls
from croupier.server.catalog import Catalog
from croupier.server.news import News
from croupier.store import CallRecord, Store

log = logging.getLogger(__name__)

MOST_RUNNING = 8
MOST_UPLOADS = 4
MOST_BULKS = 10_000
TELL_EVERY = 0.25
"""Seconds between notices of progress."""
EXPORTED = 200
"""Rows of one page of an export."""
RETURN_PATIENCE = 30.0
"""Seconds after a start of the server in which rows are tried on although nothing can be reached yet."""
STOP_PATIENCE = 6.0
"""Seconds that running rows get when the server stops."""

_UNFINISHED = frozenset({BulkState.RUNNING, BulkState.CANCELING, BulkState.PAUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What is said of a file that is sent."""

    function_id: str
    scope: Scope
    kind: Format
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    bulk: Bulk
    counts: Counts
    speed: float = 0.0
    """Rows ended per second, lately."""
    asked: str = ""
    """The request for approval that a draft waits for."""

    @property
    def ended(self) -> int:
        return sum(self.counts.get(state, 0) for state in ROW_ENDED)

    @property
    def left(self) -> int:
        """Rows that are still to end; none of those that are invalid."""
        return self.counts.get(RowState.PENDING, 0) + self.counts.get(RowState.RUNNING, 0)

    @property
    def percent(self) -> int:
        all_rows = self.ended + self.left
        return 100 * self.ended // all_rows if all_rows else 100

    @property
    def eta_seconds(self) -> int | None:
        """None while it does not run, or nothing has ended lately."""
        return math.ceil(self.left / self.speed) if self.speed else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    bulk: Bulk
    asked: str = ""
    """As in `Progress`."""


def topic(bulk_id: str) -> str:
    return f"bulk.{bulk_id}"


class Bulks:
    """`clock` gives milliseconds since 1970. `begin` comes first, `stop` last."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        catalog: Catalog,
        calls: Calls,
        approvals: ApprovalGate,
        current: Current,
        store: Store,
        bus: Bus,
        clock: Callable[[], int],
        news: News | None = None,
    ) -> None:
        self._news = news or News()
        self._approvals = approvals
        self._current = current
        self._guard = guard
        self._audit = audit
        self._catalog = catalog
        self._calls = calls
        self._records = store
        self._store = store.bulk
        self._bus = bus
        self._clock = clock
        self._intake = BulkIntake(catalog, store.bulk)
        self._shown = ShownRows(guard=guard, audit=audit, catalog=catalog)
        self._uploads = 0
        self._runs: dict[str, BulkRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        """Held while a bulk's state is changed, here and in the store."""
        self._due: set[str] = set()
        """Bulks whose followers are about to be told."""
        self._patient_until = 0.0

    # ------------------------------------------------------------------------------------------------ what callers ask

    async def upload(
        self, caller: Principal, upload: Upload, chunks: AsyncIterator[bytes]
    ) -> tuple[Bulk, builtins.list[RowFault]]:
        """Keep the file's rows, each checked; nothing runs. Returns the bulk and the first faults.

        Raises InvalidArgument (the file as a whole is no good, and nothing of it is kept), PayloadTooLarge, RateLimited,
        PermissionDenied (the function is not assigned to the scope), NotFound or Unavailable (nobody has described the function
        or offers it), or what `chunks` raises.
        """
        await self._guard.require(caller, "bulk.upload", upload.scope)
        self._catalog.admit(upload.scope, upload.function_id)
        function = self._catalog.function(upload.scope, upload.function_id)
        if function is None:  # its rows cannot be checked, so it should at least be there
            self._calls.require_offered(upload.scope, upload.function_id)
        elif function.returns == "job":
            raise InvalidArgument(
                f"{upload.function_id} is a job: a bulk runs functions that answer at once",
                {"function": upload.function_id},
                code=Code.BULK_OF_JOBS,
            )
        if self._uploads >= MOST_UPLOADS:
            raise RateLimited(f"rate limited: {MOST_UPLOADS} files are being uploaded; send it again")
        self._uploads += 1
        try:
            bulk = self._draft(upload.function_id, upload.scope, upload.name, caller)
            async with self._act(caller, "bulk.upload", bulk) as act:
                kept, faults = await self._intake.receive(bulk, upload.kind, chunks)
                act.add(rows=kept.rows, sha256=kept.sha256)
                await self._news.bulk(kept.id)
                return kept, faults
        finally:
            self._uploads -= 1

    async def start(
        self,
        caller: Principal,
        bulk_id: str,
        plan: Plan,
        *,
        expected_sha256: str = "",
        dry_run: bool = False,
        said: Mapping[str, str] | None = None,
    ) -> Bulk:
        """Run the bulk in the name of `caller`. A dry run is a bulk of its own with the same rows; this one stays as it is.
        `said` is the caller's reason, ticket and break-glass.

        Raises NotFound, PermissionDenied, FailedPrecondition, RateLimited, AwaitingApproval.
        """
        bulk = await self._asked(caller, "bulk.run", bulk_id)
        self._catalog.admit(bulk.scope, bulk.function_id)
        if expected_sha256 and expected_sha256.lower() != bulk.sha256:
            raise FailedPrecondition(f"the file is another one: its SHA-256 is {bulk.sha256}; look at it again")

        def started(bulk: Bulk) -> Bulk:
            return life.start(bulk, plan, by=caller, now_ms=self._clock())

        if dry_run and not bulk.dry_run:
            started(bulk)  # raises what would be raised once there is a copy
            bulk = await self._dry_copy(caller, bulk)
        started(bulk)
        call = approved_call(bulk, plan, caller, said or {})
        approval = await self._approvals.bulk(caller, call, self._catalog.find(call))
        if approval is None:
            async with self._started(caller, bulk):
                return await self._change(bulk.id, started)
        await self.launch(caller, approval)
        return await self._known(bulk.id)

    # ------------------------------------------------------------------------------------------------ once approved

    async def check(self, caller: Principal, approval: Approval) -> None:
        """Raises CroupierError where the bulk run is not what was approved, or could not be started now."""
        bulk = await self._asked(caller, "bulk.start", approval.call_id)
        self._require_room()
        plan = approved_plan(approval)
        life.start(bulk, plan, by=caller, now_ms=self._clock())
        call = approved_call(bulk, plan, caller, {"reason": approval.reason, "ticket": approval.ticket})
        self._approvals.check_bulk(caller, call, self._catalog.find(call), approval)

    async def launch(self, caller: Principal, approval: Approval) -> None:
        """Start the run that `approval`, which executes, is of; a second time changes nothing. Raises CroupierError."""

        def started(bulk: Bulk) -> Bulk:
            if bulk.approval_id == approval.id:
                return bulk
            plan = approved_plan(approval)
            return life.start(bulk, plan, by=caller, now_ms=self._clock(), approval_id=approval.id)

        async with self._started(caller, await self._known(approval.call_id), approval_id=approval.id):
            await self._change(approval.call_id, started)

    async def is_launched(self, approval: Approval) -> bool:
        return (await self._known(approval.call_id)).approval_id == approval.id

    # ------------------------------------------------------------------------------------------------ steering

    async def confirm(self, caller: Principal, bulk_id: str) -> Bulk:
        """Go on after the canary. Raises NotFound, FailedPrecondition, RateLimited."""
        bulk = await self._asked(caller, "bulk.run", bulk_id)
        async with self._act(caller, "bulk.confirm", bulk):
            return await self._change(bulk_id, life.confirm)

    async def pause(self, caller: Principal, bulk_id: str) -> Bulk:
        """Begin no more rows; those that run end. Raises NotFound, FailedPrecondition."""
        bulk = await self._asked(caller, "bulk.run", bulk_id)
        async with self._act(caller, "bulk.pause", bulk):
            return await self._change(bulk_id, life.pause)

    async def resume(self, caller: Principal, bulk_id: str) -> Bulk:
        """Raises NotFound, FailedPrecondition, RateLimited."""
        bulk = await self._asked(caller, "bulk.run", bulk_id)
        async with self._act(caller, "bulk.resume", bulk):
            return await self._change(bulk_id, life.resume)

    async def cancel(self, caller: Principal, bulk_id: str) -> Bulk:
        """Begin no more rows, for good; those that run end. An ended bulk stays as it is. Raises NotFound."""
        bulk = await self._asked(caller, "bulk.run", bulk_id)
        async with self._act(caller, "bulk.cancel", bulk):
            return await self._change(bulk_id, life.cancel)

    async def rerun(self, caller: Principal, bulk_id: str, *, include_unknown: bool = False) -> Bulk:
        """A new bulk of the rows that failed, to be started on its own; with `include_unknown` also of those that may
        have taken effect.

        Raises NotFound, FailedPrecondition.
        """
        parent = await self._asked(caller, "bulk.run", bulk_id)
        if not parent.ended:
            raise FailedPrecondition(
                f"bulk {bulk_id} is {parent.state.value}: its failures are known when it has ended"
            )
        states = frozenset({RowState.FAILED, RowState.UNKNOWN} if include_unknown else {RowState.FAILED})
        counts = await self._store.counts(bulk_id)
        if not any(counts.get(state) for state in states):
            raise FailedPrecondition(f"no row of bulk {bulk_id} failed: there is nothing to run again")
        child = self._draft(parent.function_id, parent.scope, parent.name, caller)
        async with self._act(caller, "bulk.rerun", parent, child=child.id):
            child = replace(child, parent_id=parent.id, dry_run=parent.dry_run)
            return await self._announced(await self._intake.copy(child, parent, states))

    async def get(self, caller: Principal, bulk_id: str) -> Progress:
        """Raises NotFound."""
        await self._asked(caller, "bulk.read", bulk_id)
        return await self.progress(bulk_id)

    async def list(
        self, caller: Principal, scope: Scope | None, states: frozenset[BulkState], limit: int
    ) -> builtins.list[Listed]:
        """Newest first; no scope is every scope, no states is every state."""
        within = await self._guard.where(caller, "bulk.read", scope)
        found = await self._store.bulks(scope, states, limit, within=within)
        drafts = [bulk.id for bulk in found if _may_wait(bulk)]
        asked = await self._records.approvals.undecided(drafts) if drafts else {}
        return [Listed(bulk=bulk, asked=asked.get(bulk.id, "")) for bulk in found]

    async def rows(
        self,
        caller: Principal,
        bulk_id: str,
        states: frozenset[RowState],
        *,
        after: int,
        limit: int,
        reveal: bool = False,
    ) -> builtins.list[BulkRow]:
        """Ascending, with sensitive values masked; to `reveal` them takes a permission of its own, and is on record.

        Raises NotFound, PermissionDenied.
        """
        bulk = await self._asked(caller, "bulk.read", bulk_id)
        if reveal:
            await self._shown.reveal(caller, bulk)
        return await self._page(bulk, states, after, limit, reveal=reveal)

    async def export(
        self, caller: Principal, bulk_id: str, states: frozenset[RowState], *, reveal: bool = False
    ) -> AsyncIterator[builtins.list[BulkRow]]:
        """All of them, page by page; who asks is asked about now. Raises as `rows`."""
        bulk = await self._asked(caller, "bulk.read", bulk_id)
        if reveal:
            await self._shown.reveal(caller, bulk)
        return self._pages(bulk, states, reveal=reveal)

    async def _pages(
        self, bulk: Bulk, states: frozenset[RowState], *, reveal: bool
    ) -> AsyncIterator[builtins.list[BulkRow]]:
        after = 0
        while True:
            found = await self._page(bulk, states, after, EXPORTED, reveal=reveal)
            yield found
            if len(found) < EXPORTED:
                return
            after = found[-1].row

    async def _page(
        self, bulk: Bulk, states: frozenset[RowState], after: int, limit: int, *, reveal: bool
    ) -> builtins.list[BulkRow]:
        found = await self._store.rows(bulk.id, states, after=after, limit=limit)
        return found if reveal else await self._shown.masked(bulk, found)

    async def follow(self, caller: Principal, bulk_id: str) -> AsyncIterator[Progress]:
        """How it stands, now and whenever that changes, at most every quarter of a second; ends when the bulk has ended.

        Raises NotFound.
        """
        await self._asked(caller, "bulk.read", bulk_id)
        async with self._bus.subscribe(topic(bulk_id)) as notices:
            while True:
                progress = await self.progress(bulk_id)
                yield progress
                if progress.bulk.ended or await anext(notices, None) is None:
                    return

    # ------------------------------------------------------------------------------------------------ how they run

    async def begin(self) -> None:
        """At start: what ran goes on where it was. Calls without a recorded end must have been abandoned before."""
        self._patient_until = asyncio.get_running_loop().time() + RETURN_PATIENCE
        for bulk in await self._store.bulks(None, frozenset({BulkState.UPLOADING}), MOST_BULKS):
            self._spawn(self._store.discard(bulk.id))
        for bulk in await self._store.bulks(None, _UNFINISHED, MOST_BULKS):
            if bulk.state in life.ACTIVE:
                log.info("bulk %s goes on where it was", bulk.id)
                await self._launch(bulk)
            else:
                await self._settle_rows(bulk)

    def halt(self) -> None:
        """The server stops: no row begins any more. At the next start it goes on."""
        for run in self._runs.values():
            run.stop()

    async def stop(self) -> None:
        """Give the running rows a moment to end."""
        self.halt()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_PATIENCE)
        for run in list(self._runs.values()):
            await run.abandon()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settle_rows(self, bulk: Bulk) -> None:
        """Rows that are marked running, but run no more, are told by the records of their calls."""
        while found := await self._store.rows(bulk.id, frozenset({RowState.RUNNING}), after=0, limit=100):
            settled = [self._settled(row, await self._records.call(row.call_id)) for row in found]
            await self._store.record(bulk.id, settled)

    def _settled(self, row: BulkRow, record: CallRecord | None) -> BulkRow:
        if record is None:
            return life.settled(row, None, None, self._clock())
        return life.settled(row, record.state, record.outcome, self._clock())

    def _started(self, caller: Principal, bulk: Bulk, **details: object) -> Act:
        return self._act(
            caller, "bulk.start", bulk, rows=bulk.rows, sha256=bulk.sha256, dry_run=bulk.dry_run, **details
        )

    def _act(self, caller: Principal, action: str, bulk: Bulk, **details: object) -> Act:
        said = {"function_id": bulk.function_id, **details}
        return self._audit.act(caller, action, scope=bulk.scope, target=bulk.id, details=said)

    async def _change(self, bulk_id: str, change: Callable[[Bulk], Bulk]) -> Bulk:
        async with self._changing:
            run = self._runs.get(bulk_id)
            before = run.bulk if run else await self._known(bulk_id)
            after = change(before)
            if after == before:
                return after
            if after.state is BulkState.RUNNING:
                self._require_room()
            await self._store.update(after)
            if run is not None:
                run.bulk = after
                run.wake()
            elif after.state in life.ACTIVE:
                await self._launch(after)
        await self._told(bulk_id)
        return after

    def _require_room(self) -> None:
        if sum(run.bulk.state is BulkState.RUNNING for run in self._runs.values()) >= MOST_RUNNING:
            raise RateLimited(f"rate limited: {MOST_RUNNING} bulks run already; wait for one to end, or pause one")

    async def _launch(self, bulk: Bulk) -> None:
        await self._settle_rows(bulk)
        run = self._runs[bulk.id] = BulkRun(
            bulk,
            Counter(await self._store.counts(bulk.id)),
            calls=self._calls,
            grant=await self._grant(bulk),
            current=self._current,
            store=self._store,
            clock=self._clock,
            patient_until=self._patient_until,
            progressed=self._progressed,
        )
        self._spawn(self._work(run))

    async def _grant(self, bulk: Bulk) -> Grant:
        """What its rows carry: the approval of the run, if it has one; nobody is asked about a row."""
        if not bulk.approval_id:
            return Grant()
        return Grant(approval=await self._records.approvals.approval(bulk.approval_id))

    async def _work(self, run: BulkRun) -> None:
        try:
            while True:
                await run.run()
                async with self._changing:
                    if run.has_news and not run.stopping:
                        continue
                    del self._runs[run.bulk.id]
                    if run.stopping:
                        return
                    await self._conclude(run)
                    break
        except Exception:
            log.exception("bulk %s stands still by a fault of the server: pause and resume it", run.bulk.id)
            await run.abandon()
            self._runs.pop(run.bulk.id, None)
        await self._told(run.bulk.id)

    async def _conclude(self, run: BulkRun) -> None:
        after = life.conclude(run.bulk, run.counts, self._clock())
        if after != run.bulk:
            await run.insisting(lambda: self._store.update(after))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _progressed(self, bulk_id: str) -> None:
        if bulk_id not in self._due:
            self._due.add(bulk_id)
            asyncio.get_running_loop().call_later(TELL_EVERY, self._tell, bulk_id)

    def _tell(self, bulk_id: str) -> None:
        self._due.discard(bulk_id)
        self._spawn(self._told(bulk_id))

    async def _told(self, bulk_id: str) -> None:
        await self._bus.publish(topic(bulk_id), b"")
        await self._news.bulk(bulk_id)

    # ------------------------------------------------------------------------------------------------ what is known

    def _draft(self, function_id: str, scope: Scope, name: str, caller: Principal) -> Bulk:
        return Bulk(
            id=new_id("b"),
            function_id=function_id,
            scope=scope,
            name=name[:NAME_CHARACTERS],
            uploaded_by=caller.name,
            created_ms=self._clock(),
        )

    async def _dry_copy(self, caller: Principal, bulk: Bulk) -> Bulk:
        function = self._catalog.function(bulk.scope, bulk.function_id)
        if function is None or not function.dry_run:
            raise FailedPrecondition(
                f"{bulk.function_id} offers no dry run (semantics.dry_run in its description): "
                "read the rows as they would be sent, or start with a canary"
            )
        child = self._draft(bulk.function_id, bulk.scope, bulk.name, caller)
        rows = frozenset({RowState.PENDING, RowState.INVALID})
        child = replace(child, parent_id=bulk.id, dry_run=True)
        return await self._announced(await self._intake.copy(child, bulk, rows, switch=function.dry_run_parameter))

    async def _announced(self, bulk: Bulk) -> Bulk:
        await self._news.bulk(bulk.id)
        return bulk

    async def _asked(self, caller: Principal, action: str, bulk_id: str) -> Bulk:
        bulk = await self._known(bulk_id)
        await self._guard.require_of(caller, action, bulk.scope, bulk_id, unknown=f"unknown bulk {bulk_id}")
        return bulk

    async def _known(self, bulk_id: str) -> Bulk:
        run = self._runs.get(bulk_id)
        bulk = run.bulk if run else await self._store.bulk(bulk_id)
        if bulk is None:
            raise NotFound(f"unknown bulk {bulk_id}")
        return bulk

    async def progress(self, bulk_id: str) -> Progress:
        """As `get`, for who may read it. Raises NotFound."""
        run = self._runs.get(bulk_id)
        if run is None:
            bulk = await self._known(bulk_id)
            return Progress(bulk=bulk, counts=await self._store.counts(bulk_id), asked=await self._request(bulk))
        speed = run.speed.per_second(asyncio.get_running_loop().time())
        return Progress(bulk=run.bulk, counts=dict(run.counts), speed=speed)

    async def _request(self, bulk: Bulk) -> str:
        """The request for approval that a bulk which has not begun waits for."""
        if not _may_wait(bulk):
            return ""
        latest = await self._records.approvals.latest(bulk.id)
        return "" if latest is None or latest.ended else latest.id


def _may_wait(bulk: Bulk) -> bool:
    """For an approval: it has not begun."""
    return not bulk.started_ms and not bulk.ended
