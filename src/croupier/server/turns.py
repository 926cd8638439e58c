"""Keeps a crowd from holding the event loop, and from slowing what it looks at: a few get their turn at a time, in order.

Together they never take more than a share of the loop; what happens while they wait they get in larger portions.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from time import perf_counter

AT_A_TIME = 8
EVERY = 0.005
"""Seconds from one few to the next, at least."""
SHARE = 0.1
"""Of the loop's time, how much they take together: after turns that took long the next few wait longer."""


class Turns:
    """Of one event loop. Costs a timer while somebody wants a turn."""

    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._at_a_time = at_a_time
        self._left = at_a_time
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._renewal: asyncio.TimerHandle | None = None
        self._pause = EVERY

    async def take(self) -> None:
        """Returns at once, or when it is one's turn."""
        self._renew_later()
        if self._left and not self._waiting:
            self._left -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def line_up(self, waiters: Iterable[asyncio.Future[None]]) -> None:
        """Each gets its turn, in order, and is done then. A crowd costs the loop little more than a copy: nobody wakes before."""
        self._waiting.extend(waiters)
        self._let_in()
        self._renew_later()

    def _renew_later(self) -> None:
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().call_later(self._pause, self._renew)

    def _renew(self) -> None:
        self._renewal = None
        self._left = self._at_a_time
        self._let_in()
        if self._left < self._at_a_time:
            # It is called after those who were just woken have had their turn.
            asyncio.get_running_loop().call_soon(self._had_theirs, perf_counter())

    def _let_in(self) -> None:
        while self._left and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # cancelled while it waited
                waiter.set_result(None)
                self._left -= 1

    def _had_theirs(self, since: float) -> None:
        self._pause = max(EVERY, (perf_counter() - since) * (1 / SHARE - 1))
        self._renew_later()
