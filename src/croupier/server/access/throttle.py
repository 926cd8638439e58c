"""Guessing passwords is slow, and guessing somebody's does not keep them out.

    each account from each address     a few tries, then waits that double
    each address, whatever account     a budget that fills slowly                 ─► no: wait so long
    each account, whatever address     a budget; when it is used up, addresses from which nobody signed in to it
                                       before get one try, then wait

So whoever guesses from one place is slowed down there only, and whoever guesses from many places slows strangers down:
the owner, at an address that is known or at a new one, gets the first try at once. Names that do not exist count alike.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

from croupier.codes import Code
from croupier.errors import RateLimited

Seconds = Callable[[], float]
"""A clock that only goes on."""

FREE_TRIES = 3
LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 3600.0
ADDRESS_TRIES = 30
ADDRESS_REFILL = 10.0
"""Seconds until an address has one try more."""
ACCOUNT_TRIES = 50
ACCOUNT_REFILL = 60.0
SLOW_WAIT = 60.0
"""The first wait of a stranger where an account is being guessed at."""

KEPT = 100_000
"""Addresses, accounts and pairs of both that are remembered, of each; the longest unused are forgotten."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Recent(Generic[K, V]):
    """The last `KEPT` things that were asked for."""

    def __init__(self, make: Callable[[], V]) -> None:
        self._make = make
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __getitem__(self, key: K) -> V:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._make()
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found

    def drop(self, key: K) -> None:
        self._kept.pop(key, None)


class _Budget:
    __slots__ = ("_at", "_every", "_left", "_most")

    def __init__(self, most: float, every: float, now: float) -> None:
        self._most, self._every = most, every
        self._left, self._at = most, now

    def take(self, now: float) -> float:
        """Take one. Returns 0, or how many seconds until there is one."""
        self._left = min(self._most, self._left + (now - self._at) / self._every)
        self._at = now
        if self._left < 1:
            return (1 - self._left) * self._every
        self._left -= 1
        return 0.0

    def give_back(self) -> None:
        self._left = min(self._most, self._left + 1)


class _Tries:
    __slots__ = ("count", "not_before", "since")

    def __init__(self) -> None:
        self.count = 0
        self.not_before = 0.0
        self.since = 0.0


class Attempt:
    """A try that may be made. It counts as failed until it is forgiven."""

    def __init__(self, throttle: "Throttle", account: str, address: str) -> None:
        self._throttle = throttle
        self._account = account
        self._address = address

    def forgive(self) -> None:
        """It succeeded, or was none."""
        self._throttle.forgive(self._account, self._address)


class Throttle:
    def __init__(self, now: Seconds = time.monotonic) -> None:
        self._now = now
        self._pairs: _Recent[tuple[str, str], _Tries] = _Recent(_Tries)
        self._addresses: _Recent[str, _Budget] = _Recent(lambda: _Budget(ADDRESS_TRIES, ADDRESS_REFILL, now()))
        self._accounts: _Recent[str, _Budget] = _Recent(lambda: _Budget(ACCOUNT_TRIES, ACCOUNT_REFILL, now()))

    def enter(self, account: str, address: str, *, is_known: bool = False) -> Attempt:
        """`account` is what was asked for, whether or not it exists; `is_known` when its owner signed in from `address` before.

        Raises RateLimited, saying when to come back.
        """
        address = network_of(address)
        now = self._now()
        tries = self._pairs[(account, address)]
        if now - tries.since > FORGOTTEN_AFTER:
            tries.count = 0
        if now < tries.not_before:
            raise _come_back(tries.not_before - now)
        if (wait := self._addresses[address].take(now)) > 0:
            raise _come_back(wait)
        guessed = self._accounts[account].take(now) > 0 and not is_known
        tries.count += 1
        tries.since = now
        tries.not_before = now + _wait_after(tries.count, guessed=guessed)
        return Attempt(self, account, address)

    def forgive(self, account: str, address: str) -> None:
        self._pairs.drop((account, address))
        self._addresses[address].give_back()
        self._accounts[account].give_back()


def _wait_after(count: int, *, guessed: bool) -> float:
    doublings = count - 1 if guessed else count - FREE_TRIES
    if doublings < 0:
        return 0.0
    return min(LONGEST_WAIT, (SLOW_WAIT if guessed else 1.0) * 2.0 ** min(doublings, 20))


def _come_back(seconds: float) -> RateLimited:
    wait = max(1, math.ceil(seconds))
    error = RateLimited(f"too many tries: come back in {wait} s", {"retry_after": str(wait)}, code=Code.TRIES_TOO_MANY)
    error.retry_after = wait
    return error


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What one caller has of addresses: a single IPv4 address, or a /64 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
