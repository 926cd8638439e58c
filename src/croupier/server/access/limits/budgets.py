"""How much of each budget is used up."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from croupier.codes import Code
from croupier.descriptors.paths import steps_of
from croupier.descriptors.strict_json import read_json
from croupier.domain.call import Call
from croupier.domain.limit import Budget, Limit, Span, Spent, amount_of, span_at
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.errors import CroupierError, InvalidArgument

log = logging.getLogger(__name__)

KEPT_MS = 2 * 86_400_000
"""A period that is over stays for so long: clocks may be put back."""

_Key = tuple[str, str, str]
"""Limit, holder, name of the period."""


class SpendingStore(Protocol):
    """What of `croupier.store.guards.GuardStore` is needed here."""

    async def keep_spent(self, spent: Sequence[Spent]) -> None: ...


@dataclass(frozen=True, slots=True)
class Reserved:
    """What one call takes from one budget."""

    limit: Limit
    holder: str
    span: Span
    amount: int

    @property
    def key(self) -> _Key:
        return self.limit.id, self.holder, self.span.name


class Budgets:
    """`clock` gives milliseconds since 1970. What was spent is added up here and written through to the store."""

    def __init__(
        self, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000, store: SpendingStore | None = None
    ) -> None:
        self.clock = clock
        self._store = store
        self._sums: dict[_Key, Spent] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    def use(self, spent: Iterable[Spent]) -> None:
        """Go on from these."""
        self._sums = {(each.limit_id, each.holder, each.period): each for each in spent}

    def forget(self, limit_id: str) -> None:
        """The limit is gone, and what was spent of it."""
        self._sums = {key: each for key, each in self._sums.items() if each.limit_id != limit_id}

    def used(self, limit_id: str, period: str) -> list[Spent]:
        """By each of its holders, the largest first."""
        found = [each for each in self._sums.values() if (each.limit_id, each.period) == (limit_id, period)]
        return sorted(found, key=lambda each: -each.amount)

    def measure(self, limit: Limit, budget: Budget, holder: str, amount: int) -> Reserved:
        """What a call of that amount would take now."""
        return Reserved(limit, holder, span_at(budget.period, budget.zone, self.clock()), amount)

    def spent(self, reserved: Reserved) -> int:
        """Before it."""
        known = self._sums.get(reserved.key)
        return 0 if known is None else known.amount

    def take(self, reserved: Sequence[Reserved]) -> None:
        """From now on they are spent; `keep` puts them on disk."""
        self._add(reserved, 1)

    async def keep(self, reserved: Sequence[Reserved]) -> None:
        """They are on disk, at the latest, with the next change that is waited for."""
        # As they are when their turn comes, so that a later sum is never overwritten by an earlier one.
        if self._store is not None and (sums := [self._sums[each.key] for each in reserved if each.key in self._sums]):
            await self._store.keep_spent(sums)

    def give_back(self, reserved: Sequence[Reserved]) -> None:
        """Nothing ran. If the store refuses, they stay spent there, which is the safe side."""
        self._add(reserved, -1)
        keeping = asyncio.ensure_future(self._keep_later(reserved))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)

    async def drain(self) -> None:
        """Wait until what was given back has been handed to the store."""
        while self._keeping:
            await asyncio.wait(self._keeping)

    async def _keep_later(self, reserved: Sequence[Reserved]) -> None:
        try:
            await self.keep(reserved)
        except CroupierError as error:
            log.warning("what a call gave back to its budget could not be recorded: %s", error.message)

    def _add(self, reserved: Sequence[Reserved], sign: int) -> None:
        for each in reserved:
            if not each.span.name:
                continue
            known = self._sums.get(each.key)
            if known is None:
                limit_id, holder, period = each.key
                known = Spent(limit_id=limit_id, holder=holder, period=period, amount=0, ends_ms=each.span.ends_ms)
            # Its own largest value is bounded, and so is a column's: a sum stays where it can be kept.
            amount = min(max(0, known.amount + sign * each.amount), 2**63 - 1)
            self._sums[each.key] = replace(known, amount=amount)

    def tidy(self) -> None:
        """Let go of periods that are long over, and of what was given back."""
        oldest = self.clock() - KEPT_MS
        self._sums = {key: each for key, each in self._sums.items() if each.ends_ms > oldest and each.amount}


def read_arguments(call: Call) -> object:
    """Raises InvalidArgument for what two readers could understand as two things, such as a name that stands twice."""
    arguments, faults = read_json(call.payload or b"{}", "payload", PAYLOAD_BYTES)
    if faults:
        first = faults[0]
        raise InvalidArgument(
            f"{call.function_id} has a budget, so its payload is read strictly: {first.path}: {first.message.en}"
        )
    return arguments


def amount_at(path: str, arguments: object, function_id: str) -> int:
    """The argument that a budget counts, in millionths. Raises InvalidArgument: what cannot be counted is not let through."""
    value: Any = arguments
    for step in steps_of(path):
        if isinstance(step, str):
            found = isinstance(value, Mapping) and _is_plain(value, step)
        else:
            found = isinstance(value, list) and -len(value) <= step < len(value)
        if not found:
            raise InvalidArgument(
                f"{function_id} has a budget on {path}: give that argument once, so that it can be counted",
                {"function": function_id, "path": path},
                code=Code.BUDGET_UNCOUNTABLE,
            )
        value = value[step]
    try:
        return amount_of(value)
    except InvalidArgument as error:
        raise InvalidArgument(
            f"{function_id} has a budget on {path}: {error.message}",
            {"function": function_id, "path": path},
            code=Code.BUDGET_UNCOUNTABLE,
        ) from None


def _is_plain(value: Mapping[str, Any], name: str) -> bool:
    """Whether it is there, and no other name differs by case only: there are games that would read either."""
    folded = name.casefold()
    return name in value and sum(each.casefold() == folded for each in value) == 1
