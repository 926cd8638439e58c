"""What every call passes before it is recorded and sent, whoever starts it and by whichever entry (product A4).

    assigned? enabled? (catalog) ─► permission (guard) ─► maintenance? rate? concurrency? (limits) ─► fits its schema? (catalog)
        ─► budgets (limits) ─► somebody else's approval (approvals) ─► what the audit record will say (audit)

`Calls` and `Jobs` ask here first and nothing else sends, so a step that is added here holds for every entry.
"""

from collections.abc import Awaitable, Callable, Sequence

from croupier.domain.approval import Approval, ApprovalKind
from croupier.domain.audit import Note
from croupier.domain.call import Call
from croupier.domain.causes import by_limit
from croupier.domain.demand import Demand
from croupier.domain.entity import Subject
from croupier.domain.principal import Principal
from croupier.errors import AwaitingApproval, CroupierError, InvalidArgument
from croupier.server.access.audit import INVOKE, START, Audit
from croupier.server.access.guard import Guard
from croupier.server.access.limits import Held, Limiter, OverBudget, Windows
from croupier.server.approvals import ApprovalGate, Grant
from croupier.server.catalog import Catalog, Entry
from croupier.store import CallRecord

Repeats = Callable[[Call], Awaitable[bool]]
"""Whether a call's idempotency key is taken, so that an earlier call answers it (`CallStore.repeats`)."""


def demands_of(over: Sequence[OverBudget]) -> list[Demand]:
    """What somebody else has to agree to, of a call that goes over these budgets."""
    return [Demand(why=(by_limit(each.limit.id, each.message),)) for each in over]


class Admitted:
    """A call that may go on."""

    __slots__ = ("about", "approval", "call", "earlier", "entry", "held", "note")

    def __init__(
        self, entry: Entry, call: Call, about: tuple[Subject, ...], note: Note, held: Held | None = None
    ) -> None:
        self.entry = entry
        """What is known of its function, for as long as the call lasts."""
        self.call = call
        """Without what its form hides."""
        self.about = about
        """The entities in whose timelines it appears."""
        self.note = note
        """Its intent, for the audit record: to be written in the commit of the call's own row."""
        self.held = held
        """What it holds of limits."""
        self.approval: Approval | None = None
        """What it begins with, where somebody had to agree."""
        self.earlier: CallRecord | None = None
        """The first call with its idempotency key, where that was found before: nothing is begun then."""

    def release(self, *, ran: bool = True) -> None:
        """The call has ended, however it went; `ran` says whether a game server may have begun with it."""
        if self.held is not None:
            self.held.release(ran=ran)


class Admission:
    def __init__(
        self,
        *,
        guard: Guard,
        catalog: Catalog,
        audit: Audit,
        approvals: ApprovalGate,
        limiter: Limiter | None = None,
        windows: Windows | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        """Without `limiter` and `windows` only the limits of descriptions hold."""
        self.approvals = approvals
        self._guard = guard
        self._catalog = catalog
        self._audit = audit
        self._limiter = limiter or Limiter()
        self._windows = windows or Windows()
        self._repeats = repeats

    async def admit(
        self, caller: Principal, call: Call, action: str = INVOKE, *, grant: Grant | None = None
    ) -> Admitted:
        """Raises CroupierError, saying what stopped the call and what to do; nothing was sent then, and nothing recorded
        but the wish, where it waits for an approval (AwaitingApproval).

        Whoever is admitted is to be released. `action` is what the audit record calls it; a refusal is on record too.
        `grant` is what was approved, or what rows of a bulk run carry.
        """
        catalog = self._catalog
        held: Held | None = None
        try:
            entry = catalog.find(call)
            await self._guard.require_call(caller, call, entry.descriptor, arguments=entry.codec is None)
            if self._windows.ahead and entry.function.mode != "query":
                await self._check_windows(caller, call)
            if entry.limited or self._limiter.limits:
                held = self._limiter.hold(caller, call, entry.descriptor)
            call = await self._fitted(caller, entry, call)
            over = await self._spend(held, call) if held is not None and held.counted else ()
            note = self._audit.intent(caller, call, entry.sensitive, action=action)
            admitted = Admitted(entry, call, catalog.about(call, entry), note, held)
            if grant is not None or over or self.approvals.concerns(entry):
                await self._approve(caller, admitted, action, grant, over)
            if held is not None and held.counted:
                await held.keep()
        except BaseException as error:
            if held is not None:
                held.release(ran=False)
            if isinstance(error, CroupierError) and not isinstance(error, InvalidArgument | AwaitingApproval):
                await self._audit.denied(caller, action, error, scope=call.scope, target=call.function_id)
            raise
        return admitted

    def require_same(self, admitted: Admitted) -> None:
        """Before it is sent. Raises as `Catalog.require_same`."""
        self._catalog.require_same(admitted.entry, admitted.call)

    async def _fitted(self, caller: Principal, entry: Entry, call: Call) -> Call:
        """As it will be sent. What will not be sent does not make the condition of its function hold, and where its game
        server speaks protobuf its arguments have their final names only now.
        """
        fitted = self._catalog.fit(entry, call)
        if entry.codec is not None or fitted is not call:
            await self._guard.require_arguments(caller, fitted, entry.descriptor)
        return fitted

    async def _check_windows(self, caller: Principal, call: Call) -> None:
        if self._windows.check(call.scope, call.metadata):
            await self._guard.require(caller, "maintenance.override", call.scope, call.function_id)

    async def _spend(self, held: Held, call: Call) -> Sequence[OverBudget]:
        """Take the call's amounts from its budgets; what is returned somebody else has to agree to.

        A repetition takes nothing, since nothing runs: it gets the first call's answer although that used the budget up.
        """
        try:
            return held.spend(call)
        except OverBudget:
            if self._repeats is None or not await self._repeats(call):
                raise
            return ()

    async def _approve(
        self,
        caller: Principal,
        admitted: Admitted,
        action: str,
        grant: Grant | None,
        over: Sequence[OverBudget],
    ) -> None:
        """Raises as `ApprovalGate.pass_through`."""
        admitted.approval, admitted.earlier = await self.approvals.pass_through(
            caller,
            admitted.call,
            admitted.entry,
            kind=ApprovalKind.JOB if action == START else ApprovalKind.INVOKE,
            about=admitted.about,
            note=admitted.note,
            grant=grant,
            extra=demands_of(over),
        )
