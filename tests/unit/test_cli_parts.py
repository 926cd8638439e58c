import asyncio
from collections.abc import Callable

import pytest

from croupier.cli.parts import Parts
from croupier.errors import InternalError, Unavailable


class Part:
    """Serves until cancelled and notes what happened to it."""

    def __init__(self, name: str, story: list[str]) -> None:
        self.name = name
        self.story = story

    async def __call__(self, *, ready: Callable[[str], None]) -> None:
        self.story.append(f"{self.name} starts")
        ready(self.name)
        try:
            await asyncio.Event().wait()
        finally:
            self.story.append(f"{self.name} stops")


async def test_parts_start_in_order_and_stop_in_the_reverse_order():
    story: list[str] = []
    async with Parts() as parts:
        assert await parts.start("a", Part("a", story)) == "a"
        assert await parts.start("b", Part("b", story)) == "b"
    assert story == ["a starts", "b starts", "b stops", "a stops"]


async def test_a_part_that_cannot_start_ends_the_start_and_stops_the_others():
    story: list[str] = []

    async def broken(*, ready: Callable[[str], None]) -> None:
        raise Unavailable("the port is taken")

    with pytest.raises(Unavailable, match="the port is taken"):
        async with Parts() as parts:
            await parts.start("a", Part("a", story))
            await parts.start("b", broken)
    assert story == ["a starts", "a stops"]


async def test_a_part_that_fails_later_ends_what_waits():
    fail = asyncio.Event()

    async def fragile() -> None:
        await fail.wait()
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable, match="the disk is full"):
        async with Parts() as parts:
            parts.add("fragile", fragile())
            fail.set()
            await parts.while_running(asyncio.Event().wait())


async def test_a_part_that_ends_by_itself_is_named():
    async def short() -> None:
        return

    with pytest.raises(InternalError, match="the game ended by itself"):
        async with Parts() as parts:
            parts.add("the game", short())
            await parts.while_running(asyncio.Event().wait())


async def test_a_part_that_fails_while_it_stops_is_logged_and_the_rest_still_stops(caplog):
    story: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise Unavailable("no goodbye")

    async with Parts() as parts:
        await parts.start("a", Part("a", story))
        parts.add("stubborn", stubborn())
        await asyncio.sleep(0)
    assert story == ["a starts", "a stops"]
    assert "stubborn failed while it stopped" in caplog.text
