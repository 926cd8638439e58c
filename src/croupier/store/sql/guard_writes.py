"""What can be asked of the writer about limits and maintenance windows. Applied in the order asked."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, insert
from sqlalchemy.dialects.sqlite import insert as upsert

from croupier.domain.limit import Limit, Spent
from croupier.domain.maintenance import Window
from croupier.store.sql.tables import budget_spent, limits, maintenance_windows
from croupier.store.sql.writes import ROW_BYTES, Write

_INSERT_LIMIT = insert(limits)
_DELETE_LIMIT = delete(limits).where(limits.c.id == bindparam("known"))
_DELETE_SPENT_OF = delete(budget_spent).where(budget_spent.c.limit_id == bindparam("known"))
_INSERT_WINDOW = insert(maintenance_windows)
_DELETE_WINDOW = delete(maintenance_windows).where(maintenance_windows.c.id == bindparam("known"))
_sum = upsert(budget_spent)
_PUT_SPENT = _sum.on_conflict_do_update(
    index_elements=[budget_spent.c.limit_id, budget_spent.c.holder, budget_spent.c.period],
    set_={"amount": _sum.excluded.amount, "ends_ms": _sum.excluded.ends_ms},
)
_FORGET_SPENT = delete(budget_spent).where(budget_spent.c.ends_ms < bindparam("before"))
_FORGET_WINDOWS = delete(maintenance_windows).where(
    and_(maintenance_windows.c.ends_ms > 0, maintenance_windows.c.ends_ms < bindparam("before"))
)


class GuardWrite(Write[None]):
    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class PutLimit(GuardWrite):
    limit: Limit

    def run(self, connection: Connection) -> None:
        connection.execute(_DELETE_LIMIT, {"known": self.limit.id})
        connection.execute(_INSERT_LIMIT, limit_row(self.limit))


@dataclass(frozen=True, slots=True, eq=False)
class RemoveLimit(GuardWrite):
    limit_id: str

    def run(self, connection: Connection) -> None:
        connection.execute(_DELETE_LIMIT, {"known": self.limit_id})
        connection.execute(_DELETE_SPENT_OF, {"known": self.limit_id})


@dataclass(frozen=True, slots=True, eq=False)
class PutWindow(GuardWrite):
    window: Window

    def run(self, connection: Connection) -> None:
        connection.execute(_DELETE_WINDOW, {"known": self.window.id})
        connection.execute(_INSERT_WINDOW, asdict(self.window))


@dataclass(frozen=True, slots=True, eq=False)
class KeepSpent(GuardWrite):
    spent: Sequence[Spent]

    @property
    def weight(self) -> int:
        return ROW_BYTES * len(self.spent)

    def run(self, connection: Connection) -> None:
        if self.spent:
            connection.execute(_PUT_SPENT, [asdict(each) for each in self.spent])


@dataclass(frozen=True, slots=True, eq=False)
class ForgetGuards(GuardWrite):
    before_ms: int

    def run(self, connection: Connection) -> None:
        connection.execute(_FORGET_SPENT, {"before": self.before_ms})
        connection.execute(_FORGET_WINDOWS, {"before": self.before_ms})


def apply_guards(connection: Connection, writes: Sequence[GuardWrite]) -> None:
    for write in writes:
        write.run(connection)


def limit_row(limit: Limit) -> dict[str, Any]:
    budget = "" if limit.budget is None else orjson.dumps(limit.budget).decode()
    return {
        "id": limit.id,
        "functions": limit.functions,
        "game_id": limit.game_id,
        "env": limit.env,
        "per": limit.per.value,
        "rate_calls": None if limit.rate is None else limit.rate.calls,
        "rate_seconds": None if limit.rate is None else limit.rate.seconds,
        "concurrency": limit.concurrency,
        "budget": budget,
        "replaces": limit.replaces,
        "note": limit.note,
        "changed_by": limit.changed_by,
        "changed_ms": limit.changed_ms,
    }
