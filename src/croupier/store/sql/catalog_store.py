import orjson
from sqlalchemy import Connection, select

from croupier.domain.assignment import Assignment, Assignments
from croupier.domain.provider import Provider
from croupier.domain.scope import Scope
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.catalog_writes import PutAssignments, PutProvider, RemoveProvider
from croupier.store.sql.writer import Writer


class SqlCatalogStore:
    """`croupier.store.catalog.CatalogStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def put_provider(self, provider: Provider) -> None:
        await self._writer.submit(PutProvider(provider))

    async def remove_provider(self, provider_id: str) -> None:
        await self._writer.submit(RemoveProvider(provider_id))

    async def providers(self) -> list[Provider]:
        return await self._read(_providers)

    async def put_assignments(self, assignments: Assignments) -> None:
        await self._writer.submit(PutAssignments(dict(assignments)))

    async def assignments(self) -> Assignments:
        return await self._read(_assignments)


def _providers(connection: Connection) -> list[Provider]:
    kept = tables.providers
    rows = connection.execute(select(kept).order_by(kept.c.registered_ms, kept.c.id))
    return [Provider(**row) for row in rows.mappings()]


def _assignments(connection: Connection) -> Assignments:
    return {
        Scope(row.game_id, row.env): Assignment(orjson.loads(row.functions))
        for row in connection.execute(select(tables.assignments))
    }
