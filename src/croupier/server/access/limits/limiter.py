"""The limits of a call, asked on the path of every call that has any. Nothing here waits."""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from croupier.codes import Code
from croupier.descriptors import FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.limit import Budget, Limit, Per, Rate
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import RateLimited
from croupier.server.access.limits.budgets import Budgets
from croupier.server.access.limits.held import Held, Share
from croupier.server.access.limits.rates import Rates
from croupier.server.access.limits.standings import CONCURRENCY, RATE, BudgetStanding, Standing

REMEMBERED = 20_000
"""Functions of scopes of which it is remembered which limits cover them; anybody can make up their names."""
BUSY = 1.0
"""Seconds after which it is worth looking whether a place has become free."""
DESCRIBED = "description"
"""Stands for a limit's name where a function's own description says it."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """One limit as it holds for one function of one scope."""

    name: str
    per: Per
    rate: Rate | None
    concurrency: int | None
    budget: tuple[Limit, Budget] | None = None


_Key = tuple[str, Scope, str]

_Covering = tuple[Sequence[Limit], Sequence[_Bound]]
_NONE: _Covering = ((), ())


class Limiter:
    """`clock` gives seconds and never goes back."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        budgets: Budgets | None = None,
    ) -> None:
        self.limits: Mapping[str, Limit] = {}
        """By name. Where there is none, a call need not ask but for its function's description."""
        self.budgets = budgets or Budgets()
        self._rates = Rates(clock)
        self._running: Counter[Hashable] = Counter()
        self._covering: dict[tuple[Scope, str], _Covering] = {}

    def use(self, limits: Mapping[str, Limit]) -> None:
        """From now on these count, and no others; what was used of those that stay is still used."""
        self.limits = limits
        self._covering.clear()

    def running(self, limit_id: str) -> int:
        """How many calls run that count towards its concurrency."""
        return sum(count for key, count in self._running.items() if isinstance(key, tuple) and key[0] == limit_id)

    def hold(self, caller: Principal, call: Call, descriptor: FunctionDescriptor | None) -> Held | None:
        """Take the call's turn at every rate and its place among those that run at once; None where nothing is to be released.

        Raises RateLimited, having taken nothing.
        """
        bounds = self._bounds(call, descriptor)
        if not bounds:
            return None
        who = holder(caller)
        now = self._rates.clock()
        keys = [(bound, _key(bound, call, who)) for bound in bounds]
        for bound, key in keys:
            self._check(bound, key, call, now)
        held = Held(self._running, self.budgets, _shares(keys, call))
        for bound, key in keys:
            if bound.rate is not None:
                self._rates.take(key, bound.rate, now)
            if bound.concurrency is not None:
                held.occupy(key)
        return held

    def standings(self, caller: Principal, call: Call, descriptor: FunctionDescriptor | None) -> Iterator[Standing]:
        """How every rate and concurrency stands that the call would count towards. Nothing is taken."""
        who, now = holder(caller), self._rates.clock()
        for bound in self._bounds(call, descriptor):
            key = _key(bound, call, who)
            if bound.rate is not None:
                left = self._rates.left(key, bound.rate, now)
                refusal = self._too_often(bound, key, call, now)
                told = f"{bound.rate}: {left} left"
                said = {"calls": f"{bound.rate.calls:g}", "seconds": f"{bound.rate.seconds:g}", "left": str(left)}
                yield Standing(
                    limit=bound.name,
                    kind=RATE,
                    told=told,
                    code=Code.RATE_LEFT,
                    parameters=said,
                    left=left,
                    refusal=refusal,
                )
            if bound.concurrency is not None:
                left = max(0, bound.concurrency - self._running[key])
                told = f"{bound.concurrency} at once: {left} left"
                refusal = self._too_many(bound, key, call)
                yield Standing(
                    limit=bound.name,
                    kind=CONCURRENCY,
                    told=told,
                    code=Code.CONCURRENCY_LEFT,
                    parameters={"most": str(bound.concurrency), "left": str(left)},
                    left=left,
                    refusal=refusal,
                )

    def budget_standings(
        self, caller: Principal, call: Call, descriptor: FunctionDescriptor | None
    ) -> list[BudgetStanding]:
        """How every budget stands that the call would be taken from. Nothing is taken."""
        who = holder(caller)
        keys = [(bound, _key(bound, call, who)) for bound in self._bounds(call, descriptor)]
        return [BudgetStanding(self.budgets, share) for share in _shares(keys, call)]

    def _check(self, bound: _Bound, key: Hashable, call: Call, now: float) -> None:
        refusal = self._too_often(bound, key, call, now) or self._too_many(bound, key, call)
        if refusal is not None:
            raise refusal

    def _too_often(self, bound: _Bound, key: Hashable, call: Call, now: float) -> RateLimited | None:
        if bound.rate is None or not (wait := self._rates.wait(key, bound.rate, now)):
            return None
        rate = bound.rate
        said = {"calls": f"{rate.calls:g}", "seconds": f"{rate.seconds:g}"}
        return _limited(str(rate), bound, call, max(wait, 0.001), Code.RATE_EXCEEDED, said)

    def _too_many(self, bound: _Bound, key: Hashable, call: Call) -> RateLimited | None:
        if bound.concurrency is None or self._running[key] < bound.concurrency:
            return None
        most = f"{bound.concurrency} at once" if bound.concurrency else "none"
        return _limited(most, bound, call, BUSY, Code.CONCURRENCY_EXCEEDED, {"most": str(bound.concurrency)})

    def _bounds(self, call: Call, descriptor: FunctionDescriptor | None) -> Sequence[_Bound]:
        covering, bounds = self._limits_of(call.scope, call.function_id) if self.limits else _NONE
        if descriptor is None or not descriptor.semantics.limited:
            return bounds
        said = descriptor.semantics
        rate = None if said.rate_limit is None else Rate(calls=said.rate_limit.value, seconds=said.rate_limit.window)
        if any(each.replaces and each.rate is not None for each in covering):
            rate = None
        concurrency = said.concurrency or None
        if any(each.replaces and each.concurrency is not None for each in covering):
            concurrency = None
        if rate is not None or concurrency is not None:
            return (*bounds, _Bound(DESCRIBED, Per.FUNCTION, rate, concurrency))
        return bounds

    def _limits_of(self, scope: Scope, function_id: str) -> "_Covering":
        known = self._covering.get((scope, function_id))
        if known is None:
            if len(self._covering) >= REMEMBERED:
                self._covering.clear()
            covering = tuple(each for each in self.limits.values() if each.covers(scope, function_id))
            known = covering, tuple(map(_bound, covering))
            self._covering[scope, function_id] = known
        return known


def holder(caller: Principal) -> str:
    """Who has a share of their own: an account, whichever session or token it came by."""
    return caller.user_id or f"{caller.kind}:{caller.name}"


def _bound(limit: Limit) -> _Bound:
    budget = None if limit.budget is None else (limit, limit.budget)
    return _Bound(limit.id, limit.per, limit.rate, limit.concurrency, budget)


def _key(bound: _Bound, call: Call, who: str) -> _Key:
    match bound.per:
        case Per.FUNCTION:
            return bound.name, call.scope, call.function_id
        case Per.USER:
            return bound.name, call.scope, who
        case Per.GAME:
            return bound.name, call.scope, ""


def _shares(keys: Sequence[tuple[_Bound, _Key]], call: Call) -> list[Share]:
    return [(*bound.budget, f"{call.scope} {key[2]}".rstrip()) for bound, key in keys if bound.budget is not None]


def _limited(most: str, bound: _Bound, call: Call, wait: float, code: Code, said: Mapping[str, str]) -> RateLimited:
    takes = {
        Per.FUNCTION: f"{call.function_id} takes",
        Per.USER: "one caller may make",
        Per.GAME: "all callers together may make",
    }[bound.per]
    by = "its description" if bound.name == DESCRIBED else f"limit {bound.name}"
    error = RateLimited(
        f"rate limited: {takes} {most} in {call.scope} ({by}); nothing ran, try again in {wait:.3g} s",
        {
            "limit": bound.name,
            "retry_after": f"{wait:.3f}",
            "function": call.function_id,
            "scope": str(call.scope),
            "per": bound.per.value,
            **said,
        },
        code=code,
    )
    error.retry_after = wait
    return error
