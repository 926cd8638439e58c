"""Keeps a crowd from holding the event loop: of those who want a turn, a few at a time get one, in order."""

import asyncio
from collections import deque

AT_A_TIME = 8
"""Who passes in one turn of the loop. A follower's turn takes some 50 to 100 µs, so others wait less than a millisecond."""


class Turns:
    """Of one event loop. Costs nothing but a callback while few want a turn."""

    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._at_a_time = at_a_time
        self._left = at_a_time
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._renewing = False

    async def take(self) -> None:
        """Returns at once, or when it is one's turn."""
        self._renew_soon()
        if self._left and not self._waiting:
            self._left -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _renew_soon(self) -> None:
        if not self._renewing:
            self._renewing = True
            asyncio.get_running_loop().call_soon(self._renew)

    def _renew(self) -> None:
        self._renewing = False
        self._left = self._at_a_time
        while self._left and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # cancelled while it waited
                waiter.set_result(None)
                self._left -= 1
        if self._left < self._at_a_time:
            self._renew_soon()
