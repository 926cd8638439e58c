import orjson
from sqlalchemy import Connection, select

from croupier.domain.policy import Binding, Role
from croupier.store.policy import PolicyChange
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.policy_writes import ChangePolicy
from croupier.store.sql.writer import Writer


class SqlPolicyStore:
    """`croupier.store.policy.PolicyStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def change(self, change: PolicyChange) -> None:
        await self._writer.submit(ChangePolicy(change))

    async def roles(self) -> list[Role]:
        return await self._read(_roles)

    async def bindings(self) -> list[Binding]:
        return await self._read(_bindings)


def _roles(connection: Connection) -> list[Role]:
    kept = tables.roles
    return [
        Role(name=row.name, permissions=frozenset(orjson.loads(row.permissions)), description=row.description)
        for row in connection.execute(select(kept).order_by(kept.c.name))
    ]


def _bindings(connection: Connection) -> list[Binding]:
    kept = tables.role_bindings
    rows = connection.execute(select(kept).order_by(kept.c.subject, kept.c.role, kept.c.game_id, kept.c.env))
    return [Binding(**row) for row in rows.mappings()]
