"""The sentences of `croupier.bus`, each a test, over every implementation."""

import asyncio
from itertools import pairwise

from croupier.bus import Bus, Notice


async def test_a_subscriber_gets_what_is_published_after_it_entered_in_order(bus: Bus):
    await bus.publish("jobs", b"before")
    async with bus.subscribe("jobs") as notices:
        for body in (b"1", b"2", b"3"):
            await bus.publish("jobs", body)

        assert [await anext(notices) for _ in range(3)] == [Notice("jobs", body) for body in (b"1", b"2", b"3")]


async def test_a_subscriber_that_waits_is_woken(bus: Bus):
    async with bus.subscribe("jobs") as notices:
        waiting = asyncio.ensure_future(anext(notices))
        await asyncio.sleep(0)
        await bus.publish("jobs", b"1")

        assert (await waiting).body == b"1"


async def test_only_exactly_the_topic_is_delivered(bus: Bus):
    async with bus.subscribe("jobs") as notices:
        for topic in ("jobs.1", "job", "Jobs", "", "jobs"):
            await bus.publish(topic, topic.encode())

        assert await anext(notices) == Notice("jobs", b"jobs")


async def test_every_subscriber_gets_its_own(bus: Bus):
    async with bus.subscribe("jobs") as one, bus.subscribe("jobs") as two:
        await bus.publish("jobs", b"1")

        assert (await anext(one)).body == (await anext(two)).body == b"1"


async def test_one_that_falls_behind_keeps_the_newest_256_and_is_told_once(bus: Bus):
    async with bus.subscribe("jobs") as notices, bus.subscribe("jobs") as other:
        for number in range(300):
            await bus.publish("jobs", number.to_bytes(2))
            await anext(other)
        got = [await anext(notices) for _ in range(256)]
        await bus.publish("jobs", b"next")

        assert [int.from_bytes(notice.body) for notice in got] == list(range(44, 300))
        assert [notice.missed for notice in got] == [True] + [False] * 255
        assert await anext(notices) == Notice("jobs", b"next")


async def test_a_burst_of_256_is_missed_by_nobody(bus: Bus):
    async with bus.subscribe("jobs") as notices:
        for number in range(256):
            await bus.publish("jobs", number.to_bytes(2))
        got = [await anext(notices) for _ in range(256)]

        assert not any(notice.missed for notice in got)
        assert all(one.body < two.body for one, two in pairwise(got))


async def test_a_cancelled_wait_loses_nothing(bus: Bus):
    async with bus.subscribe("jobs") as notices:
        waiting = asyncio.ensure_future(anext(notices))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await bus.publish("jobs", b"1")

        assert (await anext(notices)).body == b"1"


async def test_a_subscription_may_leave_while_others_stay_and_come_again(bus: Bus):
    async with bus.subscribe("jobs") as staying:
        async with bus.subscribe("jobs"):
            pass
        await bus.publish("jobs", b"1")
        async with bus.subscribe("jobs") as again:
            await bus.publish("jobs", b"2")

            assert [(await anext(staying)).body for _ in range(2)] == [b"1", b"2"]
            assert (await anext(again)).body == b"2"


async def test_closing_ends_every_subscription_once_it_has_given_what_waits(bus: Bus):
    async with bus.subscribe("jobs") as full, bus.subscribe("runs") as empty:
        waiting = asyncio.ensure_future(anext(empty, None))
        await bus.publish("jobs", b"1")
        await bus.close()
        await bus.publish("jobs", b"too late")

        assert [notice.body async for notice in full] == [b"1"]
        assert await waiting is None


async def test_a_subscription_of_a_closed_bus_has_ended(bus: Bus):
    await bus.close()
    async with bus.subscribe("jobs") as notices:
        assert [notice async for notice in notices] == []


async def test_a_subscription_may_keep_more(bus: Bus):
    async with bus.subscribe("jobs", waiting=1_000) as notices:
        for number in range(1_000):
            await bus.publish("jobs", number.to_bytes(2))

        assert [(await anext(notices)).missed for _ in range(1_000)] == [False] * 1_000


async def test_a_topic_with_a_subscriber_is_heard(bus: Bus):
    async with bus.subscribe("jobs"):
        assert bus.heard("jobs")
