from collections import Counter
from collections.abc import Hashable, Sequence

from croupier.codes import Code
from croupier.domain.call import Call
from croupier.domain.limit import Budget, Limit, Per, Then, amount_text
from croupier.errors import PermissionDenied
from croupier.server.access.limits.budgets import Budgets, Reserved, amount_at, read_arguments

Share = tuple[Limit, Budget, str]
"""A limit, its budget, and who has the share of it that a call is taken from."""

WHOSE = {Per.FUNCTION: "for this function", Per.USER: "for each caller", Per.GAME: "for all callers together"}


class OverBudget(PermissionDenied):
    """The call would take more than a budget has left. Nothing ran."""

    def __init__(self, budget: Budget, reserved: Reserved, spent: int, call: Call) -> None:
        most, amount = amount_text(budget.most), amount_text(reserved.amount)
        left = amount_text(max(0, budget.most - spent))
        if reserved.span.name:
            told = f"of {most} {WHOSE[reserved.limit.per]} in {reserved.span.name} ({budget.zone}) {left} is left"
        else:
            told = f"one call may take {most}"
        super().__init__(
            f"{call.function_id} would take {amount}, and {told}: ask whoever manages the limit {reserved.limit.id}",
            {
                "limit": reserved.limit.id,
                "most": most,
                "spent": amount_text(spent),
                "amount": amount,
                "function": call.function_id,
                "per": reserved.limit.per.value,
                "period": reserved.span.name,
                "zone": budget.zone,
                "left": left,
            },
            code=Code.BUDGET_EXCEEDED if reserved.span.name else Code.BUDGET_EXCEEDED_ONCE,
        )
        self.limit = reserved.limit


def weigh(budgets: Budgets, share: Share, call: Call, arguments: object) -> tuple[Reserved, OverBudget | None]:
    """What the call would take of its budget now, and how it is refused where that is more than is left.

    Raises InvalidArgument where the amount cannot be counted.
    """
    limit, budget, holder = share
    amount = amount_at(budget.path, arguments, call.function_id)
    reserved = budgets.measure(limit, budget, holder, amount)
    spent = budgets.spent(reserved)
    over = bool(amount) and spent + amount > budget.most
    return reserved, OverBudget(budget, reserved, spent, call) if over else None


class Held:
    """What a call holds of its limits until it has ended: its places among those that run at once, its share of budgets."""

    __slots__ = ("_budgets", "_places", "_running", "_shares", "_taken")

    def __init__(self, running: Counter[Hashable], budgets: Budgets, shares: Sequence[Share]) -> None:
        self._running = running
        self._budgets = budgets
        self._shares = shares
        self._places: list[Hashable] = []
        self._taken: list[Reserved] = []

    def occupy(self, place: Hashable) -> None:
        self._running[place] += 1
        self._places.append(place)

    def spend(self, call: Call) -> list[OverBudget]:
        """Take the amounts of a call that fits its function. Returns each budget that it goes over and that somebody else may
        agree to.

        Raises OverBudget where nobody may, InvalidArgument where an amount cannot be counted; nothing is taken then.
        """
        arguments = read_arguments(call)
        taken, over = [], []
        for share in self._shares:
            reserved, refusal = weigh(self._budgets, share, call, arguments)
            if refusal is not None:
                if share[1].then is Then.DENY:
                    raise refusal
                over.append(refusal)
            taken.append(reserved)
        self._budgets.take(taken)
        self._taken = taken
        return over

    @property
    def counted(self) -> bool:
        """Whether there is a budget to be asked."""
        return bool(self._shares)

    async def keep(self) -> None:
        """What was spent is on disk, at the latest, with the next change that is waited for."""
        await self._budgets.keep(self._taken)

    def release(self, *, ran: bool) -> None:
        """The call has ended. Unless it `ran`, or may have, what it spent is given back. Safe to repeat."""
        for place in self._places:
            self._running[place] -= 1
            if not self._running[place]:
                del self._running[place]
        self._places = []
        if self._taken and not ran:
            self._budgets.give_back(self._taken)
        self._taken = []
