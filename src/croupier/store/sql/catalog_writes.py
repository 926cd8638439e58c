"""What can be asked of the writer about providers and assignments. Applied in the order asked."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, bindparam, delete, insert

from croupier.domain.assignment import Assignments
from croupier.domain.provider import Provider
from croupier.store.sql.tables import assignments, providers
from croupier.store.sql.writes import ROW_BYTES, Write

_INSERT_PROVIDER = insert(providers)
_DELETE_PROVIDER = delete(providers).where(providers.c.id == bindparam("known"))
_INSERT_ASSIGNMENTS = insert(assignments)
_DELETE_ASSIGNMENTS = delete(assignments)


class CatalogWrite(Write[None]):
    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class PutProvider(CatalogWrite):
    provider: Provider

    @property
    def weight(self) -> int:
        return ROW_BYTES + len(self.provider.manifest)

    def run(self, connection: Connection) -> None:
        found = self.provider
        connection.execute(_DELETE_PROVIDER, {"known": found.id})
        connection.execute(
            _INSERT_PROVIDER,
            {
                "id": found.id,
                "version": found.version,
                "lang": found.lang,
                "sdk": found.sdk,
                "owner": found.owner,
                "manifest": found.manifest,
                "sha256": found.sha256,
                "registered_ms": found.registered_ms,
                "updated_ms": found.updated_ms,
            },
        )


@dataclass(frozen=True, slots=True, eq=False)
class RemoveProvider(CatalogWrite):
    provider_id: str

    def run(self, connection: Connection) -> None:
        connection.execute(_DELETE_PROVIDER, {"known": self.provider_id})


@dataclass(frozen=True, slots=True, eq=False)
class PutAssignments(CatalogWrite):
    assignments: Assignments

    def run(self, connection: Connection) -> None:
        connection.execute(_DELETE_ASSIGNMENTS)
        rows = [
            {"game_id": scope.game_id, "env": scope.env, "functions": orjson.dumps(assignment.patterns).decode()}
            for scope, assignment in self.assignments.items()
        ]
        if rows:
            connection.execute(_INSERT_ASSIGNMENTS, rows)


def apply_catalog(connection: Connection, writes: Sequence[CatalogWrite]) -> None:
    for write in writes:
        write.run(connection)
