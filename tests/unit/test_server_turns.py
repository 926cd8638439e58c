"""A crowd takes turns, a few in each turn of the loop."""

import asyncio

from croupier.server.turns import Turns


async def crowd(turns: Turns, count: int) -> list[int]:
    """In which turn of the loop each of the crowd came through, in the order in which they asked."""
    now = 0
    passed: dict[int, int] = {}

    async def take(number: int) -> None:
        await turns.take()
        passed[number] = now

    tasks = [asyncio.create_task(take(number)) for number in range(count)]
    while len(passed) < count:
        now += 1
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return [passed[number] for number in range(count)]


async def test_of_a_crowd_at_most_so_many_pass_in_one_turn_of_the_loop_and_in_order() -> None:
    passed = await crowd(Turns(at_a_time=3), 20)
    assert passed == sorted(passed)
    assert max(passed.count(turn) for turn in passed) == 3


async def test_few_pass_at_once() -> None:
    assert len(set(await crowd(Turns(at_a_time=3), 3))) == 1


async def test_who_gives_up_while_waiting_keeps_nobody_from_a_turn() -> None:
    turns = Turns(at_a_time=1)
    tasks = [asyncio.create_task(turns.take()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in tasks[1:4]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in ended] == [False, True, True, True, False]


async def test_nobody_who_wants_a_turn_leaves_the_loop_idle() -> None:
    turns = Turns(at_a_time=1)
    await turns.take()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not turns._renewing  # a callback for ever would burn a core, and nothing else shows it
