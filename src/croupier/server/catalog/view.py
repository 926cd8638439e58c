"""The catalog as people see it: everybody's descriptions merged into one list, each with where it comes from."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from croupier.descriptors import Comparison, Fault, Message, compare
from croupier.domain.function import Function
from croupier.domain.identifiers import new_id
from croupier.domain.policy import Within
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.policy.conditions import compile_condition
from croupier.server.catalog.catalog import Catalog
from croupier.server.catalog.entry import EntityEntry, Entry, LoadFault, Origin
from croupier.server.catalog.snapshot import Snapshot, Source
from croupier.server.catalog.versions import Version
from croupier.server.dispatch.agents import Agent, Agents

MOST_CONFLICTS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Which:
    """Functions that fit everything that is named here."""

    scope: Scope | None = None
    """What a call of this scope would find and may use; none: of all scopes."""
    within: Within | None = None
    """Without a scope: of these, of what game servers say of themselves. Packs and providers describe for all."""
    id: str = ""
    """With `*` at its end: all that begin so."""
    category: str = ""

    def admits(self, entry: Entry) -> bool:
        function = entry.function
        if self.category and function.category != self.category:
            return False
        if self.id.endswith("*"):
            return function.id.startswith(self.id[:-1])
        return not self.id or function.id == self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One description of a function that counts."""

    entry: Entry
    scopes: tuple[Scope, ...] = ()
    """Where it counts; none: everywhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Several describe one function or kind of objects; the first counts."""

    id: str
    origins: tuple[Origin, ...]
    kind: str = "function"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    old: Version
    new: Version
    comparison: Comparison


class CatalogView:
    """`faults` tells what could not be loaded of packs and providers."""

    def __init__(self, catalog: Catalog, agents: Agents, faults: Callable[[], Iterable[LoadFault]]) -> None:
        self._catalog = catalog
        self._agents = agents
        self._faults = faults
        self._start = new_id("v")

    @property
    def tag(self) -> str:
        """The same for as long as nothing here changes."""
        return f"{self._start}-{self._catalog.revision}-{self._agents.revision}"

    def listed(self, which: Which) -> list[Listed]:
        """By id. A function is there more than once where game servers of different scopes describe it differently."""
        found = self._of_scope(which.scope) if which.scope is not None else self._everywhere(which.within)
        return sorted((each for each in found if which.admits(each.entry)), key=lambda each: each.entry.function.id)

    def _of_scope(self, scope: Scope) -> Iterator[Listed]:
        assigned = self._catalog.assignments.get(scope)
        registered = self._registered(scope)
        for function_id in self._catalog.described(scope) | registered.keys():
            if assigned is None or assigned.admits(function_id):
                entry = self._catalog.entry(scope, function_id)
                yield Listed(entry=entry or _registered(function_id, registered.get(function_id, "")), scopes=(scope,))

    def _registered(self, scope: Scope) -> Mapping[str, str]:
        """Versions of what agents of the scope registered, by id."""
        return {
            function_id: _version(function_id, agents.values())
            for (where, function_id), agents in self._agents.functions().items()
            if where == scope
        }

    def _everywhere(self, within: Within | None) -> Iterator[Listed]:
        snapshot = self._catalog.snapshot
        yield from (Listed(entry=entry) for entry in snapshot)
        scopes: defaultdict[tuple[str, Entry | None], list[Scope]] = defaultdict(list)
        for scope, function_id in dict.fromkeys((*self._catalog.spoken.functions(), *self._agents.functions())):
            if snapshot.entry(function_id) is None and (within is None or scope in within):
                scopes[function_id, self._catalog.spoken.entry(scope, function_id)].append(scope)
        for (function_id, entry), where in scopes.items():
            yield Listed(entry=entry or _registered(function_id, ""), scopes=tuple(sorted(where)))

    def entry(self, scope: Scope | None, function_id: str, within: Within | None = None) -> Entry:
        """The description that counts; of a function whose game servers went not long ago, the last one.

        Raises NotFound, and PermissionDenied where the scope may not use the function.
        """
        if scope is not None:
            self._catalog.admit(scope, function_id)
            found = self._catalog.entry(scope, function_id) or self._undescribed(scope, function_id)
        else:
            which = Which(id=function_id, within=within)
            found = next((each.entry for each in self.listed(which)), None) if not function_id.endswith("*") else None
        if found is None:
            raise NotFound(f"unknown function {function_id[:200]}: GET /api/descriptors lists what is known")
        return found

    def _undescribed(self, scope: Scope, function_id: str) -> Entry | None:
        """What is known of a function that agents registered, and nothing more."""
        agents = self._agents.offering(scope, function_id)
        return _registered(function_id, _version(function_id, agents.values())) if agents else None

    def entries(self, scope: Scope | None, function_id: str, within: Within | None = None) -> list[Entry]:
        """Everybody's descriptions, the one that counts first."""
        if scope is not None:
            return self._catalog.entries(scope, function_id)
        scopes = sorted(where for where in self._catalog.spoken.scopes() if within is None or where in within)
        spoken = (self._catalog.spoken.entries(where, function_id) for where in scopes)
        distinct = dict.fromkeys(entry for entries in spoken for entry in entries)
        return [*self._catalog.snapshot.entries(function_id), *distinct]

    def versions(self, scope: Scope | None, function_id: str, within: Within | None = None) -> list[Version]:
        """What counts now, what others say now, and what was said before, the latest first."""
        now = [
            Version(descriptor=entry.descriptor, origin=entry.origin)
            for entry in self.entries(scope, function_id, within)
            if entry.descriptor is not None
        ]
        return now + self._catalog.versions.past(function_id)

    def difference(self, scope: Scope | None, function_id: str, old: str, new: str) -> Difference:
        """Between two versions, each named by its digest or version; without a name, the one that counts and the one before it.

        Raises NotFound, and InvalidArgument where a name fits none.
        """
        self.entry(scope, function_id)
        versions = self.versions(scope, function_id)
        if len(versions) < 2 and not (old and new):
            raise NotFound(f"only one version of {function_id[:200]} is known")
        after = _named(versions, new) if new else versions[0]
        before = _named(versions, old) if old else _before(versions, after)
        return Difference(old=before, new=after, comparison=compare(before.descriptor, after.descriptor))

    def conflicts(self) -> list[Conflict]:
        """Functions and kinds of objects that more than one describes, the first MOST_CONFLICTS of each."""
        snapshot = self._catalog.snapshot
        said = {function_id for _, function_id in self._catalog.spoken.functions()}
        return self._conflicts(_shared(snapshot) | (said & snapshot.ids)) + self._entity_conflicts()

    def conflicts_of(self, source: Source) -> list[Conflict]:
        """Those in which `source` has a part."""
        ids = source.entries.keys()
        entities = [each for each in self._entity_conflicts() if each.id in source.entities]
        return self._conflicts(ids) + entities

    def _conflicts(self, function_ids: Iterable[str]) -> list[Conflict]:
        found = (
            Conflict(id=function_id, origins=tuple(entry.origin for entry in self.entries(None, function_id)))
            for function_id in sorted(function_ids)
        )
        return list(islice((conflict for conflict in found if len(conflict.origins) > 1), MOST_CONFLICTS))

    def _entity_conflicts(self) -> list[Conflict]:
        origins: defaultdict[str, list[Origin]] = defaultdict(list)
        for entity in self.entities():
            origins[entity.descriptor.id].append(entity.origin)
        found = [
            Conflict(id=name, origins=tuple(each), kind="entity")
            for name, each in sorted(origins.items())
            if len(each) > 1
        ]
        return found[:MOST_CONFLICTS]

    def entities(self) -> list[EntityEntry]:
        """Everybody's, of all scopes; of two of one id the first counts."""
        spoken = (
            entity for scope in sorted(self._catalog.spoken.scopes()) for entity in self._catalog.spoken.entities(scope)
        )
        return [*self._catalog.snapshot.entities(), *dict.fromkeys(spoken)]

    def faults(self) -> list[LoadFault]:
        spoken = [
            LoadFault(origin=speech.origin, fault=fault, scope=scope)
            for scope, speech in self._catalog.spoken.speeches()
            for fault in speech.faults
        ]
        return [*self._faults(), *spoken, *self._form_faults()]

    def faults_of(self, scope: Scope, entry: Entry) -> list[Fault]:
        """Why another description of the function is left out, or why this one denies every call."""
        spoken = (
            fault for place, speech in self._catalog.spoken.speeches() if place == scope for fault in speech.faults
        )
        left_out = (*(each.fault for each in self._faults()), *spoken)
        return [*(each for each in left_out if each.of == entry.function.id), *_condition_faults(entry)]

    def _form_faults(self) -> Iterator[LoadFault]:
        for source in self._catalog.snapshot.sources:
            for entry in source.entries.values():
                yield from (LoadFault(origin=entry.origin, fault=fault) for fault in _faults_of(entry))
        for scope, speech in self._catalog.spoken.speeches():
            for entry in speech.entries():
                yield from (LoadFault(origin=entry.origin, fault=fault, scope=scope) for fault in _faults_of(entry))


def _faults_of(entry: Entry) -> Iterator[Fault]:
    """What is wrong with a description that is used all the same; a condition that cannot be used denies every call."""
    yield from entry.faults
    yield from _condition_faults(entry)


def _condition_faults(entry: Entry) -> Iterator[Fault]:
    text = entry.descriptor.auth.allow_if if entry.descriptor is not None else ""
    if text:
        try:
            compile_condition(text)
        except InvalidArgument as error:
            yield Fault(file=entry.function.id, path="$.auth.allow_if", message=Message(error.message, error.message))


def _named(versions: list[Version], name: str) -> Version:
    for version in versions:
        if name in {version.digest, version.descriptor.version}:
            return version
    known = ", ".join(f"{version.digest} ({version.descriptor.version or 'no version'})" for version in versions[:10])
    raise InvalidArgument(f"no version {name[:100]!r} is known; there is {known}")


def _before(versions: list[Version], after: Version) -> Version:
    """The latest that is another one, of the same origin where that has another."""
    others = [version for version in versions if version.digest != after.digest]
    own = [version for version in others if version.origin.name == after.origin.name]
    return next(iter(own or others), after)


def _shared(snapshot: Snapshot) -> set[str]:
    """What more than one pack or provider describes."""
    seen: set[str] = set()
    shared: set[str] = set()
    for source in snapshot.sources:
        shared |= seen & source.entries.keys()
        seen |= source.entries.keys()
    return shared


def _version(function_id: str, agents: Iterable[Agent]) -> str:
    return next((offer.version for agent in agents for offer in agent.offers(function_id)), "")


def _registered(function_id: str, version: str) -> Entry:
    return Entry(Function(id=function_id, version=version))


def described(entry: Entry) -> dict[str, Any]:
    """The description of a function in one spelling; what is known of one that nobody describes."""
    if entry.descriptor is not None:
        return entry.descriptor.document()
    function = entry.function
    return {"id": function.id, "version": function.version, "type": "function", "enabled": True, "risk": function.risk}
