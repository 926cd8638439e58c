import asyncio
import hashlib

import orjson

from croupier.codes import Code
from croupier.domain.assignment import Assignments
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.catalog.catalog import Catalog
from croupier.store.catalog import CatalogStore


def document_of(assignments: Assignments) -> dict[str, tuple[str, ...]]:
    """`game|env` to patterns, sorted."""
    return {
        str(scope): assigned.patterns for scope, assigned in sorted(assignments.items(), key=lambda item: str(item[0]))
    }


def tag_of(assignments: Assignments) -> str:
    """The same for the same assignments."""
    return hashlib.sha256(orjson.dumps(document_of(assignments))).hexdigest()[:32]


class AssignedFunctions:
    """Which functions a game and env may use, as an administrator says it. `begin` comes first."""

    def __init__(self, *, guard: Guard, audit: Audit, catalog: Catalog, store: CatalogStore) -> None:
        self._guard = guard
        self._audit = audit
        self._catalog = catalog
        self._store = store
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """From now on what is kept holds."""
        self._catalog.use_assignments(await self._store.assignments())

    async def read(self, caller: Principal) -> Assignments:
        await self._guard.require(caller, "assignments.read", None)
        return self._catalog.assignments

    async def replace(self, caller: Principal, assignments: Assignments, *, expected: str = "") -> Assignments:
        """These hold from now on, and no others; calls under way go on.

        Raises FailedPrecondition when `expected`, a `tag_of`, is not that of what holds now.
        """
        await self._guard.require(caller, "assignments.write", None)
        async with self._changing:
            if expected and expected != tag_of(self._catalog.assignments):
                raise FailedPrecondition(
                    "somebody changed the assignments since you read them: read them again first", code=Code.STALE
                )
            details = {"before": tag_of(self._catalog.assignments), "after": document_of(assignments)}
            async with self._audit.act(caller, "assignments.replace", details=details):
                await self._store.put_assignments(assignments)
                self._catalog.use_assignments(assignments)
        return assignments
