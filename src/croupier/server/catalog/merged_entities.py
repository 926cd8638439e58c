"""Types of things as they are known from everyone who describes them, put together.

What packs say goes before what providers say, and that before game servers; a function that names an entity and an operation
is one of its operations even where nobody describes the entity.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from croupier.descriptors import EntityDescriptor, FunctionDescriptor, Operation
from croupier.domain.entity import SubjectKey, type_name
from croupier.server.catalog.entity_keys import Acting, Steps, acting, key_argument, subject_keys
from croupier.server.catalog.entry import EntityEntry, Entry, Origin

_FIELDS = (
    "type",
    "version",
    "category",
    "title",
    "display_name",
    "summary",
    "description",
    "color",
    "key",
    "labels",
    "tags",
    "menu",
    "object_schema",
    "ui",
)
"""What is taken from the first who says it."""


class Conflict(NamedTuple):
    """Two who say different things of one field."""

    field: str
    kept: Origin
    left_out: Origin


class Act(NamedTuple):
    """One function as an operation of an entity."""

    function_id: str
    operation: Operation
    origin: Origin
    key: Steps | None
    """The argument that is the entity's id; None where it takes none."""
    entry: Entry | None
    """What is known of the function."""


class Related(NamedTuple):
    """A function that is about an entity without being one of its operations."""

    function_id: str
    key: SubjectKey
    entry: Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class MergedEntity:
    type: str
    """The plain name that it goes by."""
    id: str
    """As the first who describes it calls it."""
    fields: Mapping[str, Any]
    """`_FIELDS` that somebody says, as JSON."""
    relationships: Mapping[str, Any]
    operations: Mapping[str, tuple[Act, ...]]
    """By verb."""
    related: tuple[Related, ...]
    origins: tuple[Origin, ...]
    conflicts: tuple[Conflict, ...]

    def function_ids(self) -> set[str]:
        """Operations and related functions."""
        acts = {act.function_id for acts in self.operations.values() for act in acts}
        return acts | {each.function_id for each in self.related}


@dataclass(slots=True)
class _Draft:
    type: str
    entries: list[EntityEntry] = field(default_factory=list)
    functions: list[Entry] = field(default_factory=list)


def merged(entities: Sequence[EntityEntry], functions: Mapping[str, Entry]) -> dict[str, MergedEntity]:
    """By type, sorted. Of `entities` an earlier one goes before a later one; `functions` are those that can be called."""
    drafts: dict[str, _Draft] = {}
    for each in entities:
        name = type_name(each.descriptor.id)
        drafts.setdefault(name, _Draft(name)).entries.append(each)
    acts = acting(each.descriptor for each in entities)
    described = {type_name(each.descriptor.id): each.descriptor for each in reversed(entities)}
    for entry in functions.values():
        if entry.descriptor is not None:
            keys = subject_keys(entry.descriptor, acts.get(entry.function.id, ()), described)
            own = type_name(entry.descriptor.entity)
            for name in dict.fromkeys([own, *(key.entity for key in keys)] if own else [key.entity for key in keys]):
                drafts.setdefault(name, _Draft(name)).functions.append(entry)
    return {name: _put_together(drafts[name], functions, acts, described) for name in sorted(drafts)}


def _put_together(
    draft: _Draft,
    functions: Mapping[str, Entry],
    acts: Mapping[str, Sequence[Acting]],
    described: Mapping[str, EntityDescriptor],
) -> MergedEntity:
    operations, conflicts = _operations(draft, functions)
    said: dict[str, Any] = {}
    relationships: dict[str, Any] = {}
    kept: dict[str, Origin] = {}
    for entry in draft.entries:
        document = entry.descriptor.model_dump(mode="json", exclude_defaults=True)
        for name in _FIELDS:
            conflicts += _take(said, kept, name, document.get(name), entry.origin)
        for name, relationship in document.get("relationships", {}).items():
            found = _take(relationships, kept, name, relationship, entry.origin, prefix="relationships.")
            conflicts += found
    acting_here = {act.function_id for each in operations.values() for act in each}
    related = [
        Related(entry.function.id, key, entry)
        for entry in draft.functions
        if entry.function.id not in acting_here and entry.descriptor is not None
        for key in subject_keys(entry.descriptor, acts.get(entry.function.id, ()), described)
        if key.entity == draft.type
    ]
    origins = [each.origin for each in draft.entries] or [entry.origin for entry in draft.functions]
    return MergedEntity(
        type=draft.type,
        id=draft.entries[0].descriptor.id if draft.entries else draft.type,
        fields=said,
        relationships=relationships,
        operations=operations,
        related=tuple(related),
        origins=tuple(dict.fromkeys(origins)),
        conflicts=tuple(dict.fromkeys(conflicts)),
    )


def _take(
    said: dict[str, Any], kept: dict[str, Origin], name: str, value: Any, origin: Origin, *, prefix: str = ""
) -> Iterable[Conflict]:
    if not value:
        return
    if name not in said:
        said[name], kept[prefix + name] = value, origin
    elif said[name] != value and _plain(said[name]) != _plain(value):
        yield Conflict(f"{prefix}{name}".replace("object_schema", "schema"), kept[prefix + name], origin)


def _plain(value: Any) -> Any:
    """Without the dialect of a schema, which is always the same."""
    return {name: each for name, each in value.items() if name != "$schema"} if isinstance(value, dict) else value


def _operations(draft: _Draft, functions: Mapping[str, Entry]) -> tuple[dict[str, tuple[Act, ...]], list[Conflict]]:
    """Every function once for a verb, by the first who says so."""
    found: dict[str, dict[str, Act]] = {}
    conflicts: list[Conflict] = []
    for each in draft.entries:
        for verb, operations in each.descriptor.operations.items():
            known = found.setdefault(verb, {})
            for operation in operations:
                act = _act(draft.type, verb, operation, each, functions.get(operation.function))
                first = known.setdefault(operation.function, act)
                if first.operation != operation:
                    conflicts.append(Conflict(f"operations.{verb}", first.origin, each.origin))
    described = draft.entries[0].descriptor if draft.entries else None
    for entry in draft.functions:
        descriptor = entry.descriptor
        if descriptor is None or not descriptor.operation or type_name(descriptor.entity) != draft.type:
            continue
        operation = Operation(function=descriptor.id)
        key = key_argument(descriptor, draft.type, verb=descriptor.operation, described=described)
        act = Act(descriptor.id, operation, entry.origin, key, entry)
        found.setdefault(descriptor.operation, {}).setdefault(descriptor.id, act)
    return {verb: tuple(acts.values()) for verb, acts in found.items()}, conflicts


def _act(entity: str, verb: str, operation: Operation, said: EntityEntry, entry: Entry | None) -> Act:
    descriptor = entry.descriptor if entry is not None else None
    key = key_argument(
        descriptor or FunctionDescriptor(id=operation.function),
        entity,
        verb=verb,
        operation=operation,
        described=said.descriptor,
    )
    return Act(operation.function, operation, said.origin, key, entry)
