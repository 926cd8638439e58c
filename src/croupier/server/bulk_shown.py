"""Rows of a bulk run as they are shown: like recorded calls, with what is sensitive masked, and whole to who may reveal it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from croupier.domain.bulk import Bulk, BulkRow
from croupier.domain.principal import Principal
from croupier.server.access.audit import NOTHING_SAID, Audit
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog


class ShownRows:
    def __init__(self, *, guard: Guard, audit: Audit, catalog: Catalog) -> None:
        self._guard = guard
        self._audit = audit
        self._catalog = catalog

    async def reveal(self, caller: Principal, bulk: Bulk) -> None:
        """`caller` is to see the rows as they are: that takes the permission of revealing calls, and is on record.

        Raises PermissionDenied.
        """
        await self._guard.require(caller, "calls.reveal", bulk.scope, bulk.id)
        await self._audit.event(caller, "calls.reveal", scope=bulk.scope, target=bulk.id)

    async def masked(self, bulk: Bulk, rows: Sequence[BulkRow]) -> list[BulkRow]:
        """A page of rows."""
        return await asyncio.to_thread(self._masked, bulk, rows)

    def _masked(self, bulk: Bulk, rows: Sequence[BulkRow]) -> list[BulkRow]:
        entry = self._catalog.entry(bulk.scope, bulk.function_id)
        sensitive = entry.sensitive if entry is not None else NOTHING_SAID
        shown = self._audit.masker.shown
        return [
            replace(row, payload=shown(row.payload, sensitive), result=shown(row.result, sensitive)) for row in rows
        ]
