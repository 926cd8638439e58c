import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from croupier.audit.signing import Signer
from croupier.domain.audit import Cut, Head
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition
from croupier.server.access.audit.audit import Audit
from croupier.server.access.audit.checkpoints import Checkpoints
from croupier.server.access.audit.reader import ChainReader
from croupier.store.audit import AuditStore

Keep = Callable[[int, int, AsyncIterator[bytes]], Awaitable[str]]
"""Puts the export of the rows from one to another somewhere for good, and says where."""


class Cuts:
    """Takes the beginning of the record away, one cut at a time. `clock` gives milliseconds since 1970."""

    def __init__(
        self,
        *,
        store: AuditStore,
        reader: ChainReader,
        checkpoints: Checkpoints,
        audit: Audit,
        signer: Signer,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._reader = reader
        self._checkpoints = checkpoints
        self._audit = audit
        self._signer = signer
        self._clock = clock
        self._cutting = asyncio.Lock()

    async def cut(self, caller: Principal, before_ms: int, *, most: int | None = None, keep: Keep | None = None) -> Cut:
        """Take away the rows from before then that stand at the beginning, at most `most` of them, once they are kept; signed,
        and on record.

        Raises FailedPrecondition when there are none, or the record does not hold together: what is wrong must not vanish.
        """
        async with self._cutting:
            begin = await self._reader.begin()
            found = await self._store.old(before_ms, most)
            if found is None:
                raise FailedPrecondition("there is nothing so old at the beginning of the audit record")
            last = Head(found.seq, found.hash)
            verdict = await self._reader.verify(last)
            if not verdict.holds:
                raise FailedPrecondition(
                    f"row {verdict.faults[0].seq} {verdict.faults[0].problem}: export the record and look into it first"
                )
            details: dict[str, object] = {"up_to": last.seq, "rows": verdict.rows, "before_ms": before_ms}
            if keep is not None:
                details["kept_as"] = await keep(begin.seq + 1, last.seq, self._reader.lines(last))
            async with self._audit.act(caller, "audit.cut", details=details):
                cut = Cut(up_to=last.seq, hash=last.hash, time_ms=self._clock(), by=caller.name)
                cut = self._signer.cut(cut)
                await self._store.cut(cut)
            await self._checkpoints.forget(cut.up_to)
            return cut
