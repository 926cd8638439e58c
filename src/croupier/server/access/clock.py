"""A clock that is not turned back."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""


def _wall() -> int:
    return time.time_ns() // 1_000_000


def _steady() -> int:
    return time.monotonic_ns() // 1_000_000


class OnwardClock:
    """The wall's clock, as long as that goes on. When it is set back, time goes on from where it was.

    What ended by it stays ended. A clock that jumps forward ends too much rather than too little.
    """

    __slots__ = ("_ahead", "_steady", "_wall")

    def __init__(self, *, wall: Clock = _wall, steady: Clock = _steady) -> None:
        self._wall = wall
        self._steady = steady
        self._ahead = wall() - steady()
        """How far time is ahead of the steady clock, at least."""

    def __call__(self) -> int:
        steady = self._steady()
        ahead = self._wall() - steady
        self._ahead = max(self._ahead, ahead)
        return steady + self._ahead
