from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from croupier.domain.bulk import Bulk, BulkRow, BulkState, RowState
from croupier.domain.policy import Within
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.store.bulk import WRITE_ROWS
from croupier.store.sql import bulk_queries as queries
from croupier.store.sql.bulk_writes import AddRows, CreateBulk, DiscardBulk, DiscardRows, RecordRows, UpdateBulk
from croupier.store.sql.writer import Writer

T = TypeVar("T")


class Read(Protocol):
    def __call__(self, query: Callable[[Connection], T]) -> Awaitable[T]: ...


class SqlBulkStore:
    """`croupier.store.bulk.BulkStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def create(self, bulk: Bulk) -> None:
        await self._writer.submit(CreateBulk(bulk))

    async def update(self, bulk: Bulk) -> None:
        await self._writer.submit(UpdateBulk(bulk))

    async def add(self, bulk_id: str, rows: Sequence[BulkRow]) -> None:
        _check_portion(rows)
        await self._writer.submit(AddRows(bulk_id, rows))

    async def record(self, bulk_id: str, rows: Sequence[BulkRow], *, durable: bool = True) -> None:
        _check_portion(rows)
        write = RecordRows(bulk_id, rows)
        await (self._writer.submit(write) if durable else self._writer.post(write))

    async def discard(self, bulk_id: str) -> None:
        while found := await self.rows(bulk_id, frozenset(), after=0, limit=WRITE_ROWS):
            await self._writer.submit(DiscardRows(bulk_id, found[-1].row))
        await self._writer.submit(DiscardBulk(bulk_id))

    async def bulk(self, bulk_id: str) -> Bulk | None:
        return await self._read(lambda connection: queries.bulk(connection, bulk_id))

    async def bulks(
        self, scope: Scope | None, states: frozenset[BulkState], limit: int, *, within: Within | None = None
    ) -> list[Bulk]:
        return await self._read(
            lambda connection: queries.recent_bulks(connection, scope, states, limit, within=within)
        )

    async def rows(self, bulk_id: str, states: frozenset[RowState], *, after: int, limit: int) -> list[BulkRow]:
        return await self._read(lambda connection: queries.rows(connection, bulk_id, states, after=after, limit=limit))

    async def counts(self, bulk_id: str) -> Mapping[RowState, int]:
        return await self._read(lambda connection: queries.counts(connection, bulk_id))


def _check_portion(rows: Sequence[Any]) -> None:
    if len(rows) > WRITE_ROWS:
        raise InvalidArgument(f"{len(rows)} rows in one writing: at most {WRITE_ROWS} are taken")
