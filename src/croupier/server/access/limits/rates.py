"""Token buckets, each remembered as one number: when it will be full again (the generic cell rate algorithm of ITU-T I.371)."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from croupier.domain.limit import Rate

MOST_BUCKETS = 50_000
"""More are let go of, the one that was not used for longest first: whoever had it may begin with a full one."""
_SWEPT = 1_000
_NEVER = 1e-9
"""Seconds that sums of floating point may be off."""


class Rates:
    """`clock` gives seconds, and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def wait(self, key: Hashable, rate: Rate, now: float) -> float:
        """Seconds until one more may be taken from the bucket; 0 when it may be now. Takes nothing."""
        full_at = self._full_at.get(key)
        if full_at is None:
            return 0.0
        saved = max(rate.calls, 1.0) - 1.0
        wait = full_at - now - saved * rate.interval
        return wait if wait > _NEVER else 0.0

    def left(self, key: Hashable, rate: Rate, now: float) -> int:
        """How many may be taken from the bucket now, one after the other. Takes none."""
        most = max(rate.calls, 1.0)
        full_in = max(0.0, self._full_at.get(key, now) - now)
        return max(0, int(most - full_in / rate.interval + _NEVER))

    def take(self, key: Hashable, rate: Rate, now: float) -> None:
        full_at = self._full_at.get(key, now)
        self._full_at[key] = (max(now, full_at)) + rate.interval
        self._full_at.move_to_end(key)
        if len(self._full_at) > MOST_BUCKETS:
            self._sweep(now)

    def forget(self, key: Hashable) -> None:
        self._full_at.pop(key, None)

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now: float) -> None:
        """Full buckets are as good as none; of the rest, those go that were not used for longest."""
        oldest = [key for key, _ in zip(self._full_at, range(_SWEPT), strict=False)]
        full = [key for key in oldest if self._full_at[key] <= now]
        for key in full or oldest[:1]:
            del self._full_at[key]
