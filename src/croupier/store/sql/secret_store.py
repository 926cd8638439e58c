from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from croupier.domain.secret import Secret, SecretPlace, SecretVersion, VersionState
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.secret_writes import PutSecrets, RemoveSecret
from croupier.store.sql.writer import Writer


class SqlSecretStore:
    """`croupier.store.secrets.SecretStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def put(self, secrets: Sequence[Secret]) -> None:
        await self._writer.submit(PutSecrets(secrets))

    async def remove(self, place: SecretPlace) -> None:
        await self._writer.submit(RemoveSecret(place))

    async def all(self) -> list[Secret]:
        return await self._read(_secrets)


def _secrets(connection: Connection) -> list[Secret]:
    versions: defaultdict[SecretPlace, list[SecretVersion]] = defaultdict(list)
    kept = tables.secret_versions
    for row in connection.execute(select(kept).order_by(kept.c.number)):
        version = SecretVersion(
            number=row.number,
            state=VersionState(row.state),
            key_id=row.key_id,
            wrapped=row.wrapped,
            sealed=row.sealed,
            created_by=row.created_by,
            created_ms=row.created_ms,
        )
        versions[SecretPlace(row.name, row.game_id, row.env)].append(version)
    found = []
    for row in connection.execute(select(tables.secrets)):
        place = SecretPlace(row.name, row.game_id, row.env)
        secret = Secret(
            place=place,
            versions=tuple(versions[place]),
            last=row.last,
            note=row.note,
            changed_by=row.changed_by,
            changed_ms=row.changed_ms,
        )
        found.append(secret)
    return sorted(found, key=lambda each: each.place)
