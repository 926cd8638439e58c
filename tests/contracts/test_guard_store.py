"""The sentences of `croupier.store.guards`, each a test, over every implementation."""

from dataclasses import replace

from croupier.domain.call import Call
from croupier.domain.limit import Budget, Limit, Per, Period, Rate, Spent, Then
from croupier.domain.maintenance import Window
from croupier.domain.scope import Scope
from croupier.store import Store

COINS = Budget(path="$.amount", most=10_000_000_000, period=Period.DAY, zone="Asia/Shanghai", then=Then.APPROVAL)


def a_limit(limit_id: str = "coins", **changes) -> Limit:
    return Limit(**{"id": limit_id, "functions": "player.*", "changed_by": "ann", "changed_ms": 7} | changes)


def a_window(window_id: str = "mw1", **changes) -> Window:
    fields = {"reason": "new hardware", "starts_ms": 5, "created_by": "ann", "created_ms": 4}
    return Window(**{"id": window_id} | fields | changes)


def a_sum(holder: str = "demo|dev ann", **changes) -> Spent:
    fields = {"limit_id": "coins", "period": "2026-11-22", "amount": 5, "ends_ms": 100}
    return Spent(**fields | {"holder": holder} | changes)


async def test_a_limit_is_kept_as_it_was(store: Store):
    everything = a_limit(
        game_id="demo",
        env="prod",
        per=Per.USER,
        rate=Rate(calls=2.5, seconds=60),
        concurrency=0,
        budget=COINS,
        replaces=True,
        note="如有疑问",
    )
    await store.guards.put_limit(everything)
    await store.guards.put_limit(a_limit("a"))
    assert await store.guards.limits() == [a_limit("a"), everything]


async def test_a_limit_replaces_the_one_of_its_name(store: Store):
    await store.guards.put_limit(a_limit(budget=COINS))
    await store.guards.put_limit(a_limit(concurrency=3))
    assert await store.guards.limits() == [a_limit(concurrency=3)]


async def test_with_a_limit_goes_what_was_spent_of_it(store: Store):
    await store.guards.put_limit(a_limit())
    await store.guards.keep_spent([a_sum(), a_sum(limit_id="other")])
    for _ in range(2):
        await store.guards.remove_limit("coins")
    assert await store.guards.limits() == []
    assert await store.guards.spent() == [a_sum(limit_id="other")]


async def test_a_window_is_kept_and_replaced(store: Store):
    await store.guards.put_window(a_window())
    await store.guards.put_window(a_window("mw0", starts_ms=9, game_id="demo", env="dev"))
    ended = replace(a_window(), ends_ms=8, ended_by="bob")
    await store.guards.put_window(ended)
    assert [each.id for each in await store.guards.windows()] == ["mw1", "mw0"]
    assert (await store.guards.windows())[0] == ended


async def test_a_sum_takes_the_place_of_the_one_before(store: Store):
    await store.guards.keep_spent([a_sum(), a_sum("demo|dev bob", amount=1)])
    await store.guards.keep_spent([a_sum(amount=2**63 - 1)])
    await store.guards.keep_spent([])
    await store.guards.put_window(a_window())
    found = {each.holder: each.amount for each in await store.guards.spent()}
    assert found == {"demo|dev ann": 2**63 - 1, "demo|dev bob": 1}


async def test_a_sum_is_on_disk_with_the_call_that_is_recorded_after_it(stores):
    store = await stores.open()
    await store.guards.keep_spent([a_sum()])
    await store.begin(Call(id="c1", function_id="f", scope=Scope("demo", "dev"), payload=b"{}", caller="ann"))
    found = await store.guards.spent()
    await store.close()
    assert found == [a_sum()]


async def test_what_is_long_over_is_forgotten(store: Store):
    await store.guards.keep_spent([a_sum(), a_sum("late", ends_ms=200)])
    for window in (a_window(), a_window("over", ends_ms=199), a_window("lately", ends_ms=200)):
        await store.guards.put_window(window)
    await store.guards.forget_guards(200)
    assert [each.holder for each in await store.guards.spent()] == ["late"]
    assert {each.id for each in await store.guards.windows()} == {"mw1", "lately"}


async def test_limits_windows_and_sums_survive_a_restart(stores):
    store = await stores.open()
    await store.guards.put_limit(a_limit(budget=COINS))
    await store.guards.put_window(a_window())
    await store.guards.keep_spent([a_sum()])
    await store.close()
    again = await stores.open()
    found = await again.guards.limits(), await again.guards.windows(), await again.guards.spent()
    await again.close()
    assert found == ([a_limit(budget=COINS)], [a_window()], [a_sum()])
