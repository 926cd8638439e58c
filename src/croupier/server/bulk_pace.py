"""How fast rows may be begun, how fast they end. No clock of its own: whoever asks says what time it is, in seconds."""

import random
from collections import deque

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
CATCH_UP = 0.02
"""Seconds of turns that may be taken at once by who was late."""
WINDOW = 10.0
"""Seconds over which the speed is taken."""


class Pace:
    """So many turns a second, evenly: what was not used is not saved up, but for CATCH_UP."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next turn; 0 when it is now."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """Take a turn. Who comes a little late may catch up, else a busy loop would never reach the rate."""
        late = now - self._next
        self._next = (self._next if late < max(self._between, CATCH_UP) else now) + self._between


class Speed:
    """Rows ended per second, lately."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int]] = deque()
        """Whole seconds and how many ended in each."""

    def note(self, now: float) -> None:
        second, count = int(now), 0
        if self._seconds and self._seconds[-1][0] == second:
            count = self._seconds.pop()[1]
        self._seconds.append((second, count + 1))
        self._forget(now)

    def per_second(self, now: float) -> float:
        self._forget(now)
        if not self._seconds:
            return 0.0
        return sum(count for _, count in self._seconds) / max(1.0, min(WINDOW, now - self._seconds[0][0]))

    def _forget(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] < now - WINDOW:
            self._seconds.popleft()


def pause_before(attempt: int) -> float:
    """Seconds before a row is tried again that was tried `attempt` times: 100 ms, doubling to 30 s, ±20 %."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 20)) * random.uniform(0.8, 1.2)  # noqa: S311 — spreads retries, guards nothing
