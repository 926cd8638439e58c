"""The rows that are kept, one page after the other: taken along, and verified."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from croupier.audit.export import ExportWriter
from croupier.audit.signing import Signer
from croupier.audit.verify import ChainCheck, Verdict
from croupier.domain.audit import GENESIS, AuditFilter, Cut, Head, SealedRow
from croupier.server.access.audit.checkpoints import Checkpoints
from croupier.store.audit import AuditStore

PAGE = 1_000
EVERYTHING = AuditFilter()


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    chain: bytes
    signer: Signer


class ChainReader:
    """`clock` gives milliseconds since 1970."""

    def __init__(self, *, store: AuditStore, checkpoints: Checkpoints, keys: Keys, clock: Callable[[], int]) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._keys = keys
        self._clock = clock

    async def begin(self) -> Head:
        """What the first row that is kept follows."""
        return _begin(await self._store.cuts())

    async def pages(self, after: int, last: int) -> AsyncIterator[list[SealedRow]]:
        """Rows with a seq above `after`, up to `last`, ascending."""
        while page := [each for each in await self._store.rows(after, PAGE) if each.seq <= last]:
            yield page
            after = page[-1].seq

    async def lines(self, last: Head, which: AuditFilter = EVERYTHING) -> AsyncIterator[bytes]:
        """An export of the rows up to `last`, or of those that fit; many lines at once."""
        whole = which == EVERYTHING
        cuts = await self._store.cuts()
        head = _begin(cuts)
        writer = ExportWriter(self._keys.signer)
        yield writer.begin(head, cuts, made_ms=self._clock(), whole=whole)
        marks = {each.seq: each for each in await self._checkpoints.kept()} if whole else {}
        async for page in self.pages(head.seq, last.seq):
            lines: list[bytes] = []
            wanted = None if whole else await self.fitting(which, page)
            for each in page:
                if wanted is None or each.seq in wanted:
                    lines.append(writer.row(head.hash, each))
                    if each.seq in marks:
                        lines.append(writer.checkpoint(marks[each.seq]))
                head = Head(each.seq, each.hash)
            yield b"".join(lines)
        yield writer.end()

    async def fitting(self, which: AuditFilter, page: Sequence[SealedRow]) -> set[int]:
        within = replace(which, after_seq=page[0].seq - 1)
        return {each.seq for each in (await self._store.search(within, len(page), page[-1].seq + 1)).rows}

    async def verify(self, last: Head) -> Verdict:
        """Every row up to `last`, its mac, and whether a checkpoint or cut says otherwise."""
        verdict = Verdict(signed=True)
        cuts = await self._store.cuts()
        for cut in cuts:
            if not self._keys.signer.witness.signed_cut(cut):
                verdict.fault(f"the cut up to row {cut.up_to} was not signed by this deployment", seq=cut.up_to)
        head = _begin(cuts)
        kept = [each for each in await self._checkpoints.kept() if each.seq > head.seq]
        verdict.checkpoints = len(kept)
        check = ChainCheck(verdict, head, key=self._keys.chain, kept=kept)
        async for page in self.pages(head.seq, last.seq):
            await asyncio.to_thread(_check, check, page)
            for seq in await self._store.misfiled(page[0].seq - 1, page[-1].seq, PAGE):
                verdict.fault("is filed under another act or time than it says: searches miss it", seq=seq)
        newest = await self._store.head()
        for each in kept:
            if each.seq > max(check.last.seq, newest.seq):
                verdict.fault("is missing: a checkpoint was signed for it", seq=each.seq)
        return verdict


def _begin(cuts: Sequence[Cut]) -> Head:
    return Head(cuts[-1].up_to, cuts[-1].hash) if cuts else GENESIS


def _check(check: ChainCheck, page: Sequence[SealedRow]) -> None:
    for each in page:
        check.row(each.row, each.hash, each.mac)
