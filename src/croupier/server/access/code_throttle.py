"""How fast six digits may be guessed.

Whoever guesses already knows the password. After some wrong codes each further one makes the next wait twice as long, to an
hour at most: 24 guesses a day of three codes in a million, a chance of 1 in 14 000 a day. The true owner, whom that would
keep out too, has recovery codes: they are too long to be guessed, and are taken at any time.
"""

from collections import OrderedDict
from dataclasses import dataclass

from croupier.codes import Code
from croupier.errors import RateLimited

FREE_FAILURES = 5
FIRST_DELAY_MS = 30_000
LONGEST_DELAY_MS = 3_600_000
REMEMBERED = 100_000
"""Accounts; the one that failed longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last_ms: int

    @property
    def delay_ms(self) -> int:
        if self.count < FREE_FAILURES:
            return 0
        return min(FIRST_DELAY_MS << min(self.count - FREE_FAILURES, 16), LONGEST_DELAY_MS)


class CodeThrottle:
    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def admit(self, user_id: str, now_ms: int) -> None:
        """Raises RateLimited, saying how long to wait. A clock that went back does not shorten the wait."""
        known = self._failures.get(user_id)
        if known is None or not known.delay_ms:
            return
        left = known.delay_ms - max(0, now_ms - known.last_ms)
        if left > 0:
            raise RateLimited(
                f"too many wrong codes: try again in {(left + 999) // 1000} seconds, or use a recovery code",
                {"retry_after": str((left + 999) // 1000), "second_factor": "true"},
                code=Code.CODES_TOO_MANY,
            )

    def failed(self, user_id: str, now_ms: int) -> None:
        known = self._failures.pop(user_id, _Failures(0, now_ms))
        self._failures[user_id] = _Failures(known.count + 1, max(known.last_ms, now_ms))
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, user_id: str) -> None:
        self._failures.pop(user_id, None)
