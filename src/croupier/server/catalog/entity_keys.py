"""Which argument of a function is the id of an entity (docs/reference/entities.md has the order)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from croupier.descriptors import EntityDescriptor, FunctionDescriptor, Operation
from croupier.descriptors.paths import steps_of
from croupier.domain.entity import SubjectKey, type_name
from croupier.errors import InvalidArgument

Steps = tuple[str | int, ...]

COLLECTION_VERBS = frozenset({"list", "search", "query", "find", "count", "create", "insert"})
"""What is done to no one entity."""


def key_argument(
    function: FunctionDescriptor,
    entity: str,
    *,
    verb: str = "",
    operation: Operation | None = None,
    described: EntityDescriptor | None = None,
) -> Steps | None:
    """The argument of `function` that is the id of an `entity`; None where it names none.

    `operation` and `described` are the entity's own words about it, if there are any.
    """
    if operation is not None and (said := _target(operation.target)) is not None:
        return said
    own = type_name(function.entity) == entity
    if own and function.entity_key:
        return _steps(function.entity_key)
    for field, field_entity in _marked_fields(function):
        if field_entity == entity:
            return (field,)
    names = _argument_names(function)
    wanted = [described.key] if described is not None and described.key else []
    for name in (*wanted, f"{entity}_id"):
        if names is None or name in names:
            return (name,)
    if own and function.hash_path:
        return _steps(function.hash_path)
    if "id" in (names or ()):
        return ("id",)
    return None if verb in COLLECTION_VERBS else _only_required(function)


class Acting(NamedTuple):
    """What an entity's description says of a function: it is one of its operations."""

    entity: str
    """The type's plain name."""
    verb: str
    operation: Operation
    described: EntityDescriptor


def acting(entities: Iterable[EntityDescriptor]) -> dict[str, list[Acting]]:
    """The operations of `entities` by function; those that name the argument first, else in the order given."""
    found: dict[str, list[Acting]] = {}
    for entity in entities:
        for verb, operations in entity.operations.items():
            for operation in operations:
                act = Acting(type_name(entity.id), verb, operation, entity)
                found.setdefault(operation.function, []).append(act)
    for acts in found.values():
        acts.sort(key=lambda act: not act.operation.target)
    return found


def subject_keys(
    function: FunctionDescriptor, acts: Sequence[Acting] = (), described: Mapping[str, EntityDescriptor] | None = None
) -> tuple[SubjectKey, ...]:
    """The entities that a call of `function` is about; `acts` are its roles as an operation, `described` its entity by type.

    What its fields say always counts; beside that there is one argument for each type.
    """
    found = [SubjectKey(entity, (field,)) for field, entity in _marked_fields(function)]
    done: set[str] = set()
    for act in acts:
        if act.entity not in done and (act.operation.target or not any(key.entity == act.entity for key in found)):
            done.add(act.entity)
            path = key_argument(function, act.entity, verb=act.verb, operation=act.operation, described=act.described)
            found += [SubjectKey(act.entity, path)] if path else []
    own = type_name(function.entity)
    if own and own not in done and not any(key.entity == own for key in found):
        path = key_argument(function, own, verb=function.operation, described=(described or {}).get(own))
        found += [SubjectKey(own, path)] if path else []
    return tuple(dict.fromkeys(found))


def _target(target: Mapping[str, Any]) -> Steps | None:
    for name in ("jsonpath", "field"):
        if isinstance(said := target.get(name), str) and said:
            return _steps(said)
    return None


def _steps(said: str) -> Steps | None:
    """Of a name or a JSONPath of one value; any other path names nothing."""
    if not said.startswith("$"):
        return (said,)
    try:
        return steps_of(said) or None
    except InvalidArgument:
        return None


def _marked_fields(function: FunctionDescriptor) -> Iterator[tuple[str, str]]:
    for name, field in function.ui.fields.items():
        if isinstance(entity := field.get("entity"), str) and entity:
            yield name, type_name(entity)


def _argument_names(function: FunctionDescriptor) -> Mapping[str, Any] | None:
    """None where nobody says what it takes."""
    if function.params is None:
        return None
    properties = function.params.get("properties")
    return properties if isinstance(properties, dict) else {}


def _only_required(function: FunctionDescriptor) -> Steps | None:
    params = function.params or {}
    required = params.get("required")
    if not isinstance(required, list) or len(required) != 1 or not isinstance(required[0], str):
        return None
    schema = (_argument_names(function) or {}).get(required[0])
    return (required[0],) if isinstance(schema, dict) and schema.get("type") in ("string", "integer") else None
