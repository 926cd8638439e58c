"""PORT: what must be kept of limits and maintenance windows. The promises of `croupier.store` hold here too."""

from collections.abc import Sequence
from typing import Protocol

from croupier.domain.limit import Limit, Spent
from croupier.domain.maintenance import Window


class GuardStore(Protocol):
    async def put_limit(self, limit: Limit) -> None:
        """Keep it, in place of what was kept under its id."""

    async def remove_limit(self, limit_id: str) -> None:
        """Forget it, and what was spent of it; an unknown one is left unknown."""

    async def limits(self) -> list[Limit]:
        """By id."""

    async def put_window(self, window: Window) -> None:
        """Keep it, in place of what was kept under its id."""

    async def windows(self) -> list[Window]:
        """By their start."""

    async def keep_spent(self, spent: Sequence[Spent]) -> None:
        """These sums count now, each in place of what was kept for its limit, holder and period.

        Returns at once, as with `durable=False`: what is recorded after it is not on disk before it.
        """

    async def spent(self) -> list[Spent]: ...

    async def forget_guards(self, before_ms: int) -> None:
        """Forget the sums of periods that ended before then, and windows that did."""
