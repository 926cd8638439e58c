"""The audit record for those who may read it: looked through, taken along, verified, cut.

search, row ─► a page        export ─► JSON lines, signed; or CSV        verify ─► what is wrong with it
"""

import asyncio
from collections.abc import AsyncIterator

import orjson

from croupier.audit.signing import Witness
from croupier.audit.table import table, table_head
from croupier.audit.verify import Verdict
from croupier.domain.audit import AuditFilter, AuditPage, Checkpoint, Cut, Head, SealedRow
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, NotFound
from croupier.server.access.audit.audit import Audit
from croupier.server.access.audit.checkpoints import Checkpoints
from croupier.server.access.audit.cutting import Cuts
from croupier.server.access.audit.reader import EVERYTHING, ChainReader
from croupier.server.access.guard import Guard
from croupier.store.audit import AuditStore


class AuditRecord:
    def __init__(
        self,
        *,
        guard: Guard,
        store: AuditStore,
        audit: Audit,
        checkpoints: Checkpoints,
        reader: ChainReader,
        cuts: Cuts,
        witness: Witness,
    ) -> None:
        self._guard = guard
        self._store = store
        self._audit = audit
        self._checkpoints = checkpoints
        self._reader = reader
        self._cuts = cuts
        self._witness = witness

    def mask(self, value: str) -> str:
        """What stands in the record where `value` was sensitive."""
        return self._audit.masker.mask(value)

    async def search(self, caller: Principal, which: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        """Those that fit, newest first."""
        await self._guard.require(caller, "audit.read", which.scope)
        return await self._store.search(which, limit, before)

    async def row(self, caller: Principal, seq: int) -> SealedRow:
        """Raises NotFound, also for a row of a game that is none of the caller's."""
        unknown = f"there is no row {seq} in the audit record, or it was cut off"
        await self._guard.where(caller, "audit.read", None)
        found = await self._store.row(seq)
        if found is None:
            raise NotFound(unknown)
        scope = _scope_of(found)
        if scope is None:
            await self._guard.require(caller, "audit.read", None, str(seq))
        else:
            await self._guard.require_of(caller, "audit.read", scope, str(seq), unknown=unknown)
        return found

    async def export(
        self, caller: Principal, which: AuditFilter = EVERYTHING, *, csv: bool = False
    ) -> AsyncIterator[bytes]:
        """The rows up to now that fit, oldest first. It is on record that they were taken along."""
        await self._guard.require(caller, "audit.export", which.scope)
        details = {"form": "csv" if csv else "jsonl", "whole": which == EVERYTHING}
        await self._audit.event(caller, "audit.export", scope=which.scope, details=details)
        last = await self._store.head()
        return self._table(which, last) if csv else self._reader.lines(last, which)

    async def _table(self, which: AuditFilter, last: Head) -> AsyncIterator[bytes]:
        yield table_head()
        async for page in self._reader.pages((await self._reader.begin()).seq, last.seq):
            wanted = None if which == EVERYTHING else await self._reader.fitting(which, page)
            yield await asyncio.to_thread(table, [each for each in page if wanted is None or each.seq in wanted])

    async def verify(self, caller: Principal) -> Verdict:
        """Every row, its mac, and whether a checkpoint or cut says otherwise."""
        await self._guard.require(caller, "audit.verify", None)
        return await self._reader.verify(await self._store.head())

    async def checkpoints(self, caller: Principal, after: int, limit: int) -> tuple[str, list[Checkpoint]]:
        """The public key as hex, and the checkpoints after a row."""
        await self._guard.require(caller, "audit.read", None)
        return self._witness.public.hex(), await self._store.checkpoints(after, limit)

    async def checkpoint(self, caller: Principal) -> Checkpoint:
        """One of now."""
        await self._guard.require(caller, "audit.verify", None)
        made = await self._checkpoints.make()
        if made is None:
            raise FailedPrecondition("the audit record is empty yet: there is nothing to sign")
        return made

    async def cut(self, caller: Principal, before_ms: int) -> Cut:
        """Take away the rows from before then, with a signature that they were; those that are left can be verified still.

        Raises FailedPrecondition when there are none, or the record does not hold together: what is wrong must not vanish.
        """
        await self._guard.require(caller, "retention.cut", None)
        return await self._cuts.cut(caller, before_ms)


def _scope_of(row: SealedRow) -> Scope | None:
    said = orjson.loads(row.row)
    return Scope(said["game_id"], said["env"]) if "game_id" in said else None
