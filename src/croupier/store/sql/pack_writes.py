"""What can be asked of the writer about packs. Applied in the order asked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert

from croupier.domain.pack import InstalledPack
from croupier.store.sql.tables import pack_versions, packs
from croupier.store.sql.writes import ROW_BYTES, Write

_INSERT_PACKS = insert(packs)
_INSERT_VERSIONS = insert(pack_versions)
_NAMES: BindParameter[Sequence[str]] = bindparam("names", expanding=True)
_DELETE_PACKS = delete(packs).where(packs.c.name.in_(_NAMES))
_DELETE_VERSIONS = delete(pack_versions).where(pack_versions.c.name.in_(_NAMES))


@dataclass(frozen=True, slots=True, eq=False)
class ReplacePacks(Write[None]):
    packs: Sequence[InstalledPack]
    forget: Sequence[str]

    @property
    def weight(self) -> int:
        return ROW_BYTES * sum(1 + len(each.versions) for each in self.packs)


def replace_packs(connection: Connection, write: ReplacePacks) -> None:
    names = {"names": [*(each.name for each in write.packs), *write.forget]}
    connection.execute(_DELETE_VERSIONS, names)
    connection.execute(_DELETE_PACKS, names)
    if not write.packs:
        return
    rows = [
        {"name": each.name, "state": each.state.value, "changed_by": each.changed_by, "changed_ms": each.changed_ms}
        for each in write.packs
    ]
    versions = [
        {"name": each.name, "number": number, **asdict(version)}
        for each in write.packs
        for number, version in enumerate(each.versions)
    ]
    connection.execute(_INSERT_PACKS, rows)
    connection.execute(_INSERT_VERSIONS, versions)
