import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Pauses between tries, in seconds: doubling from `first` to `most`, each ±20 %."""

    first: float = 0.1
    most: float = 30.0
    settled: float = 1.0
    """A stream that lived so long makes the next pause a first one again."""

    def pause(self, failures: int, most: float | None = None) -> float:
        """After so many failures in a row; never longer than `most`, if it is given."""
        longest = self.most if most is None else min(most, self.most)
        return min(longest, self.first * 2.0 ** min(failures, 30)) * random.uniform(0.8, 1.2)  # noqa: S311 — jitter, no secret
