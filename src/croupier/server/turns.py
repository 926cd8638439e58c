"""Keeps a crowd from holding the event loop, and from slowing what it looks at: a few get their turn at a time, in order.

Together they never take more than a share of the loop; what happens while they wait they get in larger portions.
"""

import asyncio
from collections import deque

AT_A_TIME = 8
EVERY = 0.005
"""Seconds from one few to the next. A follower's turn takes some 50 to 100 µs: about a tenth of the loop."""


class Turns:
    """Of one event loop. Costs a timer while somebody wants a turn."""

    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._at_a_time = at_a_time
        self._left = at_a_time
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._renewal: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Returns at once, or when it is one's turn."""
        self._renew_later()
        if self._left and not self._waiting:
            self._left -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _renew_later(self) -> None:
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().call_later(EVERY, self._renew)

    def _renew(self) -> None:
        self._renewal = None
        self._left = self._at_a_time
        while self._left and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # cancelled while it waited
                waiter.set_result(None)
                self._left -= 1
        if self._left < self._at_a_time:
            self._renew_later()
