from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from croupier.domain.pack import InstalledPack, PackState, PackVersion
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.pack_writes import ReplacePacks
from croupier.store.sql.writer import Writer


class SqlPackStore:
    """`croupier.store.packs.PackStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def replace(self, packs: Sequence[InstalledPack], forget: Sequence[str] = ()) -> None:
        await self._writer.submit(ReplacePacks(packs, forget))

    async def packs(self) -> list[InstalledPack]:
        return await self._read(_packs)


def _packs(connection: Connection) -> list[InstalledPack]:
    versions: defaultdict[str, list[PackVersion]] = defaultdict(list)
    kept = tables.pack_versions
    for row in connection.execute(select(kept).order_by(kept.c.name, kept.c.number)).mappings():
        fields = {name: value for name, value in row.items() if name not in {"name", "number"}}
        versions[row["name"]].append(PackVersion(**fields))
    return [
        InstalledPack(
            name=row.name,
            state=PackState(row.state),
            versions=tuple(versions[row.name]),
            changed_by=row.changed_by,
            changed_ms=row.changed_ms,
        )
        for row in connection.execute(select(tables.packs).order_by(tables.packs.c.name))
    ]
