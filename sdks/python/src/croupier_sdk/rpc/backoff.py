import random
from dataclasses import dataclass, field

_FIRST = 0.1
_LAST = 30.0
_JITTER = 0.2


@dataclass(slots=True)
class Backoff:
    """Seconds to wait before the next try: 0.1 doubling to 30, give or take a fifth."""

    _next: float = field(default=_FIRST, init=False)

    def delay(self) -> float:
        delay, self._next = self._next, min(self._next * 2, _LAST)
        return delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 — it spreads load, it keeps no secret

    def reset(self) -> None:
        self._next = _FIRST
