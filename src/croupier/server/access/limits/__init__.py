"""What holds calls back, whoever is allowed to make them.

    Admission ─► Windows (maintenance) ─► Limiter.hold: rates, concurrency ─► schema ─► Held.spend: budgets
                                                  ▲
    Limits, Maintenance (what administrators say; kept in the store first) ──┘

Rates and concurrency are of one process and begin anew with it; limits, windows and what was spent are in the store. Rates go
by a clock that nobody sets, windows and budgets by the one on the wall.
"""

from croupier.server.access.limits.budgets import Budgets
from croupier.server.access.limits.held import Held, OverBudget
from croupier.server.access.limits.limiter import Limiter
from croupier.server.access.limits.limits import Limits
from croupier.server.access.limits.maintenance import Maintenance
from croupier.server.access.limits.standings import BudgetStanding, Standing
from croupier.server.access.limits.throttle import Throttle
from croupier.server.access.limits.windows import UnderMaintenance, Windows

__all__ = [
    "BudgetStanding",
    "Budgets",
    "Held",
    "Limiter",
    "Limits",
    "Maintenance",
    "OverBudget",
    "Standing",
    "Throttle",
    "UnderMaintenance",
    "Windows",
]
