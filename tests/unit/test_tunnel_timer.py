"""The timer of a session, on the loop that the processes run on and on asyncio's own."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from croupier.tunnel.peer import Timer


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_a_moment_that_has_passed_is_due_at_once_and_may_be_armed_again(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scenario() -> list[str]:
        told: list[str] = []
        over = asyncio.Event()
        moments: list[float] = [asyncio.get_running_loop().time() - 1.0]

        def due() -> None:
            told.append("due")
            moments.clear()
            over.set()

        timer = Timer(lambda: min(moments, default=None), due)
        timer.arm()
        timer.arm()
        await over.wait()
        timer.cancel()
        return told

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(scenario()) == ["due"]
