"""Passwords, as argon2id hashes (RFC 9106). Hashing takes its time on purpose: on threads, few at once."""

import asyncio
import base64
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

from croupier.codes import Code
from croupier.domain.account import folded
from croupier.errors import InternalError, InvalidArgument, RateLimited

T = TypeVar("T")

SHORTEST = 10
"""Characters of a new password."""
LARGEST_BYTES = 1024

AT_ONCE = 2
WAITING = 64
"""More sign-ins than these do not wait for their turn: of strangers, and apart from them of those who are known."""

_BUSY = "too many people sign in at this moment: try again in a few seconds"


def usual_hasher() -> PasswordHasher:
    """46 MiB, two passes, one lane: twice the least that OWASP advises (Password Storage, 2025)."""
    return PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)


class Passwords:
    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._strangers = _Lane(AT_ONCE)
        self._known = _Lane(1)
        self._nobodys = _hash_of_nothing(hasher)

    async def hash(self, password: str) -> str:
        """What is kept of it. Raises RateLimited when too many wait."""
        return await self._known.run(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, kept: str, password: str, *, is_known: bool = False) -> bool:
        """Whether `kept` is a hash of it. Nothing kept takes as long as something, and is never right. Who `is_known` does
        not wait behind strangers.

        Raises RateLimited when too many wait.
        """
        lane = self._known if is_known else self._strangers
        found = await lane.run(lambda: self._verify(kept or self._nobodys, _bytes(password)))
        return found and bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than those of now: hash again at the next sign-in."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        self._strangers.close()
        self._known.close()

    def _verify(self, kept: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except VerifyMismatchError:
            return False
        except (Argon2Error, InvalidHashError) as error:
            raise InternalError("a kept password hash cannot be read: set a new password") from error


class _Lane:
    """Threads, and who waits for them."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Raises RateLimited when too many wait."""
        if self._waiting >= WAITING:
            raise RateLimited(_BUSY, code=Code.SIGNING_IN_BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def check_new(password: str, name: str) -> None:
    """Raises InvalidArgument unless `password` may be the new one of the account `name`."""
    check_size(password)
    if len(password) < SHORTEST:
        raise InvalidArgument(
            f"a password has at least {SHORTEST} characters; several words are good",
            {"least": str(SHORTEST)},
            code=Code.PASSWORD_SHORT,
        )
    if folded(password) == folded(name) or len(set(password)) < 4:
        raise InvalidArgument(
            "this password is easy to guess: choose another; several words are good",
            code=Code.PASSWORD_EASY,
        )


def check_size(password: str) -> None:
    """Raises InvalidArgument for one that is no password, whoever's."""
    if len(password.encode(errors="replace")) > LARGEST_BYTES:
        raise InvalidArgument(
            f"a password has at most {LARGEST_BYTES} bytes",
            {"most": str(LARGEST_BYTES)},
            code=Code.PASSWORD_LONG,
        )


def _bytes(password: str) -> bytes:
    # Keyboards differ in how they compose letters (RFC 8265 asks for one form).
    return unicodedata.normalize("NFC", password).encode(errors="replace")


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash with the parameters of now that no password has: a random one that was never computed."""
    salt, digest = (
        base64.b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"
