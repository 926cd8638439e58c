"""What can be asked of the writer about secrets. Applied in the order asked."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Table, and_, bindparam, delete, insert

from croupier.domain.secret import Secret, SecretPlace
from croupier.store.sql.tables import secret_versions, secrets
from croupier.store.sql.writes import ROW_BYTES, Write


def _at(table: Table) -> ColumnElement[bool]:
    def bound(column: Column[str]) -> BindParameter[str]:
        return bindparam(f"at_{column.name}")

    return and_(*(column == bound(column) for column in (table.c.name, table.c.game_id, table.c.env)))


_INSERT, _INSERT_VERSIONS = insert(secrets), insert(secret_versions)
_DELETE, _DELETE_VERSIONS = delete(secrets).where(_at(secrets)), delete(secret_versions).where(_at(secret_versions))


class SecretWrite(Write[None]):
    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class PutSecrets(SecretWrite):
    secrets: Sequence[Secret]

    @property
    def weight(self) -> int:
        return sum(ROW_BYTES + len(version.sealed) for each in self.secrets for version in each.versions)

    def run(self, connection: Connection) -> None:
        for secret in self.secrets:
            _remove(connection, secret.place)
            connection.execute(
                _INSERT,
                {
                    **_place(secret.place),
                    "last": secret.last,
                    "note": secret.note,
                    "changed_by": secret.changed_by,
                    "changed_ms": secret.changed_ms,
                },
            )
            rows = [
                {
                    **_place(secret.place),
                    "number": each.number,
                    "state": each.state.value,
                    "key_id": each.key_id,
                    "wrapped": each.wrapped,
                    "sealed": each.sealed,
                    "created_by": each.created_by,
                    "created_ms": each.created_ms,
                }
                for each in secret.versions
            ]
            if rows:
                connection.execute(_INSERT_VERSIONS, rows)


@dataclass(frozen=True, slots=True, eq=False)
class RemoveSecret(SecretWrite):
    place: SecretPlace

    def run(self, connection: Connection) -> None:
        _remove(connection, self.place)


def apply_secrets(connection: Connection, writes: Sequence[SecretWrite]) -> None:
    for write in writes:
        write.run(connection)


def _remove(connection: Connection, place: SecretPlace) -> None:
    at = {"at_name": place.name, "at_game_id": place.game_id, "at_env": place.env}
    connection.execute(_DELETE_VERSIONS, at)
    connection.execute(_DELETE, at)


def _place(place: SecretPlace) -> dict[str, object]:
    return {"name": place.name, "game_id": place.game_id, "env": place.env}
