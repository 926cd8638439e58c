"""PORT: tell others in the platform that something happened.

A message is a hint to look in the store, never the only copy of anything: a subscriber that falls behind keeps the newest
messages and is told that it missed some.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

WAITING = 256
"""Notices that a subscription keeps unless it asks for more; the oldest give way."""


@dataclass(frozen=True, slots=True)
class Notice:
    topic: str
    body: bytes
    missed: bool = False
    """Older notices of this subscription were dropped before this one."""


class Bus(Protocol):
    async def publish(self, topic: str, body: bytes) -> None: ...

    def subscribe(self, topic: str, *, waiting: int = WAITING) -> AbstractAsyncContextManager[AsyncIterator[Notice]]:
        """Every notice of exactly `topic` published after the context was entered. At most `waiting` wait."""

    def heard(self, topic: str) -> bool:
        """Whether somebody may be subscribed: where nobody is, a notice need not be made. Costs next to nothing."""

    async def close(self) -> None:
        """End every subscription, once it has given what waits. A bus that is closed takes no notices."""
