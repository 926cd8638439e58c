"""The audit record for those who may read it: looked through, taken along, verified, cut.

search, row ─► a page        export ─► JSON lines, signed; or CSV        verify ─► what is wrong with it
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from croupier.audit.export import ExportWriter
from croupier.audit.signing import Signer
from croupier.audit.table import table, table_head
from croupier.audit.verify import ChainCheck, Verdict
from croupier.domain.audit import GENESIS, AuditFilter, AuditPage, Checkpoint, Cut, Head, SealedRow
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, NotFound
from croupier.server.access.audit.audit import Audit
from croupier.server.access.audit.checkpoints import Checkpoints
from croupier.server.access.guard import Guard
from croupier.store.audit import AuditStore

PAGE = 1_000
EVERYTHING = AuditFilter()


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    chain: bytes
    signer: Signer


class AuditRecord:
    def __init__(
        self,
        *,
        guard: Guard,
        store: AuditStore,
        audit: Audit,
        checkpoints: Checkpoints,
        keys: Keys,
        clock: Callable[[], int],
    ) -> None:
        self._guard = guard
        self._store = store
        self._audit = audit
        self._checkpoints = checkpoints
        self._keys = keys
        self._clock = clock
        self._cutting = asyncio.Lock()

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
        return self._table(which, last) if csv else self._lines(which, last)

    async def _lines(self, which: AuditFilter, last: Head) -> AsyncIterator[bytes]:
        whole = which == EVERYTHING
        cuts = await self._store.cuts()
        head = _begin(cuts)
        writer = ExportWriter(self._keys.signer)
        yield writer.begin(head, cuts, made_ms=self._clock(), whole=whole)
        marks = {each.seq: each for each in await self._checkpoints.kept()} if whole else {}
        async for page in self._pages(head.seq, last.seq):
            lines: list[bytes] = []
            wanted = None if whole else await self._fitting(which, page)
            for each in page:
                if wanted is None or each.seq in wanted:
                    lines.append(writer.row(head.hash, each))
                    if each.seq in marks:
                        lines.append(writer.checkpoint(marks[each.seq]))
                head = Head(each.seq, each.hash)
            yield b"".join(lines)
        yield writer.end()

    async def _table(self, which: AuditFilter, last: Head) -> AsyncIterator[bytes]:
        yield table_head()
        async for page in self._pages(_begin(await self._store.cuts()).seq, last.seq):
            wanted = None if which == EVERYTHING else await self._fitting(which, page)
            yield await asyncio.to_thread(table, [each for each in page if wanted is None or each.seq in wanted])

    async def _fitting(self, which: AuditFilter, page: Sequence[SealedRow]) -> set[int]:
        within = replace(which, after_seq=page[0].seq - 1)
        return {each.seq for each in (await self._store.search(within, len(page), page[-1].seq + 1)).rows}

    async def _pages(self, after: int, last: int) -> AsyncIterator[list[SealedRow]]:
        while page := [each for each in await self._store.rows(after, PAGE) if each.seq <= last]:
            yield page
            after = page[-1].seq

    async def verify(self, caller: Principal) -> Verdict:
        """Every row, its mac, and whether a checkpoint or cut says otherwise."""
        await self._guard.require(caller, "audit.verify", None)
        return await self._verify(await self._store.head())

    async def _verify(self, last: Head) -> Verdict:
        verdict = Verdict(signed=True)
        cuts = await self._store.cuts()
        for cut in cuts:
            if not self._keys.signer.witness.signed_cut(cut):
                verdict.fault(f"the cut up to row {cut.up_to} was not signed by this deployment", seq=cut.up_to)
        head = _begin(cuts)
        kept = [each for each in await self._checkpoints.kept() if each.seq > head.seq]
        verdict.checkpoints = len(kept)
        check = ChainCheck(verdict, head, key=self._keys.chain, kept=kept)
        async for page in self._pages(head.seq, last.seq):
            await asyncio.to_thread(_check, check, page)
            for seq in await self._store.misfiled(page[0].seq - 1, page[-1].seq, PAGE):
                verdict.fault("is filed under another act or time than it says: searches miss it", seq=seq)
        for each in kept:
            if each.seq > max(check.last.seq, last.seq):
                verdict.fault("is missing: a checkpoint was signed for it", seq=each.seq)
        return verdict

    async def checkpoints(self, caller: Principal, after: int, limit: int) -> tuple[str, list[Checkpoint]]:
        """The public key as hex, and the checkpoints after a row."""
        await self._guard.require(caller, "audit.read", None)
        return self._keys.signer.witness.public.hex(), await self._store.checkpoints(after, limit)

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
        async with self._cutting:
            found = (await self._store.search(AuditFilter(until_ms=before_ms), 1)).rows
            if not found:
                raise FailedPrecondition("there is nothing so old in the audit record")
            last = found[0]
            verdict = await self._verify(Head(last.seq, last.hash))
            if not verdict.holds:
                raise FailedPrecondition(
                    f"row {verdict.faults[0].seq} {verdict.faults[0].problem}: export the record and look into it first"
                )
            details = {"up_to": last.seq, "rows": verdict.rows, "before_ms": before_ms}
            async with self._audit.act(caller, "audit.cut", details=details):
                cut = Cut(up_to=last.seq, hash=last.hash, time_ms=self._clock(), by=caller.name)
                cut = self._keys.signer.cut(cut)
                await self._store.cut(cut)
            return cut


def _begin(cuts: Sequence[Cut]) -> Head:
    return Head(cuts[-1].up_to, cuts[-1].hash) if cuts else GENESIS


def _check(check: ChainCheck, page: Sequence[SealedRow]) -> None:
    for each in page:
        check.row(each.row, each.hash, each.mac)


def _scope_of(row: SealedRow) -> Scope | None:
    said = orjson.loads(row.row)
    return Scope(said["game_id"], said["env"]) if "game_id" in said else None
