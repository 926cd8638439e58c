"""A Python type as JSON Schema 2020-12, and as a reader that checks a JSON value and makes the Python one of it."""

import dataclasses
import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from croupier_sdk.functions.field import Check, Field, constraints

Schema = dict[str, Any]
Read = Callable[[Any], Any]


class Mismatch(Exception):
    """A JSON value does not have the shape it must have. `path` leads to it, `says` what it must be."""

    def __init__(self, says: str, *, other_type: bool = False) -> None:
        super().__init__(says)
        self.says = says
        self.path = ""
        self.other_type = other_type

    def within(self, step: str) -> "Mismatch":
        self.path = f"{step}{self.path}" if not self.path or self.path.startswith("[") else f"{step}.{self.path}"
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    schema: Schema
    read: Read
    """Makes the Python value of a JSON one. Raises Mismatch."""
    says: str
    """"a string": for messages."""
    field: Field | None = None


def shape_of(annotation: Any, inside: tuple[Any, ...] = ()) -> Shape:
    """The shape of a type. Raises TypeError, naming the type, for one that JSON Schema cannot express here."""
    if (shape := _scalar(annotation)) is not None:
        return shape
    if annotation in inside:
        raise TypeError(f"{_name(annotation)} contains itself: give the inner one as an id, or as dict")
    inside = (*inside, annotation)
    build = _COMPOSITES.get(get_origin(annotation) or annotation, _class)
    return build(annotation, inside)


def kind_of(value: Any) -> str:
    """A JSON value's type in words; never the value, which may be a secret."""
    for types_, word in (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "an object"),
    ):
        if isinstance(value, types_):
            return word
    return "null"


def _name(annotation: Any) -> str:
    return getattr(annotation, "__qualname__", None) or str(annotation)


def _must_be(says: str, value: Any) -> Mismatch:
    return Mismatch(f"must be {says}, not {kind_of(value)}", other_type=True)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _must_be("a string", value)


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON Schema counts 1.0 as an integer
    if isinstance(value, float):
        raise Mismatch("must be an integer, not a fraction")
    raise _must_be("an integer", value)


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise Mismatch("must be a number that a double can hold") from None
    raise _must_be("a number", value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _must_be("true or false", value)


def _null(value: Any) -> None:
    if value is not None:
        raise _must_be("null", value)


def _parsed(parse: Callable[[str], Any], says: str) -> Read:
    def read(value: Any) -> Any:
        try:
            return parse(_text(value))
        except ValueError:
            raise Mismatch(f"must be {says}") from None

    return read


def _as_is(value: Any) -> Any:
    return value


_SCALARS: Mapping[Any, Shape] = {
    str: Shape(schema={"type": "string"}, read=_text, says="a string"),
    int: Shape(schema={"type": "integer"}, read=_integer, says="an integer"),
    float: Shape(schema={"type": "number"}, read=_number, says="a number"),
    bool: Shape(schema={"type": "boolean"}, read=_boolean, says="true or false"),
    type(None): Shape(schema={"type": "null"}, read=_null, says="null"),
    None: Shape(schema={"type": "null"}, read=_null, says="null"),
    Any: Shape(schema={}, read=_as_is, says="anything"),
    object: Shape(schema={}, read=_as_is, says="anything"),
    datetime: Shape(
        schema={"type": "string", "format": "date-time"},
        read=_parsed(datetime.fromisoformat, "a date and time like 2025-01-31T12:00:00Z"),
        says="a date and time",
    ),
    date: Shape(
        schema={"type": "string", "format": "date"},
        read=_parsed(date.fromisoformat, "a date like 2025-01-31"),
        says="a date",
    ),
    UUID: Shape(schema={"type": "string", "format": "uuid"}, read=_parsed(UUID, "a UUID"), says="a UUID"),
}


def _scalar(annotation: Any) -> Shape | None:
    try:
        return _SCALARS.get(annotation)
    except TypeError:  # an annotation that cannot be hashed, such as Annotated[int, []]
        return None


def _annotated(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    base, *notes = get_args(annotation)
    shape = shape_of(base, inside)
    for note in notes:
        if isinstance(note, Field):
            keywords, checks = constraints(note, shape.schema.get("type", ""))
            shape = replace(shape, schema={**shape.schema, **keywords}, read=_checked(shape.read, checks), field=note)
    return shape


def _checked(read: Read, checks: list[Check]) -> Read:
    if not checks:
        return read

    def read_and_check(value: Any) -> Any:
        made = read(value)
        for check in checks:
            if says := check(made):
                raise Mismatch(says)
        return made

    return read_and_check


def _required(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    return shape_of(get_args(annotation)[0], inside)


def _union(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    shapes = [shape_of(argument, inside) for argument in get_args(annotation)]
    says = " or ".join(shape.says for shape in shapes)
    readers = [shape.read for shape in shapes]

    def read(value: Any) -> Any:
        near = []
        for reader in readers:
            try:
                return reader(value)
            except Mismatch as mismatch:
                if mismatch.path or not mismatch.other_type:
                    near.append(mismatch)
        raise near[0] if len(near) == 1 else _must_be(says, value)

    return Shape(schema={"anyOf": [shape.schema for shape in shapes]}, read=read, says=says)


def _choice(values: list[Any], made: Sequence[Any]) -> Shape:
    """One of `values`, each a JSON scalar; `made` has the Python value of each."""
    kinds = {type(value) for value in values}
    if not kinds <= {str, int, bool, type(None)}:
        raise TypeError("a choice must be among strings, integers, booleans and null")
    schema: Schema = {"enum": values}
    if len(kinds) == 1 and (kind := kinds.pop()) in _SCALARS:
        schema = {**_SCALARS[kind].schema, **schema}
    says = f"one of {', '.join(json.dumps(value, ensure_ascii=False) for value in values)}"
    table = {
        (type(value), value): result for value, result in zip(values, made, strict=True)
    }  # 1, 1.0 and True are one key otherwise

    def read(value: Any) -> Any:
        try:
            return table[type(value), value]
        except (KeyError, TypeError):
            raise Mismatch(f"must be {says}") from None

    return Shape(schema=schema, read=read, says=says)


def _literal(annotation: Any, _inside: tuple[Any, ...]) -> Shape:
    values = list(get_args(annotation))
    return _choice(values, values)


def _list(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    (item,) = get_args(annotation) or (Any,)
    return _array(shape_of(item, inside), list)


def _tuple(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    arguments = get_args(annotation)
    if len(arguments) != 2 or arguments[1] is not Ellipsis:
        raise TypeError(f"{annotation}: a tuple is a list of one type here; write tuple[T, ...], or a dataclass")
    return _array(shape_of(arguments[0], inside), tuple)


def _array(item: Shape, make: type[list[Any]] | type[tuple[Any, ...]]) -> Shape:
    read_item = item.read

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise _must_be("a list", value)
        made = []
        for index, element in enumerate(value):
            try:
                made.append(read_item(element))
            except Mismatch as mismatch:
                raise mismatch.within(f"[{index}]") from None
        return made if make is list else make(made)

    schema: Schema = {"type": "array"}
    return Shape(schema={**schema, "items": item.schema} if item.schema else schema, read=read, says="a list")


def _map(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    key, value_type = get_args(annotation) or (str, Any)
    if key is not str:
        raise TypeError(f"{_name(annotation)}: the keys of a JSON object are strings; write dict[str, …]")
    item = shape_of(value_type, inside)

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _must_be("an object", value)
        made = {}
        for name, element in value.items():
            try:
                made[name] = item.read(element)
            except Mismatch as mismatch:
                raise mismatch.within(name) from None
        return made

    schema: Schema = {"type": "object"}
    return Shape(
        schema={**schema, "additionalProperties": item.schema} if item.schema else schema, read=read, says="an object"
    )


def _class(annotation: Any, inside: tuple[Any, ...]) -> Shape:
    if hasattr(annotation, "__supertype__"):  # a NewType
        return shape_of(annotation.__supertype__, inside)
    if is_typeddict(annotation):
        hints = get_type_hints(annotation, include_extras=True)
        shapes = {name: shape_of(hint, inside) for name, hint in hints.items()}
        return record_shape(shapes, frozenset(_required_keys(annotation, hints)), dict)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice([member.value for member in annotation], list(annotation))
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _dataclass(annotation, inside)
    raise TypeError(f"the type {_name(annotation)} has no JSON Schema here")


def _required_keys(annotation: Any, hints: Mapping[str, Any]) -> list[str]:
    """`__required_keys__` is wrong where annotations are strings, so Required and NotRequired are looked at again."""
    said = {name: get_origin(hint) for name, hint in hints.items()}
    return [
        name
        for name in hints
        if said[name] is Required or (said[name] is not NotRequired and name in annotation.__required_keys__)
    ]


def _dataclass(annotation: type[Any], inside: tuple[Any, ...]) -> Shape:
    hints = get_type_hints(annotation, include_extras=True)
    fields = [field for field in dataclasses.fields(annotation) if field.init]
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return record_shape(
        {field.name: shape_of(hints[field.name], inside) for field in fields}, frozenset(required), annotation
    )


_COMPOSITES: Mapping[Any, Callable[[Any, tuple[Any, ...]], Shape]] = {
    Annotated: _annotated,
    Required: _required,
    NotRequired: _required,
    Union: _union,
    types.UnionType: _union,
    Literal: _literal,
    list: _list,
    tuple: _tuple,
    dict: _map,
}


def record_shape(shapes: Mapping[str, Shape], required: frozenset[str], make: Callable[..., Any]) -> Shape:
    """An object with just these members; `make` is called with those that are there. A ValueError of it is a Mismatch."""
    schema: Schema = {"type": "object", "properties": {name: shape.schema for name, shape in shapes.items()}}
    if required:
        schema["required"] = [name for name in shapes if name in required]
    schema["additionalProperties"] = False
    readers = {name: shape.read for name, shape in shapes.items()}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _must_be("an object", value)
        made = {}
        for name, element in value.items():
            reader = readers.get(name)
            if reader is None:
                raise Mismatch(f"is not known; known are: {', '.join(readers) or 'none'}").within(name[:64])
            try:
                made[name] = reader(element)
            except Mismatch as mismatch:
                raise mismatch.within(name) from None
        if not required <= made.keys():
            raise Mismatch("is missing").within(next(name for name in readers if name in required and name not in made))
        try:
            return make(**made)
        except ValueError as error:
            raise Mismatch(str(error)) from error

    return Shape(schema=schema, read=read, says="an object")
