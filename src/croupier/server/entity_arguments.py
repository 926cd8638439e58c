"""From an id and what a request says to the arguments of a function."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from croupier.domain.entity import SubjectKey
from croupier.errors import InvalidArgument

_INTEGER = re.compile(r"-?\d{1,18}")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MEMBERS = ("anyOf", "oneOf", "allOf")


def with_id(
    arguments: Mapping[str, Any], key: SubjectKey, entity_id: str, schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    """`arguments` with the entity's id where `key` says, of the type that `schema` asks for.

    Raises InvalidArgument when they name another id, or have something else on the way there.
    """
    wanted = as_argument(entity_id, _schema_at(schema, key.path))
    made: dict[str, Any] = _placed(dict(arguments), key.path, wanted, key)
    return made


_NOTHING: Any = object()


def _placed(value: Any, path: tuple[str | int, ...], wanted: Any, key: SubjectKey) -> Any:
    """`value` with `wanted` at `path`, what is changed being copied."""
    if not path:
        if value is not _NOTHING and value != wanted and str(value) != str(wanted):
            raise _differs(key)
        return wanted
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        members = {} if value is _NOTHING else value
        if not isinstance(members, dict):
            raise _unreachable(key)
        return {**members, step: _placed(members.get(step, _NOTHING), rest, wanted, key)}
    items = [_NOTHING] if value is _NOTHING or value == [] else value
    if not isinstance(items, list) or not -len(items) <= step < len(items):
        raise _unreachable(key)
    items = list(items)
    items[step] = _placed(items[step], rest, wanted, key)
    return items


def _differs(key: SubjectKey) -> InvalidArgument:
    return InvalidArgument(f"the argument {key} and the address name two different ids: leave {key} out of the body")


def _unreachable(key: SubjectKey) -> InvalidArgument:
    return InvalidArgument(f"the id cannot be put at {key} of these arguments: call the function itself")


def arguments_of(pairs: Iterable[tuple[str, str]], schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Texts by name as arguments of the types that `schema` asks for; what cannot be read so stays text, for the check
    of the call to say why. A name that comes several times is a list where one is asked for.

    Raises InvalidArgument for a name that comes twice otherwise.
    """
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        given.setdefault(name, []).append(text)
    return {name: _one(name, texts, _schema_at(schema, (name,))) for name, texts in given.items()}


def _one(name: str, texts: Sequence[str], schema: Mapping[str, Any]) -> Any:
    if "array" in _types(schema):
        items = schema.get("items")
        return [as_argument(text, items if isinstance(items, dict) else {}) for text in texts]
    if len(texts) > 1:
        raise InvalidArgument(f"query parameter {name} came twice: the function takes one")
    return as_argument(texts[0], schema)


def as_argument(text: str, schema: Mapping[str, Any]) -> Any:
    """`text` as a value of the first type of `schema` that it can be read as, texts last but for themselves."""
    types = _types(schema)
    if not types or types == {"string"}:
        return text
    if "null" in types and text == "":
        return None
    if "boolean" in types and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if types & {"integer", "number"} and _INTEGER.fullmatch(text):
        return int(text)
    if "array" in types and "string" not in types:
        items = schema.get("items")
        return [as_argument(text, items if isinstance(items, dict) else {})]
    if types & {"number", "object"}:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def _types(schema: Mapping[str, Any]) -> set[str]:
    said = schema.get("type", ())
    found = (
        {said}
        if isinstance(said, str)
        else {each for each in (said if isinstance(said, list) else ()) if isinstance(each, str)}
    )
    for name in _MEMBERS:
        members = schema.get(name)
        for member in members if isinstance(members, list) else ():
            found |= _types(member) if isinstance(member, dict) else set()
    return found


def _schema_at(schema: Mapping[str, Any] | None, path: tuple[str | int, ...]) -> Mapping[str, Any]:
    """What is said of the value at `path`; nothing where a reference leads on."""
    found: Any = schema
    for step in path:
        if not isinstance(found, dict):
            return {}
        found = found.get("items") if isinstance(step, int) else (found.get("properties") or {}).get(step)
    return found if isinstance(found, dict) else {}
