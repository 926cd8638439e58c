from collections import OrderedDict
from collections.abc import Callable

from croupier.errors import RateLimited

MOST_NAMES = 10_000


class Buckets:
    """So much at once and so much per second, for each name. `clock` gives seconds."""

    def __init__(self, *, burst: float, rate: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What each may still take, and when that was so. One that is not here may take all."""

    def take(self, name: str, amount: float, what: str) -> None:
        """Raises RateLimited, naming `what` there is too much of."""
        now = self._clock()
        level, since = self._levels.pop(name, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        self._levels[name] = (level if level < amount else level - amount), now
        if len(self._levels) > MOST_NAMES:
            self._levels.popitem(last=False)
        if level < amount:
            raise RateLimited(
                f"rate limited: too many {what} at once; send it again in {(amount - level) / self._rate:.0f} seconds"
            )
