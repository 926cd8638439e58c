from sqlalchemy import Connection, select

from croupier.domain.identity import IdentityLink
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.identity_writes import LinkIdentity
from croupier.store.sql.tables import identities
from croupier.store.sql.writer import Writer


class SqlIdentityStore:
    """`croupier.store.identities.IdentityStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def link(self, link: IdentityLink) -> None:
        await self._writer.submit(LinkIdentity(link))

    async def links(self) -> list[IdentityLink]:
        return await self._read(_links)


def _links(connection: Connection) -> list[IdentityLink]:
    rows = connection.execute(select(identities).order_by(identities.c.issuer, identities.c.subject))
    return [IdentityLink(**row) for row in rows.mappings()]
