import random
from dataclasses import dataclass
from itertools import count


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


class Redial:
    """How long to wait before the next server of a list is dialled, as one after another is.

    The pause doubles from round to round, once each of them was tried; the next one of a round comes after the first pause, since
    whatever ails one server says nothing of the others.
    """

    def __init__(self, servers: int, backoff: Backoff, *, hurry: float, resumable: float) -> None:
        """No pause is longer than `hurry` seconds until `resumable` seconds after a stream: calls wait for it that long."""
        self._servers = servers
        self._backoff = backoff
        self._hurry = hurry
        self._hurried = next(failures for failures in count() if backoff.first * 2.0**failures >= hurry)
        self._resumable = resumable
        self._resumable_until = 0.0
        self._missed = 0

    def pause(self, now: float, *, lived: float | None) -> float:
        """Seconds from `now`, when a try has ended; the stream `lived` so many, None where nobody answered."""
        if lived is not None:
            self._resumable_until = now + self._resumable
            self._missed = self._missed if lived < self._backoff.settled else 0
        rounds, within = divmod(self._missed, self._servers)
        self._missed += 1
        if now >= self._resumable_until:
            return self._backoff.pause(0 if within else rounds)
        # The hurried tries do not count: the doubling goes on from where they end.
        self._missed = min(self._missed, self._hurried * self._servers)
        return self._backoff.pause(0 if within else rounds, self._hurry)
