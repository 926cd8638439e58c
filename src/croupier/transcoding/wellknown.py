"""The well-known types, which JSON spells in ways of their own: times as text, wrappers as what they wrap."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from croupier.domain.limits import JSON_DEPTH
from croupier.transcoding.files import WELL_KNOWN
from croupier.transcoding.mismatch import Mismatch
from croupier.transcoding.scalars import reader_of, write_double, writer_of

_PACKAGE = "google.protobuf."
_TEXT_CHARACTERS = 100_000
_WIRE_DEPTH = 100
"""How many messages within each other the runtimes of protobuf take. A value in a list in a value is two of them further in, one
in an object three."""

_WRAPPERS = tuple(
    _PACKAGE + kind + "Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)


def well_known(descriptor: Descriptor) -> str:
    """The full name of a type that is spelled in a way of its own, or nothing."""
    name = descriptor.full_name
    return name if name in READ and descriptor.file.name in WELL_KNOWN else ""


def is_any(descriptor: Descriptor) -> bool:
    return descriptor.full_name == "google.protobuf.Any" and descriptor.file.name in WELL_KNOWN


# In -----------------------------------------------------------------------------------------------------------------


def _from_text(says: str) -> Callable[[Any, Any, int], None]:
    def fill(message: Any, value: Any, _depth: int) -> None:
        if isinstance(value, str) and len(value) <= _TEXT_CHARACTERS:
            try:
                message.FromJsonString(value)
            except (ValueError, OverflowError):
                pass
            else:
                return
        raise Mismatch(f"must be {says}")

    return fill


def _fill_wrapper(message: Any, value: Any, _depth: int) -> None:
    message.value = reader_of(message.DESCRIPTOR.fields_by_name["value"])(value)


def _fill_empty(_message: Any, value: Any, _depth: int) -> None:
    if value != {} or not isinstance(value, dict):
        raise Mismatch("must be {}")


def _fill_struct(message: Any, value: Any, depth: int) -> None:
    if not isinstance(value, dict):
        raise Mismatch("must be an object")
    for name, element in value.items():
        try:
            _fill_value(message.fields[name], element, depth + 2)
        except Mismatch as mismatch:
            raise mismatch.within(name) from None


def _fill_list(message: Any, value: Any, depth: int) -> None:
    if not isinstance(value, list):
        raise Mismatch("must be a list")
    message.SetInParent()
    for index, element in enumerate(value):
        try:
            _fill_value(message.values.add(), element, depth + 1)
        except Mismatch as mismatch:
            raise mismatch.within(index) from None


def _fill_value(message: Any, value: Any, depth: int) -> None:
    if depth > _WIRE_DEPTH:
        raise Mismatch("is nested deeper than protobuf allows")
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, list):
        _fill_list(message.list_value, value, depth + 1)
    else:
        message.struct_value.SetInParent()
        _fill_struct(message.struct_value, value, depth + 1)


READ: Mapping[str, Callable[[Any, Any, int], None]] = {
    _PACKAGE + "Timestamp": _from_text("a time like 2025-01-31T12:00:00Z"),
    _PACKAGE + "Duration": _from_text("a duration in seconds like 30s or 1.5s"),
    _PACKAGE + "FieldMask": _from_text("names of fields like playerId,profile.name"),
    _PACKAGE + "Empty": _fill_empty,
    _PACKAGE + "Struct": _fill_struct,
    _PACKAGE + "ListValue": _fill_list,
    _PACKAGE + "Value": _fill_value,
    **dict.fromkeys(_WRAPPERS, _fill_wrapper),
}

TAKES_NULL = frozenset({_PACKAGE + "Value"})
"""For which null is a value."""


# Out ----------------------------------------------------------------------------------------------------------------


def _as_text(message: Any, _room: object, _depth: int) -> str:
    try:
        text: str = message.ToJsonString()
    except (ValueError, OverflowError):
        raise Mismatch("is out of the range of its type") from None
    return text


def _write_wrapper(message: Any, _room: object, _depth: int) -> Any:
    convert = writer_of(message.DESCRIPTOR.fields_by_name["value"])
    return convert(message.value) if convert is not None else message.value


def _write_struct(message: Any, room: object, depth: int) -> dict[str, Any]:
    return {name: _write_value(message.fields[name], room, depth + 1) for name in sorted(message.fields)}


def _write_list(message: Any, room: object, depth: int) -> list[Any]:
    return [_write_value(each, room, depth + 1) for each in message.values]


def _write_value(message: Any, room: object, depth: int) -> Any:
    if depth > JSON_DEPTH:
        raise Mismatch(f"is nested deeper than {JSON_DEPTH} levels")
    kind = message.WhichOneof("kind")
    if kind == "struct_value":
        return _write_struct(message.struct_value, room, depth)
    if kind == "list_value":
        return _write_list(message.list_value, room, depth)
    if kind == "number_value":
        return write_double(message.number_value)
    return getattr(message, kind) if kind in ("string_value", "bool_value") else None


WRITE: Mapping[str, Callable[[Any, Any, int], Any]] = {
    **dict.fromkeys((_PACKAGE + "Timestamp", _PACKAGE + "Duration", _PACKAGE + "FieldMask"), _as_text),
    _PACKAGE + "Empty": lambda _message, _room, _depth: {},
    _PACKAGE + "Struct": _write_struct,
    _PACKAGE + "ListValue": _write_list,
    _PACKAGE + "Value": _write_value,
    **dict.fromkeys(_WRAPPERS, _write_wrapper),
}
