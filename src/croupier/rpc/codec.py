"""The contract's two codecs (section 2): protobuf, and a JSON that is not protojson.

JSON: field names as in the proto, bytes as standard base64, integers as numbers, zero values left out, unknown keys ignored.
A JSON message starts with `{`, and no protobuf message of ours can (0x7b would be field 15, a group): the first byte tells.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from croupier.domain.limits import JSON_DEPTH
from croupier.errors import InvalidArgument

M = TypeVar("M", bound=Message)

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
    FieldDescriptor.CPPTYPE_ENUM,
}


def is_json(data: bytes) -> bool:
    return data[:1] == b"{"


def decode(kind: type[M], data: bytes) -> M:
    """Either codec. Raises InvalidArgument, saying which codec was tried and where it failed."""
    if is_json(data):
        return _from_json(kind, data)
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise InvalidArgument(f"the request is neither {kind.DESCRIPTOR.full_name} in protobuf nor JSON") from error


def encode(message: Message, *, json: bool) -> bytes:
    return orjson.dumps(_to_value(message)) if json else message.SerializeToString()


def _from_json(kind: type[M], data: bytes) -> M:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the request starts like JSON but is not: {error}") from error
    message = kind()
    _fill(message, value, kind.DESCRIPTOR.name, 0)
    return message


def _fill(message: Message, value: Any, path: str, depth: int) -> None:
    if not isinstance(value, dict):
        raise InvalidArgument(f"{path} must be a JSON object")
    if depth > JSON_DEPTH:
        raise InvalidArgument(f"{path} is nested deeper than {JSON_DEPTH}")
    fields: Mapping[str, Any] = message.DESCRIPTOR.fields_by_name
    for name, item in value.items():
        field = fields.get(name)
        if field is not None and item is not None:
            _fill_field(message, field, item, f"{path}.{name}", depth)


def _fill_field(message: Message, field: FieldDescriptor, item: Any, path: str, depth: int) -> None:
    target = getattr(message, field.name)
    if _is_map(field):
        if not isinstance(item, dict):
            raise InvalidArgument(f"{path} must be a JSON object")
        value_field = _map_value(field)
        target.update({str(key): _scalar(value_field, entry, f"{path}.{key}") for key, entry in item.items()})
    elif field.is_repeated:
        if not isinstance(item, list):
            raise InvalidArgument(f"{path} must be a JSON array")
        for index, entry in enumerate(item):
            where = f"{path}[{index}]"
            if field.message_type is not None:
                _fill(target.add(), entry, where, depth + 1)
            else:
                target.append(_scalar(field, entry, where))
    elif field.message_type is not None:
        target.SetInParent()
        _fill(target, item, path, depth + 1)
    else:
        setattr(message, field.name, _scalar(field, item, path))


def _map_value(field: FieldDescriptor) -> FieldDescriptor:
    if field.message_type is None:
        raise TypeError(f"{field.full_name} is no map")
    return field.message_type.fields_by_name["value"]


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _scalar(field: FieldDescriptor, item: Any, path: str) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _base64(item, path)
    kind = field.cpp_type
    if kind in _INTEGERS:
        if isinstance(item, bool) or not isinstance(item, int):
            raise InvalidArgument(f"{path} must be an integer")
        low, high = _range(kind)
        if not low <= item <= high:
            raise InvalidArgument(f"{path} must be between {low} and {high}")
        return item
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        if not isinstance(item, bool):
            raise InvalidArgument(f"{path} must be true or false")
        return item
    if kind == FieldDescriptor.CPPTYPE_STRING:
        if not isinstance(item, str):
            raise InvalidArgument(f"{path} must be a string")
        return item
    raise InvalidArgument(f"{path} has a type that the contract's JSON does not know")


def _range(kind: int) -> tuple[int, int]:
    bits = (
        32
        if kind in {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_ENUM}
        else 64
    )
    if kind in {FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _base64(item: Any, path: str) -> bytes:
    if not isinstance(item, str):
        raise InvalidArgument(f"{path} must be a base64 string")
    try:
        return base64.b64decode(item, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidArgument(f"{path} is not standard base64 with padding") from error


def _to_value(message: Message) -> dict[str, Any]:
    return {field.name: _out(field, value) for field, value in message.ListFields()}


def _out(field: FieldDescriptor, value: Any) -> Any:
    if _is_map(field):
        return dict(value)
    if field.is_repeated:
        return [_out_one(field, entry) for entry in value]
    return _out_one(field, value)


def _out_one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return _to_value(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    return value
