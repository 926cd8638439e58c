"""Types of things, what can be done to one, and what was done to it.

An operation on an entity is a call of a function, made here and run by the spine (`calls.py`, `jobs.py`) as any other.
"""

import asyncio
import builtins
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from croupier.domain.entity import Subject, SubjectKey, is_entity_id, type_name
from croupier.domain.limits import KEY_BYTES
from croupier.domain.listing import Cursor, Page
from croupier.domain.policy import Within
from croupier.domain.principal import Principal
from croupier.domain.registry import FunctionHealth
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog, EntityEntry, Entry
from croupier.server.catalog.merged_entities import Act, MergedEntity, merged
from croupier.server.entity_arguments import arguments_of, with_id
from croupier.store import CallStore, Deed

SHOWN = 20
"""How many names an error lists."""
REMEMBERED_SCOPES = 100
_NOWHERE = Scope("", "")
"""Where packs and providers are known, and no game server."""

Health = Callable[[Scope | None, Collection[str]], Mapping[str, FunctionHealth]]
"""How many game servers offer each of some functions, in a scope or in every one."""


class NoOperation(NotFound):
    """The entity is known, and offers no such operation."""


class Order(NamedTuple):
    """A function to call, with its arguments."""

    function_id: str
    payload: bytes
    is_job: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be done to an entity, as somebody asks for it."""

    entity: str
    verbs: Sequence[str]
    """The operation by its names, the usual one first."""
    entity_id: str | None = None
    """None where it is about no one entity, or about one that does not exist yet."""
    body: Mapping[str, Any] | None = None
    """Arguments as JSON."""
    query: Sequence[tuple[str, str]] = ()
    """Arguments as text."""
    function_id: str = ""
    """Which function, where several do it."""


@dataclass(frozen=True, slots=True)
class EntityState:
    """A type, and how well its functions are served."""

    entity: MergedEntity
    health: Mapping[str, FunctionHealth]
    """Of its functions, and maybe of more."""


class Entities:
    def __init__(self, *, guard: Guard, catalog: Catalog, store: CallStore, health: Health) -> None:
        self._guard = guard
        self._catalog = catalog
        self._store = store
        self._health = health
        self._revision = -1
        self._merged: dict[Scope | None, Mapping[str, MergedEntity]] = {}
        """As of that revision."""
        self._turn = asyncio.Lock()
        """Held while entities are put together: whoever asks meanwhile waits for the same."""

    async def list(self, caller: Principal, scope: Scope | None) -> builtins.list[EntityState]:
        """Every type of the scope, or of all, by name."""
        within = await self._guard.where(caller, "entities.read", scope)
        if within is None:
            return await self._states(scope)
        found: dict[str, EntityState] = {}
        for where in self._scopes(within):
            for state in await self._states(where):
                found.setdefault(state.entity.type, state)
        return [found[name] for name in sorted(found)]

    async def _states(self, scope: Scope | None) -> builtins.list[EntityState]:
        known = (await self._known(scope)).values()
        health = self._health(scope, {function_id for entity in known for function_id in entity.function_ids()})
        return [EntityState(entity, health) for entity in known]

    def _scopes(self, within: Within) -> builtins.list[Scope]:
        """Those of which there is something of its own; what is described for all is in any."""
        return sorted(each for each in self._catalog.scopes() if each in within) or [_NOWHERE]

    async def get(self, caller: Principal, scope: Scope | None, entity: str) -> EntityState:
        """Raises NotFound, naming the types that there are."""
        within = await self._guard.where(caller, "entities.read", scope)
        if within is not None:
            scopes = self._scopes(within)
            named = [each for each in scopes if type_name(entity) in await self._known(each)]
            scope = (named or scopes)[0]
        found = await self._entity(scope, entity)
        return EntityState(found, self._health(scope, found.function_ids()))

    async def timeline(
        self,
        caller: Principal,
        scope: Scope,
        subject: Subject,
        limit: int,
        before: Cursor | None = None,
        *,
        queries: bool = True,
    ) -> Page[Deed]:
        """The calls and jobs about one entity, newest first. A type that nobody describes any more keeps its timeline."""
        await self._guard.require(caller, "entities.read", scope)
        _check_id(subject.id)
        subject = Subject(type_name(subject.entity), subject.id)
        return await self._store.timeline(scope, subject, limit, before, queries=queries)

    async def order(self, scope: Scope, wish: Wish) -> Order:
        """The call that does it; whoever runs it goes through the spine, which decides whether the caller may.

        Raises NotFound for an unknown type, NoOperation where it has no such operation, InvalidArgument for arguments that
        cannot be put together.
        """
        entity = await self._entity(scope, wish.entity)
        act = self._chosen(scope, entity, wish)
        entry = act.entry or self._catalog.entry(scope, act.function_id)
        schema = entry.function.schema if entry is not None else None
        arguments = {**arguments_of(wish.query, schema), **(wish.body or {})}
        if wish.entity_id is not None:
            _check_id(wish.entity_id)
            if act.key is None:
                raise InvalidArgument(
                    f"{act.function_id} is about no one {entity.type}: call it by itself (POST /api/invoke or /api/start_job)"
                )
            arguments = with_id(arguments, SubjectKey(entity.type, act.key), wish.entity_id, schema)
        is_job = entry is not None and entry.function.returns == "job"
        return Order(act.function_id, msgspec.json.encode(arguments), is_job)

    async def verbs(self, scope: Scope, entity: str) -> Collection[str]:
        """The names of its operations. Raises NotFound for an unknown type."""
        return (await self._entity(scope, entity)).operations.keys()

    def _chosen(self, scope: Scope, entity: MergedEntity, wish: Wish) -> Act:
        """Of several functions the first that a healthy game server offers."""
        acts = next((entity.operations[verb] for verb in wish.verbs if verb in entity.operations), ())
        if wish.function_id:
            acts = tuple(act for act in acts if act.function_id == wish.function_id)
        if not acts:
            raise NoOperation(_no_operation(entity, wish))
        if len(acts) == 1:
            return acts[0]
        health = self._health(scope, {act.function_id for act in acts})
        return next((act for act in acts if health[act.function_id].healthy), acts[0])

    async def _entity(self, scope: Scope | None, entity: str) -> MergedEntity:
        known = await self._known(scope)
        found = known.get(type_name(entity))
        if found is None:
            where = f" in {scope}" if scope is not None else ""
            raise NotFound(f"there is no entity {entity[:KEY_BYTES]!r}{where}; there are: {_listed(known)}")
        return found

    async def _known(self, scope: Scope | None) -> Mapping[str, MergedEntity]:
        """All types by name. Ten thousand functions take half a second to put together, on a thread."""
        if scope is not None and scope not in self._merged and scope not in self._catalog.scopes():
            scope = _NOWHERE  # anybody can make up scopes
        if self._revision == self._catalog.revision and (found := self._merged.get(scope)) is not None:
            return found
        async with self._turn:
            if self._revision != self._catalog.revision or len(self._merged) > REMEMBERED_SCOPES:
                self._revision = self._catalog.revision
                self._merged.clear()
            found = self._merged.get(scope)
            if found is None:
                found = self._merged[scope] = await asyncio.to_thread(merged, *self._described(scope))
        return found

    def _described(self, scope: Scope | None) -> tuple[builtins.list[EntityEntry], Mapping[str, Entry]]:
        """Everyone's descriptions of types, and the functions that may be used, of one scope or of all."""
        scopes = [scope] if scope is not None else sorted(self._catalog.scopes()) or [_NOWHERE]
        entities = dict.fromkeys(each for where in scopes for each in self._catalog.entities(where))
        functions: dict[str, Entry] = {}
        for where in scopes:
            for entry in self._usable(where):
                functions.setdefault(entry.function.id, entry)
        return [*entities], functions

    def _usable(self, scope: Scope) -> Iterator[Entry]:
        """What is described of the functions that the scope may use."""
        assigned = self._catalog.assignments.get(scope)
        for function_id in self._catalog.described(scope):
            if assigned is None or assigned.admits(function_id):
                entry = self._catalog.entry(scope, function_id)
                if entry is not None:
                    yield entry


def _check_id(entity_id: str) -> None:
    if not is_entity_id(entity_id):
        raise InvalidArgument(f"an entity's id is 1 to {KEY_BYTES} bytes of printable text")


def _no_operation(entity: MergedEntity, wish: Wish) -> str:
    verb = wish.verbs[0]
    by = f" by {wish.function_id}" if wish.function_id else ""
    there = {
        f"{name} ({', '.join(act.function_id for act in acts)})": None
        for name, acts in sorted(entity.operations.items())
    }
    return f"{entity.type} has no operation {verb}{by}; there are: {_listed(there)}"


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (", ".join(found[:SHOWN]) or "none") + more
