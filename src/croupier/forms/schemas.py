"""Walking a JSON Schema from place to place: what holds of a value at once, and references within the document."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from croupier.errors import InvalidArgument

Schema = Mapping[str, Any]

HOPS = 32
"""References and `allOf`s that may follow one another at one place."""

_OF_THE_ORIGINAL = frozenset({"$anchor", "$dynamicAnchor", "$defs", "definitions"})
"""What a copy of a schema must not declare again; what refers to it still finds the original."""


def target(root: Any, reference: str) -> Schema:
    """What `#/…` names in the document `root`. Raises InvalidArgument when there is no such schema."""
    found = root
    if reference != "#":
        if not reference.startswith("#/"):
            raise InvalidArgument(
                f"a field with conditions cannot be reached through $ref {reference!r}; write it as #/…"
            )
        for part in reference[2:].split("/"):
            found = _member(found, unquote(part).replace("~1", "/").replace("~0", "~"), reference)
    if not isinstance(found, Mapping):
        raise InvalidArgument(f"$ref {reference!r} names no schema")
    return found


def _member(holder: Any, part: str, reference: str) -> Any:
    if isinstance(holder, Mapping) and part in holder:
        return holder[part]
    if isinstance(holder, list) and part.isascii() and part.isdigit() and int(part) < len(holder):
        return holder[int(part)]
    raise InvalidArgument(f"$ref {reference!r} names nothing in this document")


def inlined(root: Any, schema: Schema) -> Schema:
    """`schema` with what its `$ref` names in place of the reference, so that it can be changed here alone."""
    for _ in range(HOPS):
        if "$ref" not in schema:
            return schema
        named = target(root, schema["$ref"])
        if "$id" in named:
            raise InvalidArgument(
                f"a field with conditions cannot be reached through $ref {schema['$ref']!r}, which has an $id"
            )
        named = {key: value for key, value in named.items() if key not in _OF_THE_ORIGINAL}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**beside, "allOf": [*beside.get("allOf", ()), named]} if beside else named
    raise InvalidArgument("a $ref leads back to itself")


def parts(root: Any, schema: Any) -> Iterator[Schema]:
    """Every schema that a value must fit at this place: this one, what it refers to, its `allOf`.

    What is referred to in a way that conditions cannot follow is left out.
    """
    waiting = [schema]
    for _ in range(HOPS * HOPS):
        if not waiting:
            return
        part = waiting.pop()
        if not isinstance(part, Mapping):
            continue
        yield part
        if isinstance(part.get("$ref"), str):
            with suppress(InvalidArgument):
                waiting.append(target(root, part["$ref"]))
        if isinstance(part.get("allOf"), list):
            waiting.extend(part["allOf"])
