import random
from dataclasses import dataclass, field

_FIRST = 0.1
_LAST = 5.0
"""Agents are near, and one that was away is found again within seconds."""
_JITTER = 0.2


@dataclass(slots=True)
class Backoff:
    """Seconds to wait before the next try: 0.1 doubling to 5, give or take a fifth."""

    _next: float = field(default=_FIRST, init=False)

    def delay(self) -> float:
        delay, self._next = self._next, min(self._next * 2, _LAST)
        return delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 — it spreads load, it keeps no secret

    def reset(self) -> None:
        self._next = _FIRST
