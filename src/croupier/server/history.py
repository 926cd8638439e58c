"""Calls, looked up after the fact."""

from dataclasses import replace

from croupier.domain.listing import CallFilter, Cursor, Page
from croupier.domain.principal import Principal
from croupier.errors import NotFound
from croupier.server.access.guard import Guard
from croupier.store import CallRecord, CallStore


class History:
    def __init__(self, *, guard: Guard, store: CallStore) -> None:
        self._guard = guard
        self._store = store

    async def calls(
        self, caller: Principal, which: CallFilter, limit: int, after: Cursor | None = None
    ) -> Page[CallRecord]:
        """Those that fit, newest first, without payloads, metadata and results."""
        which = replace(which, within=await self._guard.where(caller, "calls.read", which.scope))
        return await self._store.calls(which, limit, after)

    async def call(self, caller: Principal, call_id: str) -> CallRecord:
        """Raises NotFound ("unknown call …")."""
        unknown = f"unknown call {call_id}: it was never recorded, or its record has been archived since"
        record = await self._store.call(call_id)
        if record is None:
            raise NotFound(unknown)
        await self._guard.require_of(caller, "calls.read", record.call.scope, call_id, unknown=unknown)
        return record
