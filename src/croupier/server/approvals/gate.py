"""Where a call that needs somebody else's approval is held, and where a granted one passes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from croupier.codes import Code
from croupier.domain.approval import TICKET_CHARACTERS, Approval, ApprovalKind, ApprovalState, ReviewState, text
from croupier.domain.audit import Note
from croupier.domain.binding import Bound, changed_field, changed_words, drift
from croupier.domain.call import Call, CallState
from croupier.domain.demand import Demand, named
from croupier.domain.entity import Subject
from croupier.domain.identifiers import new_id
from croupier.domain.notice import Event
from croupier.domain.principal import Principal
from croupier.errors import AwaitingApproval, FailedPrecondition, InvalidArgument, RateLimited
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.approvals.binding import Foresee, bind, description_of
from croupier.server.approvals.grant import Grant
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.approvals.rules import Rules
from croupier.server.catalog import Entry
from croupier.server.news import News
from croupier.store import CallRecord, Store

REASON, TICKET, BREAK_GLASS = "reason", "ticket", "break_glass"
"""In a call's metadata: what its caller says about it. They reach the game server and the record with the rest."""

MOST_PENDING = 1_000
"""Of one person; more have to be decided, or withdrawn, first."""


class Drifted(FailedPrecondition):
    """What was approved is not what would run now."""


class Passed(NamedTuple):
    """How a call may go on."""

    approval: Approval | None = None
    """What it begins with (`CallStore.begin`)."""
    earlier: CallRecord | None = None
    """Its idempotency key was used before: this is the answer, and nothing is begun."""


PASSED = Passed()


class ApprovalGate:
    """`clock` gives milliseconds since 1970."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        store: Store,
        rules: Rules,
        foresee: Foresee,
        outbox: Outbox,
        news: News,
        clock: Callable[[], int],
    ) -> None:
        self._news = news
        self.rules = rules
        self._guard = guard
        self._audit = audit
        self._store = store
        self._foresee = foresee
        self._outbox = outbox
        self._clock = clock

    def concerns(self, entry: Entry) -> bool:
        """Whether a call of it can need an approval at all; most cannot, and pay for this question only."""
        return entry.approvable or self.rules.any

    def needed(
        self, caller: Principal, call: Call, entry: Entry, extra: Sequence[Demand] = (), *, for_rows: bool = False
    ) -> Demand | None:
        """What has to be approved, and by whom; None where nothing has."""
        return self.rules.demand(caller, call, entry, extra=extra, for_rows=for_rows)

    async def pass_through(
        self,
        caller: Principal,
        call: Call,
        entry: Entry,
        *,
        kind: ApprovalKind,
        about: Sequence[Subject] = (),
        note: Note | None = None,
        grant: Grant | None = None,
        extra: Sequence[Demand] = (),
    ) -> Passed:
        """Ask for an approval where one is needed, and none was granted. `note` goes on record with what waits.

        Raises AwaitingApproval once the request is on disk, Drifted where the grant holds no longer, InvalidArgument where
        a reason or ticket is missing, PermissionDenied for a break-glass without the permission.
        """
        if grant is not None and not grant.is_for_rows:
            return self._granted(caller, call, entry, kind, grant)
        demand = self.needed(caller, call, entry, extra, for_rows=grant is not None)
        if demand is None:
            return PASSED
        if grant is not None:
            return self._row(call, entry, demand, grant)
        approval = self._drawn(caller, call, entry, kind, demand)
        if call.metadata.get(BREAK_GLASS) == "true":
            return Passed(await self._excused(caller, approval))
        await self._require_room(approval)
        earlier = await self._store.approvals.ask(
            approval, call, about=about, note=note, notices=self._outbox.about(approval, Event.REQUESTED)
        )
        if earlier is None:
            await self._news.approval(approval.id)
            raise awaiting(approval)
        record = await self._store.call(earlier)
        if record is None or record.state is CallState.WAITING:
            raise await self.waiting(earlier)
        return Passed(earlier=record)

    async def bulk(self, caller: Principal, call: Call, entry: Entry) -> Approval | None:
        """Of a bulk run, which `call` stands for: its id, and as payload its file and plan. None where nobody has to agree;
        an approval where this is break-glass. Raises as `pass_through`.
        """
        demand = self.needed(caller, call, entry, for_rows=True)
        if demand is None:
            return None
        approval = replace(
            self._drawn(caller, call, entry, ApprovalKind.BULK, demand, for_rows=True), arguments=call.payload
        )
        if call.metadata.get(BREAK_GLASS) == "true":
            excused = await self._excused(caller, approval)
            if not await self._store.approvals.open(excused):
                raise await self.waiting(call.id)
            await self._news.approval(excused.id)
            return excused
        await self._require_room(approval)
        if await self._store.approvals.open(approval, notices=self._outbox.about(approval, Event.REQUESTED)):
            await self._news.approval(approval.id)
            raise awaiting(approval)
        raise await self.waiting(call.id)

    def check_bulk(self, caller: Principal, call: Call, entry: Entry, approval: Approval) -> None:
        """Raises Drifted where the bulk run that was approved is not the one that `call` stands for now."""
        self._require_same(caller, call, entry, ApprovalKind.BULK, approval, for_rows=True)

    def bound_now(
        self,
        caller: Principal,
        call: Call,
        entry: Entry,
        approval: Approval,
        *,
        kind: ApprovalKind | None = None,
        for_rows: bool = False,
    ) -> Bound:
        """What the approval would be bound to if it were asked for now."""
        demand = self.needed(caller, call, entry, for_rows=for_rows)
        now = bind(caller, call, entry, kind or approval.kind, demand, self._foresee)
        if demand is None:  # nobody would have to agree any more, so nothing stricter is passed by
            return replace(now, policy_sha256=approval.bound.policy_sha256)
        return now

    async def waiting(self, call_id: str) -> AwaitingApproval | FailedPrecondition:
        """What to tell whoever repeats a call that waits."""
        approval = await self._store.approvals.latest(call_id)
        if approval is None:
            return FailedPrecondition(f"call {call_id} waits for an approval that is not recorded any more")
        return awaiting(approval)

    def _granted(self, caller: Principal, call: Call, entry: Entry, kind: ApprovalKind, grant: Grant) -> Passed:
        approval = grant.approval
        if approval is None or not grant.covers(call):
            raise Drifted(f"what was approved is another call than {call.id}")
        self._require_same(caller, call, entry, kind, approval)
        return Passed(approval)

    def _row(self, call: Call, entry: Entry, demand: Demand, grant: Grant) -> Passed:
        approval = grant.approval
        if approval is None or not grant.covers(call):
            raise FailedPrecondition(
                f"a row of this bulk run needs an approval that the run does not have ({'; '.join(demand.why)}): "
                "upload the rows again and start them, which asks for one"
            )
        if approval.description != description_of(entry):
            raise _drifted(approval, [changed_words("description_sha256")])
        return PASSED

    def _require_same(
        self,
        caller: Principal,
        call: Call,
        entry: Entry,
        kind: ApprovalKind,
        approval: Approval,
        *,
        for_rows: bool = False,
    ) -> None:
        now = self.bound_now(caller, call, entry, approval, kind=kind, for_rows=for_rows)
        if changed := drift(approval.bound, now):
            raise _drifted(approval, changed)

    def _drawn(
        self,
        caller: Principal,
        call: Call,
        entry: Entry,
        kind: ApprovalKind,
        demand: Demand,
        *,
        for_rows: bool = False,
    ) -> Approval:
        now = self._clock()
        standing = self.needed(caller, call, entry, for_rows=for_rows)
        said = call.metadata
        return Approval(
            id=new_id("a"),
            kind=kind,
            call_id=call.id,
            function_id=call.function_id,
            scope=call.scope,
            requester=caller,
            bound=bind(caller, call, entry, kind, standing, self._foresee),
            demand=demand,
            reason=text(REASON, said.get(REASON, ""), required=_how(REASON) if demand.reason else ""),
            ticket=text(
                TICKET, said.get(TICKET, ""), most=TICKET_CHARACTERS, required=_how(TICKET) if demand.ticket else ""
            ),
            description=description_of(entry),
            created_ms=now,
            expires_ms=now + int(1000 * (demand.expires or self.rules.settings.expires)),
        )

    async def _excused(self, caller: Principal, approval: Approval) -> Approval:
        """Break-glass: it runs at once, marked, and somebody else has to look at it afterwards."""
        await self._guard.require(caller, "approvals.break_glass", approval.scope, approval.function_id)
        if not approval.reason:
            raise InvalidArgument(
                f"{REASON} is missing: break-glass needs one; {_how(REASON)}",
                {"field": REASON},
                code=Code.FIELD_MISSING,
            )
        excused = replace(
            approval,
            state=ApprovalState.EXECUTING,
            break_glass=True,
            review=ReviewState.OPEN,
            decided_ms=approval.created_ms,
        )
        # Before the call: whoever dies in between has told of it.
        facts = {"call_id": excused.call_id, "function_id": excused.function_id, "reason": excused.reason}
        await self._audit.event(caller, "approvals.break_glass", scope=excused.scope, target=excused.id, details=facts)
        for notice in self._outbox.about(excused, Event.BREAK_GLASS):
            await self._store.approvals.put_notice(notice)
        return excused

    async def _require_room(self, approval: Approval) -> None:
        if await self._store.approvals.pending(approval.person, MOST_PENDING) >= MOST_PENDING:
            raise RateLimited(
                f"rate limited: {MOST_PENDING} of your requests wait for approval; withdraw some first",
                {"most": str(MOST_PENDING)},
                code=Code.APPROVALS_TOO_MANY,
            )


def awaiting(approval: Approval) -> AwaitingApproval:
    stage = approval.demand.stages[min(approval.stage, len(approval.demand.stages) - 1)]
    return AwaitingApproval(
        f"{approval.function_id} in {approval.scope} needs an approval ({'; '.join(approval.demand.why)}): "
        f"{approval.id} waits for {named(stage)}; GET /api/approvals/{approval.id} follows it",
        {"approval_id": approval.id, "call_id": approval.call_id, "state": approval.state.value},
    )


def _drifted(approval: Approval, changed: Sequence[str]) -> Drifted:
    """`changed` are words of `drift`."""
    told = ", ".join(changed)
    return Drifted(
        f"{approval.id} no longer holds: {told}",
        {"approval": approval.id, "changed": told, "what": ", ".join(map(changed_field, changed))},
        code=Code.APPROVAL_DRIFTED,
    )


def _how(name: str) -> str:
    return f"send header X-{name.capitalize()}, or {name} in the body or the metadata"
