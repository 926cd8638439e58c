"""How many requests one credential, or an address without one, may send: so that nobody takes the server for themselves.

The bearer of the token of the settings is not held back, and health is not asked for.
"""

import time
from collections import Counter
from collections.abc import Callable

from croupier.codes import Code
from croupier.domain.limit import Rate
from croupier.domain.principal import Principal
from croupier.errors import RateLimited
from croupier.server.access.limits.rates import Rates
from croupier.server.access.throttle import network_of

CREDENTIAL_SAVED, ADDRESS_SAVED = 2.0, 8.0
"""Seconds of requests that may come at once after a pause."""


class Throttle:
    """`credential` and `address` are requests per second; 0 holds nobody back. `clock` gives seconds and never goes back."""

    def __init__(
        self, *, credential: float = 0.0, address: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._credential = _rate(credential, CREDENTIAL_SAVED)
        self._address = _rate(address, ADDRESS_SAVED)
        self._credentials = Rates(clock)
        self._addresses = Rates(clock)
        self.refused: Counter[str] = Counter()
        """Requests that came too fast, by who is counted: `credential`, `address`."""

    def admit(self, caller: Principal) -> None:
        """Raises RateLimited."""
        if self._credential is not None and not caller.root:
            who = caller.credential or f"{caller.kind}:{caller.name}"
            self._take("credential", self._credentials, who, self._credential)

    def stranger(self, address: str) -> None:
        """For a request that shows no credential, or one that nobody issued. Raises RateLimited."""
        if self._address is not None:
            self._take("address", self._addresses, network_of(address), self._address)

    def _take(self, by: str, rates: Rates, key: str, rate: Rate) -> None:
        now = rates.clock()
        if wait := rates.wait(key, rate, now):
            self.refused[by] += 1
            raise _too_many(rate, wait)
        rates.take(key, rate, now)


def _too_many(rate: Rate, wait: float) -> RateLimited:
    error = RateLimited(
        f"rate limited: too many requests, at most {1 / rate.interval:g} a second are taken from one caller; "
        f"try again in {wait:.3g} s",
        {"retry_after": f"{wait:.3f}", "per_second": f"{1 / rate.interval:g}"},
        code=Code.REQUESTS_TOO_MANY,
    )
    error.retry_after = wait
    return error


def _rate(per_second: float, saved: float) -> Rate | None:
    return (
        Rate(calls=max(1.0, per_second * saved), seconds=max(1.0, per_second * saved) / per_second)
        if per_second
        else None
    )
