"""How many requests one credential, or an address without one, may send: so that nobody takes the server for themselves.

The bearer of the token of the settings is not held back, and health is not asked for.
"""

import time
from collections.abc import Callable

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

    def admit(self, caller: Principal) -> None:
        """Raises RateLimited."""
        if self._credential is not None and not caller.root:
            _take(self._credentials, caller.credential or f"{caller.kind}:{caller.name}", self._credential)

    def stranger(self, address: str) -> None:
        """For a request that shows no credential, or one that nobody issued. Raises RateLimited."""
        if self._address is not None:
            _take(self._addresses, network_of(address), self._address)


def _rate(per_second: float, saved: float) -> Rate | None:
    return (
        Rate(calls=max(1.0, per_second * saved), seconds=max(1.0, per_second * saved) / per_second)
        if per_second
        else None
    )


def _take(rates: Rates, key: str, rate: Rate) -> None:
    now = rates.clock()
    if wait := rates.wait(key, rate, now):
        error = RateLimited(
            f"rate limited: too many requests, at most {1 / rate.interval:g} a second are taken from one caller; "
            f"try again in {wait:.3g} s",
            {"retry_after": f"{wait:.3f}"},
        )
        error.retry_after = wait
        raise error
    rates.take(key, rate, now)
