"""Scalar values, both ways, as the JSON mapping of protobuf has them."""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from croupier.transcoding.mismatch import Mismatch

Convert = Callable[[Any], Any]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,19})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS = 400
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_FLOAT_MAX = 3.4028235677973366e38
"""From here on a double rounds to a float that is infinite."""


def _integer(low: int, high: int) -> Convert:
    says = f"must be a whole number from {low} to {high}"

    def read(value: Any) -> int:
        if type(value) is int:
            number = value
        elif (isinstance(value, float) and value.is_integer()) or (
            isinstance(value, str) and _INTEGER.fullmatch(value)
        ):
            number = int(value)
        else:
            raise Mismatch(says)
        if not low <= number <= high:
            raise Mismatch(says)
        return number

    return read


def _double(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _NOT_FINITE:
            return _NOT_FINITE[value]
        if len(value) <= _NUMBER_CHARACTERS and _NUMBER.fullmatch(value) and math.isfinite(number := float(value)):
            return number
    raise Mismatch('must be a number, or "NaN", "Infinity", "-Infinity"')


def _float(value: Any) -> float:
    number = _double(value)
    if math.isfinite(number) and abs(number) >= _FLOAT_MAX:
        raise Mismatch("must be a number that 32 bits can hold")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch("must be true or false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise Mismatch("must be a text")


def _bytes(value: Any) -> bytes:
    """Base64 in either alphabet, padded or not."""
    if isinstance(value, str):
        padded = value.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
        except (binascii.Error, ValueError):
            pass
    raise Mismatch("must be base64")


def _enum(enum: EnumDescriptor) -> Convert:
    numbers = {name: value.number for name, value in enum.values_by_name.items()}
    known = frozenset(numbers.values())
    shown = ", ".join(list(numbers)[:20]) + (", …" if len(numbers) > 20 else "")
    says = f"must be one of {shown}"

    def read(value: Any) -> int:
        if isinstance(value, str):
            number = numbers.get(value)
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
        else:
            number = value if type(value) is int else None
        if number is None or not -(2**31) <= number < 2**31 or (enum.is_closed and number not in known):
            raise Mismatch(says)
        return number

    return read


def _null(value: Any) -> int:
    if value is None or value in ("NULL_VALUE", 0):
        return 0
    raise Mismatch("must be null")


F = FieldDescriptor

_INT32, _INT64 = _integer(-(2**31), 2**31 - 1), _integer(-(2**63), 2**63 - 1)
_UINT32, _UINT64 = _integer(0, 2**32 - 1), _integer(0, 2**64 - 1)

_READ: Mapping[int, Convert] = {
    F.CPPTYPE_INT32: _INT32,
    F.CPPTYPE_INT64: _INT64,
    F.CPPTYPE_UINT32: _UINT32,
    F.CPPTYPE_UINT64: _UINT64,
    F.CPPTYPE_DOUBLE: _double,
    F.CPPTYPE_FLOAT: _float,
    F.CPPTYPE_BOOL: _boolean,
    F.CPPTYPE_STRING: _text,
}


def reader_of(field: FieldDescriptor) -> Convert:
    """From a JSON value to what the field takes. It raises Mismatch."""
    if field.enum_type is not None:
        return _null if is_null(field) else _enum(field.enum_type)
    return _bytes if field.type == F.TYPE_BYTES else _READ[field.cpp_type]


def is_null(field: FieldDescriptor) -> bool:
    return field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue"


# The other way ------------------------------------------------------------------------------------------------------


def write_double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _write_float(value: float) -> float | str:
    """The shortest decimal that is this float again: 0.1, not 0.10000000149011612."""
    if not math.isfinite(value):
        return write_double(value)
    packed = struct.pack("<f", value)
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if abs(short) < _FLOAT_MAX and struct.pack("<f", short) == packed:
            return short
    return float(f"{value:.9g}")


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _write_enum(enum: EnumDescriptor) -> Convert:
    names = {number: value.name for number, value in enum.values_by_number.items()}
    return lambda number: names.get(number, number)


def writer_of(field: FieldDescriptor) -> Convert | None:
    """From what the field holds to a JSON value; None where it is one already."""
    if field.enum_type is not None:
        return (lambda _: None) if is_null(field) else _write_enum(field.enum_type)
    if field.type == F.TYPE_BYTES:
        return _write_bytes
    if field.cpp_type in (F.CPPTYPE_INT64, F.CPPTYPE_UINT64):
        return str
    return {F.CPPTYPE_DOUBLE: write_double, F.CPPTYPE_FLOAT: _write_float}.get(field.cpp_type)


def key_reader(field: FieldDescriptor) -> Convert:
    """From a name in a JSON object to a key of the map."""
    if field.cpp_type == F.CPPTYPE_BOOL:
        return _boolean_key
    return reader_of(field)


def _boolean_key(name: str) -> bool:
    if name in ("true", "false"):
        return name == "true"
    raise Mismatch("must be named true or false")


def write_key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
