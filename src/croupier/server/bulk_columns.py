"""A CSV's columns as arguments of a function: the header names them, the function's JSON Schema says what their texts mean."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from croupier.codes import Code
from croupier.errors import InvalidArgument

COLUMNS = 256
NAME_BYTES = 128
_PLACES = 64
"""How many alternatives of a schema are looked at to find a type."""
_INTEGER_BITS = 63

_INTEGER = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?")

Schema = Mapping[str, Any]
Reading = Callable[[str], Any]
"""A cell's text as a value. A text that is no such value is left a text: the schema then says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Column:
    path: tuple[str, ...]
    read: Reading


def read_header(cells: Sequence[str], schema: Schema | None) -> list[Column]:
    """The columns that the first row names; `item.id` is the field `id` of the argument `item`.

    Raises InvalidArgument when one is empty, doubled, unknown to the function or missing.
    """
    names = [cell.strip() for cell in cells]
    _check_names(names)
    paths = [tuple(name.split(".")) for name in names]
    columns = [Column(path, _reading(_types(schema, path, name))) for path, name in zip(paths, names, strict=True)]
    missing = _required(schema) - {path[0] for path in paths}
    if missing:
        needed = ", ".join(sorted(missing))
        raise _wrong(
            f"the function needs {needed}, and no column has that name", Code.COLUMNS_MISSING, columns=needed[:500]
        )
    return columns


def arguments(columns: Sequence[Column], cells: Sequence[str]) -> dict[str, Any]:
    """The row as the function's arguments; what is empty is left out."""
    found: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=True):
        value = column.read(cell) if cell else None
        if value is None:
            continue
        place = found
        for name in column.path[:-1]:
            place = place.setdefault(name, {})
        place[column.path[-1]] = value
    return found


def _check_names(names: Sequence[str]) -> None:
    if len(names) > COLUMNS:
        raise _wrong(
            f"{len(names)} columns; at most {COLUMNS} are taken", Code.TOO_MANY, field="columns", most=str(COLUMNS)
        )
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name or not all(name.split(".")):
            what = f"column {number} has no name" if not name else f"column {name[:64]!r} has an empty part"
            raise _wrong(what, Code.COLUMN_UNNAMED, column=str(number))
        if len(name.encode()) > NAME_BYTES:
            raise _wrong(
                f"the name of column {number} is longer than {NAME_BYTES} bytes",
                Code.COLUMN_NAME_TOO_LONG,
                column=str(number),
                most=str(NAME_BYTES),
            )
        if name in seen:
            raise _wrong(f"column {name!r} comes twice", Code.COLUMN_TWICE, column=name)
        seen.add(name)
    for name in names:
        parts = name.split(".")
        for end in range(1, len(parts)):
            if (outer := ".".join(parts[:end])) in seen:
                raise _wrong(
                    f"column {outer!r} and its field {name!r} cannot both be given",
                    Code.COLUMN_AND_FIELD,
                    column=outer,
                    field=name,
                )


def _wrong(what: str, code: Code, **parameters: str) -> InvalidArgument:
    return InvalidArgument(f"the header, line 1: {what}", parameters, code=code)


# ------------------------------------------------------------------------------------------------ what the schema says


def _types(schema: Schema | None, path: Sequence[str], column: str) -> frozenset[str]:
    """The JSON types that are allowed at `path`; none when nothing is said of it.

    Raises InvalidArgument when the schema has no such place.
    """
    if schema is None:
        return frozenset()
    places = _unfolded(schema, schema)
    for name in path:
        inner = [found for place in places for found in _field(place, name)]
        if not inner and any(place.get("properties") for place in places):
            known = ", ".join(sorted({each for place in places for each in place.get("properties", {})}))[:500]
            raise _wrong(
                f"the function knows no {column[:NAME_BYTES]!r}; it knows {known}. Commas separate columns",
                Code.COLUMN_UNKNOWN,
                column=column[:NAME_BYTES],
                known=known,
            )
        places = [each for found in inner for each in _unfolded(found, schema)]
    return frozenset(kind for place in places for kind in _kinds(place))


def _field(place: Schema, name: str) -> Iterator[Schema]:
    properties = place.get("properties")
    if isinstance(properties, dict) and name in properties:
        if isinstance(properties[name], dict):
            yield properties[name]
        else:
            yield {}
    elif isinstance(more := place.get("additionalProperties"), dict):
        yield more
    elif more is True or place.get("patternProperties"):
        yield {}


def _unfolded(place: Schema, root: Schema) -> list[Schema]:
    """`place` and every alternative in it, references followed; a schema of very many is looked at in part."""
    found = [place]
    for each in found:  # it grows while it is walked
        target = _referred(each.get("$ref"), root)
        inner = [target] if target is not None else []
        for word in ("anyOf", "oneOf", "allOf"):
            options = each.get(word)
            inner += [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []
        found += [new for new in inner if not any(new is old for old in found)][: _PLACES - len(found)]
    return found


def _referred(reference: object, root: Schema) -> Schema | None:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found: Any = root
    for part in reference[2:].split("/"):
        if not isinstance(found, dict):
            return None
        found = found.get(part.replace("~1", "/").replace("~0", "~"))
    return found if isinstance(found, dict) else None


def _kinds(place: Schema) -> Iterator[str]:
    kinds = place.get("type")
    if kinds is not None:
        yield from [kinds] if isinstance(kinds, str) else (str(kind) for kind in kinds)
        return
    choices = place.get("enum")
    for choice in choices if isinstance(choices, list) else [place["const"]] if "const" in place else []:
        yield _KIND_OF.get(type(choice), "object")


_KIND_OF = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array"}


def _required(schema: Schema | None) -> set[str]:
    wanted = schema.get("required") if schema else None
    return {name for name in wanted if isinstance(name, str)} if isinstance(wanted, list) else set()


# ------------------------------------------------------------------------------------------------ what a cell says


def _reading(kinds: frozenset[str]) -> Reading:
    if not kinds or "string" in kinds:
        return str
    readers = [read for kind, read in _READERS if kind in kinds]

    def read(cell: str) -> Any:
        text = cell.strip()
        if not text or text == "null":
            return None
        return next((value for reader in readers if (value := reader(text)) is not None), cell)

    return read


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _integer(text: str) -> int | None:
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and number.bit_length() <= _INTEGER_BITS else None


def _number(text: str) -> float | None:
    if (whole := _integer(text)) is not None:
        return whole
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _structure(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


_READERS: tuple[tuple[str, Reading], ...] = (
    ("boolean", _boolean),
    ("integer", _integer),
    ("number", _number),
    ("array", _structure),
    ("object", _structure),
)
