"""PORT: what must be kept of bulk runs. The promises of `croupier.store` hold here too."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from croupier.domain.bulk import Bulk, BulkRow, BulkState, RowState
from croupier.domain.policy import Within
from croupier.domain.scope import Scope

WRITE_ROWS = 500
"""The most rows that are given in one writing, so that no call waits long behind one."""


class BulkStore(Protocol):
    async def create(self, bulk: Bulk) -> None: ...

    async def update(self, bulk: Bulk) -> None:
        """Replace what is kept of the bulk of this id; an unknown one is left unknown."""

    async def add(self, bulk_id: str, rows: Sequence[BulkRow]) -> None:
        """Add rows, all of them or none."""

    async def record(self, bulk_id: str, rows: Sequence[BulkRow], *, durable: bool = True) -> None:
        """Replace the rows' states and outcomes. Their arguments, lines and faults stay as they were added."""

    async def discard(self, bulk_id: str) -> None:
        """Forget the bulk and its rows, the rows first and in portions. Safe to repeat after a kill."""

    async def bulk(self, bulk_id: str) -> Bulk | None: ...

    async def bulks(
        self, scope: Scope | None, states: frozenset[BulkState], limit: int, *, within: Within | None = None
    ) -> list[Bulk]:
        """Newest first; no scope is every scope, or every one `within` those; no states is every state."""

    async def rows(self, bulk_id: str, states: frozenset[RowState], *, after: int, limit: int) -> list[BulkRow]:
        """Rows with a number above `after`, ascending; no states is every state."""

    async def counts(self, bulk_id: str) -> Mapping[RowState, int]:
        """How many rows are in each state; a state of none is left out."""
