"""How limits stand for a call that is not made: what is left of them, and what they would say. Nothing is taken by asking."""

from collections.abc import Mapping
from dataclasses import dataclass

from croupier.codes import Code
from croupier.domain.call import Call
from croupier.domain.limit import MICRO, Budget, Limit, amount_text
from croupier.errors import RateLimited
from croupier.server.access.limits.budgets import Budgets, read_arguments
from croupier.server.access.limits.held import WHOSE, OverBudget, Share, weigh

RATE, CONCURRENCY = "rate", "concurrency"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Of a rate or of a concurrency."""

    limit: str
    """Its name; `description` where the function's own says it."""
    kind: str
    """rate | concurrency"""
    told: str
    """`5 per 60 s: 3 left`"""
    code: Code
    """What `told` says, and in `parameters` of what."""
    parameters: Mapping[str, str]
    left: int
    """So many calls may come at once."""
    refusal: RateLimited | None = None
    """What a call would be told now."""


class BudgetStanding:
    """What one of those who have a share of a budget has left of it."""

    def __init__(self, budgets: Budgets, share: Share) -> None:
        self.limit: Limit
        self.budget: Budget
        self.limit, self.budget, _ = self._share = share
        self._budgets = budgets
        nothing = budgets.measure(self.limit, self.budget, share[2], 0)
        left = max(0, self.budget.most - budgets.spent(nothing))
        self.left = left / MICRO
        period = nothing.span.name
        of = f"{amount_text(self.budget.most)} {WHOSE[self.limit.per]} in {period}" if period else "one call"
        self.parameters = {
            "path": self.budget.path,
            "most": amount_text(self.budget.most),
            "per": self.limit.per.value,
            "period": period,
            "zone": self.budget.zone,
            "left": amount_text(left),
        }
        """Of Code.BUDGET_LEFT, which says what `told` says."""
        self.told = f"of {self.budget.path}, {of} ({self.budget.zone}): {amount_text(left)} left"

    def weigh(self, call: Call) -> OverBudget | None:
        """What is said of a call that takes more than is left. Raises InvalidArgument where its amount cannot be counted."""
        return weigh(self._budgets, self._share, call, read_arguments(call))[1]
