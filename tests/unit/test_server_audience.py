"""Who follows a job is told together that there is more, and let in a few at a time."""

import asyncio

import pytest

from croupier.bus.memory import MemoryBus
from croupier.server.audience import Audience, Audiences
from croupier.server.ears import Ears
from croupier.server.job_events import topic
from croupier.server.turns import Turns

FEW = 3


class House:
    """A bus, and the audiences of jobs."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.ears = Ears(self.bus)
        self.turns = Turns(at_a_time=FEW)
        self.audiences = Audiences(self.ears, self.turns)

    async def say(self, job_id: str, stored: int | None) -> None:
        """How far the store is; None says only that there may be more."""
        await self.bus.publish(topic(job_id), b"" if stored is None else str(stored).encode())

    async def close(self) -> None:
        await self.ears.close()
        await self.bus.close()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_news_wakes_a_few_and_leaves_the_rest_asleep_until_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    async with house.audiences.of("j") as audience:
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda *_: None)
        waiting = [asyncio.create_task(audience.more(0, 0)) for _ in range(8)]
        await settled()
        await house.say("j", 5)
        for awake in (3, 6, 8):
            await settled()
            assert [each.done() for each in waiting] == [True] * awake + [False] * (8 - awake)
            house.turns._renew()
        assert await asyncio.gather(*waiting) == [True] * 8
    await house.close()


async def test_who_has_read_what_is_announced_waits_for_more() -> None:
    house = House()
    async with house.audiences.of("j") as audience:
        await house.say("j", 5)
        await settled()
        behind = asyncio.create_task(audience.more(4, 0))
        level = asyncio.create_task(audience.more(5, 0))
        assert await behind
        await settled()
        assert not level.done()
        await house.say("j", 5)
        await asyncio.sleep(0.05)
        assert not level.done()
        await house.say("j", 6)
        assert await level
    await house.close()


async def test_a_notice_that_does_not_say_how_far_sends_everybody_to_look_once() -> None:
    house = House()
    async with house.audiences.of("j") as audience:
        looking = asyncio.create_task(audience.more(7, audience.unsure))
        await settled()
        await house.say("j", None)
        assert await looking
        assert await audience.more(7, 0)
        again = asyncio.create_task(audience.more(7, audience.unsure))
        await asyncio.sleep(0.05)
        assert not again.done()
        again.cancel()
    await house.close()


async def test_a_closed_bus_ends_the_waiting() -> None:
    house = House()
    async with house.audiences.of("j") as audience:
        waiting = [asyncio.create_task(audience.more(0, 0)) for _ in range(5)]
        await settled()
        await house.bus.close()
        assert await asyncio.gather(*waiting) == [False] * 5
        assert not await audience.more(0, 0)


async def test_who_goes_while_it_waits_leaves_nothing_behind() -> None:
    house = House()
    async with house.audiences.of("j") as audience:
        waiting = [asyncio.create_task(audience.more(0, 0)) for _ in range(5)]
        await settled()
        for each in waiting[1:]:
            each.cancel()
        await asyncio.gather(*waiting[1:], return_exceptions=True)
        assert len(audience._waiting) == 1
        await house.say("j", 1)
        assert await waiting[0]
    await house.close()


async def test_an_audience_ends_with_its_last_member_and_jobs_do_not_mix() -> None:
    house = House()
    seen: list[Audience] = []
    async with house.audiences.of("a") as first, house.audiences.of("a") as second, house.audiences.of("b") as other:
        assert first is second
        seen = [first, other]
        waiting = asyncio.create_task(other.more(0, 0))
        await settled()
        await house.say("a", 9)
        assert await first.more(0, 0)
        assert not waiting.done()
        waiting.cancel()
        await settled()
    await settled()
    assert not house.bus.heard(topic("a"))
    async with house.audiences.of("a") as later:
        assert later not in seen
    await house.close()
