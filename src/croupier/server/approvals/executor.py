"""What was approved is run, once; what nobody approved in time expires; what a dead process left behind is settled.

    store: approved ──► still the same? ──► spine, with a grant ──► store: executing (one commit with the call's begin) ──► ended
                             │                    │
                             └─ drifted: void     └─ refused before it began: later again, or void

A call begins by compare and set, so whoever comes second, in this process or the next, finds that it did.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from croupier.codes import Code
from croupier.domain import approval as life
from croupier.domain.approval import Approval, ApprovalKind, ApprovalState
from croupier.domain.audit import SYSTEM
from croupier.domain.call import Call, CallState, Outcome, Result, Route
from croupier.domain.principal import Principal
from croupier.errors import Conflict, CroupierError, InternalError, OutcomeUnknown, RateLimited, Unavailable
from croupier.server.access.audit import Audit
from croupier.server.approvals.binding import Foresee
from croupier.server.approvals.changing import Kept, replaced
from croupier.server.approvals.grant import Grant
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.news import News
from croupier.store import Store
from croupier.store.approvals import ApprovalFilter

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between looks for what expired, ended or was left behind; what is approved here is executed at once."""
FORGET_EVERY = 3600.0
AT_ONCE = 16
BATCH = 100
LOOKED_AT = 1_000
"""So many approvals of a state are looked at in one turn: a hundred that wait for their game server must not hide one behind them."""
TRIES = 12
"""How often a call is tried that the platform refuses for the moment, before it is void; while no game server is here that could
run it, until the approval would have expired."""
LONGEST_PAUSE = 60.0
STOP_PATIENCE = 5.0
RETURN_PATIENCE = 30.0
"""Seconds after a start of the server in which it is looked often whether game servers have come back."""


class _Away(Unavailable):
    """No game server is here that could run it."""


Current = Callable[[Principal], Principal]
"""Somebody who asked earlier, as it may act now. Raises CroupierError where it may not any more."""


class Invoked(Protocol):
    async def invoke(self, caller: Principal, call: Call, *, grant: Grant | None = None) -> Result: ...


class Started(Protocol):
    async def start(self, caller: Principal, call: Call, *, grant: Grant | None = None) -> str: ...


class Launched(Protocol):
    async def launch(self, caller: Principal, approval: Approval) -> None:
        """Start the bulk run of an approval that executes; a second time changes nothing. Raises CroupierError."""

    async def is_launched(self, approval: Approval) -> bool: ...

    async def check(self, caller: Principal, approval: Approval) -> None:
        """Raises CroupierError where it is not what was approved, or cannot be started."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Runners:
    """The spine, as far as approvals run something through it."""

    calls: Invoked
    jobs: Started
    bulks: Launched


class Executor:
    """`clock` gives milliseconds since 1970. `run` until cancelled, then `stop`."""

    def __init__(
        self,
        *,
        store: Store,
        outbox: Outbox,
        news: News,
        foresee: Foresee,
        clock: Callable[[], int],
        audit: Audit,
        current: Current,
        retention: float,
    ) -> None:
        """`retention` is seconds for which what has ended is kept."""
        self._records = store
        self._store = store.approvals
        self._kept = Kept(store, outbox, news)
        self._foresee = foresee
        self._clock = clock
        self._audit = audit
        self._current = current
        self._retention_ms = int(retention * 1000)
        self._forget_at = 0.0
        """By the loop's clock."""
        self._news = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """What is executed here now, by approval."""
        self._attempts: dict[str, tuple[int, float]] = {}
        """Of what the platform refused for the moment: how often, and when it is tried again (the loop's clock)."""
        self._patient_until = 0.0

    def wake(self) -> None:
        """Something has been approved."""
        self._news.set()

    async def run(self, runners: Runners) -> None:
        self._patient_until = asyncio.get_running_loop().time() + RETURN_PATIENCE
        while True:
            self._news.clear()
            try:
                await self._look(runners)
                await self._forget()
            except CroupierError as error:
                log.warning("approvals wait, the store refused: %s", error.message)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """What executes gets a moment to end, and is given up then; its call is recorded as every call of a server that
        stops.
        """
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_PATIENCE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, runners: Runners) -> None:
        for approval in await self._store.overdue(self._clock(), BATCH):
            await self._change(approval, lambda now: life.expire(now, self._clock()))
        for approval in await self._of(ApprovalState.EXECUTING):
            if approval.id not in self._tasks:
                await self._settle(approval, runners)
        for approval in await self._of(ApprovalState.APPROVED):
            if len(self._tasks) < AT_ONCE and approval.id not in self._tasks and self._is_due(approval):
                task = asyncio.ensure_future(self._execute(approval, runners))
                self._tasks[approval.id] = task
                task.add_done_callback(partial(self._done, approval.id))

    async def _forget(self) -> None:
        """A batch an hour, or more at once where there are more."""
        now = asyncio.get_running_loop().time()
        if now >= self._forget_at:
            forgotten = await self._store.forget(self._clock() - self._retention_ms, BATCH)
            if forgotten < BATCH:
                self._forget_at = now + FORGET_EVERY

    def _done(self, approval_id: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(approval_id, None)
        self._news.set()  # another may have waited for room

    async def _of(self, state: ApprovalState) -> list[Approval]:
        """The latest LOOKED_AT."""
        which, after = ApprovalFilter(states=frozenset({state})), None
        found: list[Approval] = []
        while len(found) < LOOKED_AT:
            page = await self._store.approvals(which, BATCH, after)
            found += page.items
            if (after := page.next) is None:
                break
        return found

    def _is_due(self, approval: Approval) -> bool:
        return asyncio.get_running_loop().time() >= self._attempts.get(approval.id, (0, 0.0))[1]

    # ------------------------------------------------------------------------------------------------ executing

    async def _execute(self, approval: Approval, runners: Runners) -> None:
        try:
            requester = self._current(approval.requester)
            outcome = await self._run(requester, approval, runners)
        except CroupierError as error:
            outcome = error
        except Exception as error:
            log.exception("approval %s could not be executed", approval.id, extra={"call_id": approval.call_id})
            outcome = InternalError(f"{approval.id} failed inside the server; its log has the details")
            outcome.__cause__ = error
        await self._ended(approval, outcome)

    async def _run(self, requester: Principal, approval: Approval, runners: Runners) -> Outcome:
        """How it ended. Raises CroupierError."""
        call = await self._call(approval)
        if not self._can_be_reached(call):
            # Who describes the function may be away as well; that it is undescribed meanwhile is no drift.
            raise _Away(f"nobody is here who could run {call.function_id}")
        if approval.kind is ApprovalKind.BULK:
            return await self._launch(requester, approval, runners.bulks)
        grant = Grant(approval=approval)
        if approval.kind is ApprovalKind.JOB:
            return Result(payload=(await runners.jobs.start(requester, call, grant=grant)).encode())
        return await runners.calls.invoke(requester, call, grant=grant)

    async def _call(self, approval: Approval) -> Call:
        """What was approved; of a bulk run what stands for its rows. Raises InternalError."""
        if approval.kind is ApprovalKind.BULK:
            function_id, caller = approval.function_id, approval.requester.name
            return Call(id=approval.call_id, function_id=function_id, scope=approval.scope, payload=b"", caller=caller)
        record = await self._records.call(approval.call_id)
        if record is None:
            raise InternalError(f"the call of {approval.id} is not recorded any more")
        return record.call

    async def _launch(self, requester: Principal, approval: Approval, bulks: Launched) -> Outcome:
        await bulks.check(requester, approval)
        executing = life.execute(approval)
        if not await replaced(self._kept, approval, executing):
            raise Conflict(
                f"{approval.id} was executed, or decided otherwise, meanwhile",
                {"approval_id": approval.id, "approval": approval.id},
                code=Code.APPROVAL_CHANGED,
            )
        await bulks.launch(requester, replace(executing, revision=approval.revision + 1))
        return Result(payload=approval.call_id.encode())

    async def _ended(self, approval: Approval, outcome: Outcome) -> None:
        """Note how it went: of a call that began, its outcome; of one that was refused before, why, or that it is tried again."""
        failure = outcome if isinstance(outcome, CroupierError) else None
        now = await self._store.approval(approval.id)
        if now is None or now.ended or (isinstance(failure, Conflict) and failure.details.get("approval_id") == now.id):
            return  # another server executes it, or it was decided otherwise
        if now.state is ApprovalState.EXECUTING:
            if now.kind is ApprovalKind.BULK and isinstance(failure, RateLimited | Unavailable):
                return  # the next look launches it
            self._attempts.pop(approval.id, None)
            await self._change(now, lambda each: life.conclude(each, failure, self._clock()))
        elif failure is not None and not (
            isinstance(failure, RateLimited | Unavailable) and self._later(approval, failure)
        ):
            self._attempts.pop(approval.id, None)
            await self._change(now, lambda each: life.annul(each, failure, self._clock()))

    def _later(self, approval: Approval, why: CroupierError) -> bool:
        """Try again after a pause, twice as long each time. False: it was tried often enough, or its game server has not come
        back for as long as it could have been approved.
        """
        now, (attempts, _) = asyncio.get_running_loop().time(), self._attempts.get(approval.id, (0, 0.0))
        is_away = isinstance(why, _Away)
        if is_away and self._is_early():
            self._attempts[approval.id] = (attempts, now + LOOK_EVERY)
            return True
        attempts = min(attempts + 1, TRIES)
        self._attempts[approval.id] = (attempts, now + min(LONGEST_PAUSE, 0.25 * 2**attempts))
        return attempts < TRIES or (is_away and self._clock() < approval.expires_ms)

    def _is_early(self) -> bool:
        return asyncio.get_running_loop().time() < self._patient_until

    def _can_be_reached(self, call: Call) -> bool:
        if call.route is Route.HASH and not call.hash_key:
            call = replace(call, route=Route.LB)  # its key is in the arguments, and is read when it runs
        return any(candidate.chosen for candidate in self._foresee(call).candidates)

    # ------------------------------------------------------------------------------------------------ settling

    async def _settle(self, approval: Approval, runners: Runners) -> None:
        """One that executes, though not in this process: an earlier one died, or it is a break-glass, whose caller waits."""
        if approval.kind is ApprovalKind.BULK:
            await self._settle_bulk(approval, runners.bulks)
            return
        record = await self._records.call(approval.call_id)
        if record is not None and record.state in {CallState.RUNNING, CallState.WAITING}:
            return
        outcome = OutcomeUnknown("the record of its call is gone") if record is None else record.outcome
        failure = outcome if isinstance(outcome, CroupierError) else None
        await self._change(approval, lambda now: life.conclude(now, failure, self._clock()))

    async def _settle_bulk(self, approval: Approval, bulks: Launched) -> None:
        failure: CroupierError | None = None
        try:
            if not await bulks.is_launched(approval):
                await bulks.launch(approval.requester, approval)
        except (RateLimited, Unavailable):
            return  # at the next look
        except CroupierError as error:
            failure = error
        await self._change(approval, lambda now: life.conclude(now, failure, self._clock()))

    async def _change(self, approval: Approval, change: Callable[[Approval], Approval]) -> None:
        """Once: if somebody else was faster, the next look sees what became of it."""
        try:
            after = change(approval)
        except CroupierError:
            log.debug("approval %s was decided otherwise meanwhile", approval.id)
            return
        if await replaced(self._kept, approval, after):
            facts = {"call_id": after.call_id, "function_id": after.function_id, "message": after.message}
            await self._audit.event(
                SYSTEM, f"approvals.{after.state.value}", scope=after.scope, target=after.id, details=facts
            )
