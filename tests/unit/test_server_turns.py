"""A crowd takes turns, a few at a time."""

import asyncio
from collections.abc import Callable

import pytest

from croupier.server.turns import SHARE, Turns


async def test_of_a_crowd_a_few_pass_at_a_time_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals: list[Callable[[], None]] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda _, renew: renewals.append(renew))
    turns = Turns(at_a_time=3)
    passed: list[int] = []

    async def take(number: int) -> None:
        await turns.take()
        passed.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(8)]
    for expected in (3, 6, 8):
        for _ in range(3):
            await asyncio.sleep(0)
        assert passed == list(range(expected))
        renewals.pop()()
    await asyncio.gather(*tasks)


async def test_who_gives_up_while_waiting_keeps_nobody_from_a_turn() -> None:
    turns = Turns(at_a_time=1)
    tasks = [asyncio.create_task(turns.take()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in tasks[1:4]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in ended] == [False, True, True, True, False]


async def test_a_timer_runs_only_while_somebody_wants_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals: list[Callable[[], None]] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _, renew: renewals.append(renew))
    turns = Turns(at_a_time=1)
    assert not renewals
    await turns.take()
    renewals.pop()()
    assert not renewals


async def test_after_turns_that_took_long_the_next_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    clock = iter([10.0, 10.3])
    monkeypatch.setattr("croupier.server.turns.perf_counter", lambda: next(clock))
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda pause, _: pauses.append(pause))
    turns = Turns(at_a_time=1)
    tasks = [asyncio.create_task(turns.take()) for _ in range(2)]
    await asyncio.sleep(0)
    turns._renew()
    await asyncio.gather(*tasks)
    await asyncio.sleep(0)
    assert pauses[-1] == pytest.approx(0.3 * (1 / SHARE - 1))
