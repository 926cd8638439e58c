"""Sums of budgets follow the calendar, also when somebody turns the clock, and are written in order."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.call import Call
from croupier.domain.limit import MICRO, Budget, Limit, Per, Period, Spent
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import RateLimited, Unavailable
from croupier.server.access.limits import Budgets, Held, Limiter, OverBudget

DAY = 86_400_000
ANN, BOB = Principal(name="ann", kind="user", user_id="u1"), Principal(name="bob", kind="user", user_id="u2")


class Clock:
    now = 20_000 * DAY

    def __call__(self) -> int:
        return self.now


class Disk:
    """Keeps what is written last, and refuses while it is full."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], int] = {}
        self.full = False

    async def keep_spent(self, spent: Sequence[Spent]) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise Unavailable("the disk is full")
        self.kept.update({(each.limit_id, each.holder, each.period): each.amount for each in spent})


def a_budget(limiter: Limiter, most: int = 100, per: Per = Per.USER, **changes: object) -> None:
    budget = Budget(**{"path": "$.n", "most": most * MICRO, "period": Period.DAY} | changes)  # type: ignore[arg-type]
    limiter.use({"l": Limit(id="l", functions="*", per=per, budget=budget)})


def spend(limiter: Limiter, amount: object, caller: Principal = ANN, env: str = "dev") -> Held:
    call = Call(
        id="c", function_id="f", scope=Scope("demo", env), payload=b'{"n": %s}' % str(amount).encode(), caller=""
    )
    held = limiter.hold(caller, call, None)
    assert held is not None
    held.spend(call)
    return held


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    limiter = Limiter(budgets=Budgets(clock))
    a_budget(limiter)
    return limiter


def test_everybody_has_a_budget_of_their_own_in_each_scope(limiter: Limiter):
    spend(limiter, 100)
    spend(limiter, 100, BOB)
    spend(limiter, 100, env="prod")
    with pytest.raises(OverBudget):
        spend(limiter, 1)


def test_somebody_who_comes_by_another_token_has_no_other_budget(limiter: Limiter):
    spend(limiter, 100)
    with pytest.raises(OverBudget):
        spend(limiter, 1, Principal(name="ann", kind="token", user_id="u1", credential="t9"))


def test_a_new_day_brings_a_new_budget_and_a_clock_that_is_put_back_does_not(limiter: Limiter, clock: Clock):
    spend(limiter, 100)
    clock.now += DAY
    spend(limiter, 100)
    clock.now -= DAY
    with pytest.raises(OverBudget):
        spend(limiter, 1)
    limiter.budgets.tidy()
    with pytest.raises(OverBudget):
        spend(limiter, 1)


def test_what_is_long_over_is_let_go_of(limiter: Limiter, clock: Clock):
    spend(limiter, 100)
    clock.now += 4 * DAY
    limiter.budgets.tidy()
    assert limiter.budgets._sums == {}


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=40))
async def test_whatever_runs_or_not_a_budget_is_never_gone_over_and_never_lost(steps):
    disk = Disk()
    limiter = Limiter(budgets=Budgets(Clock(), disk))
    a_budget(limiter)
    left = 100
    for amount, runs in steps:
        try:
            held = spend(limiter, amount)
        except OverBudget:
            assert amount > left
            continue
        assert amount <= left
        await held.keep()
        held.release(ran=runs)
        held.release(ran=False)
        left -= amount if runs else 0
    await limiter.budgets.drain()
    assert sum(disk.kept.values()) == (100 - left) * MICRO


async def test_a_disk_that_refused_once_is_put_right_by_the_next_call():
    disk = Disk()
    limiter = Limiter(budgets=Budgets(Clock(), disk))
    a_budget(limiter)
    disk.full = True
    held = spend(limiter, 30)
    with pytest.raises(Unavailable):
        await held.keep()
    held.release(ran=False)
    await limiter.budgets.drain()
    disk.full = False
    held = spend(limiter, 50)
    await held.keep()
    assert list(disk.kept.values()) == [50 * MICRO]


def test_of_two_limits_that_cover_a_call_neither_is_used_where_the_other_refuses():
    limiter = Limiter()
    limiter.use(
        {
            "a": Limit(id="a", functions="*", concurrency=5),
            "b": Limit(id="b", functions="*", concurrency=0),
        }
    )
    call = Call(id="c", function_id="f", scope=Scope("demo", "dev"), payload=b"{}", caller="")
    with pytest.raises(RateLimited, match="takes none"):
        limiter.hold(ANN, call, None)
    assert limiter.running("a") == 0
