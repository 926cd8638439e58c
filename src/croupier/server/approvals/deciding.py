"""What people do with approvals: look, approve, reject, withdraw, comment, review."""

import asyncio
import builtins
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from croupier.codes import Code
from croupier.descriptors import Comparison, FaultyDescriptor, FunctionDescriptor, compare, read_descriptor
from croupier.domain import approval as life
from croupier.domain.approval import Approval, ApprovalState, Approver, approver_of, person_of
from croupier.domain.binding import drift
from croupier.domain.listing import Cursor, Page
from croupier.domain.notice import Notice
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import (
    CroupierError,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from croupier.server.access.audit import NOTHING_SAID, Act, Audit, sensitive_fields
from croupier.server.access.guard import Guard
from croupier.server.approvals.changing import Kept, replaced
from croupier.server.approvals.gate import ApprovalGate
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.catalog import Catalog
from croupier.server.news import News
from croupier.store import CallRecord, Store
from croupier.store.approvals import ApprovalFilter

TRIES = 20
"""How often a change is made anew because somebody else was faster."""
MOST_COUNTED = 500
"""Of what waits to be decided, by whoever asks how much that is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One approval as whoever decides sees it."""

    approval: Approval
    payload: bytes
    """The arguments, with sensitive values masked; of a bulk run its file, rows and plan. Nothing when they are kept no longer."""
    metadata: Mapping[str, str]
    description: Mapping[str, Any]
    """Of the function, as it was when the approval was asked for; empty where nobody described it."""
    changes: Comparison | None
    """What has changed in it since."""
    drifted: tuple[str, ...]
    """Why it would not be executed if it were approved now."""
    notices: tuple[Notice, ...]
    may_decide: bool
    """Whether whoever looks could approve it now; where identity has to be proved, once that is done."""


class Approvals:
    """`clock` gives milliseconds since 1970; `approved` is told of every approval that may be executed."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        store: Store,
        catalog: Catalog,
        gate: ApprovalGate,
        outbox: Outbox,
        news: News,
        clock: Callable[[], int],
        approved: Callable[[], None],
    ) -> None:
        self._guard = guard
        self._audit = audit
        self._records = store
        self._store = store.approvals
        self._catalog = catalog
        self._gate = gate
        self._kept = Kept(store, outbox, news)
        self._clock = clock
        self._approved = approved

    # ------------------------------------------------------------------------------------------------ looking

    async def list(
        self, caller: Principal, which: ApprovalFilter, limit: int, after: Cursor | None = None
    ) -> Page[Approval]:
        """Newest first. Without the permission to read approvals, one's own."""
        if which.person != person_of(caller):
            which = replace(which, within=await self._guard.where(caller, "approvals.read", which.scope))
        return await self._store.approvals(which, limit, after)

    async def get(self, caller: Principal, approval_id: str) -> Shown:
        """Raises NotFound, also for whoever may not read it."""
        approval = await self._readable(caller, approval_id)
        record = await self._records.call(approval.call_id)
        described = read_description(approval.description)
        return Shown(
            approval=approval,
            payload=await self._masked(approval, record, described),
            metadata={} if record is None else self._audit.masker.texts(record.call.metadata),
            description={} if described is None else described.document(),
            changes=self._changes(approval, described),
            drifted=() if approval.ended else tuple(self._drifted(approval, record)),
            notices=tuple(await self._store.notices(approval_id)),
            may_decide=await self._may_decide(caller, approval),
        )

    async def undecided(self) -> builtins.list[Approval]:
        """What waits to be decided, wherever; the newest `MOST_COUNTED` of it."""
        which = ApprovalFilter(states=frozenset({ApprovalState.PENDING}))
        return list((await self._store.approvals(which, MOST_COUNTED)).items)

    def waiting_for(self, caller: Principal, undecided: Iterable[Approval], scope: Scope | None = None) -> int:
        """How many of those the caller could approve, in `scope` or anywhere."""
        found, now_ms = 0, self._clock()
        approvers: dict[Scope, Approver | None] = {}
        for each in undecided:
            if scope is None or each.scope == scope:
                if each.scope not in approvers:
                    approvers[each.scope] = self._decider(caller, each.scope)
                approver = approvers[each.scope]
                found += approver is not None and life.waits_for(each, approver, now_ms)
        return found

    def _decider(self, caller: Principal, scope: Scope) -> Approver | None:
        """The caller, where it may decide at all."""
        if not self._guard.policy.decide(caller, "approvals.decide", scope).allowed:
            return None
        try:
            return self._approver(caller, scope)
        except PermissionDenied:
            return None

    # ------------------------------------------------------------------------------------------------ deciding

    async def approve(self, caller: Principal, approval_id: str, *, comment: str = "", digest: str = "") -> Approval:
        """Count the caller as an approver; with the last one the call is executed.

        `digest` is what the caller looked at. Raises NotFound, PermissionDenied, FailedPrecondition, InvalidArgument.
        """
        after = await self._decide(
            caller,
            "approve",
            approval_id,
            lambda now, approver: life.approve(
                _looked_at(now, digest), approver, comment=comment, now_ms=self._clock()
            ),
        )
        if after.state is ApprovalState.APPROVED:
            self._approved()
        return after

    async def reject(self, caller: Principal, approval_id: str, *, comment: str) -> Approval:
        """The call ends, unsent. Raises as `approve`."""
        return await self._decide(
            caller,
            "reject",
            approval_id,
            lambda now, approver: life.reject(now, approver, comment=comment, now_ms=self._clock()),
        )

    async def review(self, caller: Principal, approval_id: str, *, comment: str) -> Approval:
        """Close the review of a break-glass. Raises as `approve`."""
        return await self._decide(
            caller,
            "review",
            approval_id,
            lambda now, approver: life.close_review(now, approver, comment=comment, now_ms=self._clock()),
        )

    async def withdraw(self, caller: Principal, approval_id: str, *, comment: str = "") -> Approval:
        """By whoever asked for it. Raises NotFound, PermissionDenied, FailedPrecondition."""
        approval = await self._readable(caller, approval_id)
        async with self._act(caller, "withdraw", approval):
            return await self._change(
                approval_id, lambda now: life.withdraw(now, caller, comment=comment, now_ms=self._clock())
            )

    async def comment(self, caller: Principal, approval_id: str, *, comment: str) -> Approval:
        """Raises NotFound, InvalidArgument, FailedPrecondition."""
        approval = await self._readable(caller, approval_id)
        async with self._act(caller, "comment", approval):
            return await self._change(approval_id, lambda now: life.remark(now, caller, comment, self._clock()))

    async def _decide(
        self, caller: Principal, verb: str, approval_id: str, change: Callable[[Approval, Approver], Approval]
    ) -> Approval:
        approval = await self._readable(caller, approval_id)
        async with self._act(caller, verb, approval):
            await self._guard.require(caller, "approvals.decide", approval.scope, approval_id)
            approver = self._approver(caller, approval.scope)
            return await self._change(approval_id, lambda now: change(now, approver))

    async def _change(self, approval_id: str, change: Callable[[Approval], Approval]) -> Approval:
        for _ in range(TRIES):
            before = await self._known(approval_id)
            after = change(before)
            if await replaced(self._kept, before, after):
                return replace(after, revision=before.revision + 1)
        raise Unavailable(f"{approval_id} is being changed by many at once: try again")

    def _act(self, caller: Principal, verb: str, approval: Approval) -> Act:
        facts = {
            "function_id": approval.function_id,
            "call_id": approval.call_id,
            "requester": approval.requester.name,
            "digest": approval.bound.digest,
        }
        return self._audit.act(caller, f"approvals.{verb}", scope=approval.scope, target=approval.id, details=facts)

    # ------------------------------------------------------------------------------------------------ what is known

    async def _known(self, approval_id: str) -> Approval:
        approval = await self._store.approval(approval_id)
        if approval is None:
            raise _unknown(approval_id)
        return approval

    async def _readable(self, caller: Principal, approval_id: str) -> Approval:
        """One's own may be read without a permission; what others may not read is as good as absent."""
        approval = await self._known(approval_id)
        if approval.person != person_of(caller):
            unknown = _unknown(approval_id).message
            await self._guard.require_of(caller, "approvals.read", approval.scope, approval_id, unknown=unknown)
        return approval

    async def _may_decide(self, caller: Principal, approval: Approval) -> bool:
        try:
            await self._guard.require(caller, "approvals.decide", approval.scope, approval.id)
        except PermissionDenied:
            return False
        return life.waits_for(approval, self._approver(caller, approval.scope), self._clock())

    def _approver(self, caller: Principal, scope: Scope) -> Approver:
        return approver_of(caller, frozenset(self._guard.policy.roles(caller, scope)))

    async def _masked(
        self, approval: Approval, record: CallRecord | None, described: FunctionDescriptor | None
    ) -> bytes:
        """What is sensitive by the description as it was, or as it is: neither may show what the other hides."""
        if record is None:
            return approval.arguments
        entry = self._catalog.entry(approval.scope, approval.function_id)
        rules = [entry.sensitive] if entry is not None else []
        if described is not None:
            rules.append(sensitive_fields(described.params, {"fields": described.ui.fields}))

        def masked(payload: bytes) -> bytes:
            for sensitive in rules or [NOTHING_SAID]:
                payload = self._audit.masker.shown(payload, sensitive)
            return payload

        return await asyncio.to_thread(masked, record.call.payload)

    def _changes(self, approval: Approval, then: FunctionDescriptor | None) -> Comparison | None:
        entry = self._catalog.entry(approval.scope, approval.function_id)
        now = entry.descriptor if entry is not None else None
        if then is None or now is None:
            return None
        found = compare(then, now)
        return None if found.verdict == "same" else found

    def _drifted(self, approval: Approval, record: CallRecord | None) -> builtins.list[str]:
        """Of a call; a bulk run is compared when it is started."""
        if record is None:
            return []
        try:
            entry = self._catalog.find(record.call)
            call = self._catalog.fit(entry, record.call)
            now = self._gate.bound_now(approval.requester, call, entry, approval)
        except CroupierError as error:
            return [error.message]
        return drift(approval.bound, now)


def read_description(document: bytes) -> FunctionDescriptor | None:
    """What was kept of a description, read again."""
    if not document:
        return None
    try:
        found = read_descriptor(document, "description")
    except FaultyDescriptor:
        return None  # a later version of the platform may refuse what an earlier one took
    return found if isinstance(found, FunctionDescriptor) else None


def _looked_at(approval: Approval, digest: str) -> Approval:
    """Raises FailedPrecondition unless `digest`, where one is given, is that of the approval."""
    if digest and digest != approval.bound.digest:
        raise FailedPrecondition(
            f"you looked at something else than {approval.id}: look at it again",
            {"approval": approval.id},
            code=Code.APPROVAL_CHANGED,
        )
    return approval


def _unknown(approval_id: str) -> NotFound:
    return NotFound(f"unknown approval {approval_id}")
