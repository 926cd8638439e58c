"""Calls, looked up after the fact."""

import asyncio
from dataclasses import replace

from croupier.domain.call import Result
from croupier.domain.listing import CallFilter, Cursor, Page
from croupier.domain.principal import Principal
from croupier.errors import NotFound
from croupier.server.access.audit import NOTHING_SAID, Audit
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog
from croupier.store import CallRecord, CallStore

AT_ONCE_BYTES = 65_536
"""Larger payloads are masked on a thread."""


class History:
    """What is kept of a call is what a repetition needs; what is shown of it is masked, as in the audit record."""

    def __init__(self, *, guard: Guard, store: CallStore, catalog: Catalog, audit: Audit) -> None:
        self._guard = guard
        self._store = store
        self._catalog = catalog
        self._audit = audit

    async def calls(
        self, caller: Principal, which: CallFilter, limit: int, after: Cursor | None = None
    ) -> Page[CallRecord]:
        """Those that fit, newest first, without payloads, metadata and results."""
        which = replace(which, within=await self._guard.where(caller, "calls.read", which.scope))
        return await self._store.calls(which, limit, after)

    async def call(self, caller: Principal, call_id: str, *, reveal: bool = False) -> CallRecord:
        """With sensitive values masked; to `reveal` them takes a permission of its own, and is on record.

        Raises NotFound ("unknown call …").
        """
        record = await self.whole(caller, call_id)
        scope = record.call.scope
        if not reveal:
            large = len(record.call.payload) + len(_answer(record)) > AT_ONCE_BYTES
            return await asyncio.to_thread(self._masked, record) if large else self._masked(record)
        await self._guard.require(caller, "calls.reveal", scope, call_id)
        await self._audit.event(caller, "calls.reveal", scope=scope, target=call_id)
        return record

    async def whole(self, caller: Principal, call_id: str) -> CallRecord:
        """As it was, to be made again; not to be shown. Raises NotFound ("unknown call …")."""
        unknown = f"unknown call {call_id}: it was never recorded, or its record has been archived since"
        record = await self._store.call(call_id)
        if record is None:
            raise NotFound(unknown)
        await self._guard.require_of(caller, "calls.read", record.call.scope, call_id, unknown=unknown)
        return record

    def _masked(self, record: CallRecord) -> CallRecord:
        call, masker = record.call, self._audit.masker
        entry = self._catalog.entry(call.scope, call.function_id)
        sensitive = entry.sensitive if entry is not None else NOTHING_SAID
        shown = replace(call, payload=masker.shown(call.payload, sensitive), metadata=masker.texts(call.metadata))
        outcome = record.outcome
        if isinstance(outcome, Result):
            outcome = replace(outcome, payload=masker.shown(outcome.payload, sensitive))
        return replace(record, call=shown, outcome=outcome)


def _answer(record: CallRecord) -> bytes:
    return record.outcome.payload if isinstance(record.outcome, Result) else b""
