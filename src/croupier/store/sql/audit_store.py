from collections.abc import Callable

from croupier.domain.audit import AuditFilter, AuditPage, Checkpoint, Cut, Head, Note, SealedRow
from croupier.store.sql import audit_log, audit_queries
from croupier.store.sql.audit_writes import CutRows, PutCheckpoint, Record
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.writer import Writer


class SqlAuditStore:
    """`croupier.store.audit.AuditStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, log: audit_log.AuditLog, read: Read, clock: Callable[[], int]) -> None:
        self._writer = writer
        self._log = log
        self._read = read
        self._clock = clock

    async def record(self, *notes: Note, durable: bool = True) -> None:
        write = Record(notes, self._clock())
        await (self._writer.submit(write) if durable else self._writer.post(write))

    @property
    def unwritten(self) -> int:
        return self._log.unwritten

    async def head(self) -> Head:
        return await self._read(audit_log.head)

    async def rows(self, after: int, limit: int) -> list[SealedRow]:
        return await self._read(lambda connection: audit_queries.rows(connection, after, limit))

    async def row(self, seq: int) -> SealedRow | None:
        return await self._read(lambda connection: audit_queries.row(connection, seq))

    async def misfiled(self, after: int, up_to: int, limit: int) -> list[int]:
        return await self._read(lambda connection: audit_queries.misfiled(connection, after, up_to, limit))

    async def search(self, which: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        return await self._read(lambda connection: audit_queries.search(connection, which, limit, before))

    async def old(self, before_ms: int, most: int | None = None) -> SealedRow | None:
        return await self._read(lambda connection: audit_queries.old(connection, before_ms, most))

    async def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        await self._writer.submit(PutCheckpoint(checkpoint))

    async def checkpoints(self, after: int, limit: int) -> list[Checkpoint]:
        return await self._read(lambda connection: audit_queries.checkpoints(connection, after, limit))

    async def cut(self, cut: Cut) -> None:
        while await self._writer.submit(CutRows(cut)):
            pass

    async def cuts(self) -> list[Cut]:
        return await self._read(audit_queries.cuts)
