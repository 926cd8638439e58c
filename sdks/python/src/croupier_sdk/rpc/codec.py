"""The contract's two codecs: protobuf, and its own JSON (not protojson). A JSON message starts with `{`; a protobuf one here never does."""

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

M = TypeVar("M", bound=Message)

_Field = Any  # the stubs name the class of field descriptors twice, and the two do not fit

Received = tuple[M, bool]
"""A request and whether it came as JSON; its answer goes the same way."""


def decoder(kind: type[M]) -> Callable[[bytes], Received[M]]:
    """A deserializer for requests. It raises ValueError or DecodeError for garbage, which gRPC answers with INTERNAL."""

    def decode(data: bytes) -> Received[M]:
        if data[:1] == b"{":
            return from_json(kind, json.loads(data)), True
        return kind.FromString(data), False

    return decode


def encode(answer: tuple[Message, bool]) -> bytes:
    """A serializer for answers, in the codec of their request."""
    message, as_json = answer
    if as_json:
        return json.dumps(to_json(message), ensure_ascii=False, separators=(",", ":")).encode()
    return message.SerializeToString()


def from_json(kind: type[M], value: Any) -> M:
    """Unknown keys are ignored. Raises ValueError for a value of the wrong type."""
    if not isinstance(value, dict):
        raise ValueError(f"{kind.DESCRIPTOR.name} must be a JSON object")  # noqa: TRY004 — one kind of error for all garbage
    message = kind()
    fields = kind.DESCRIPTOR.fields_by_name
    for name, element in value.items():
        field = fields.get(name)
        if field is None or element is None:
            continue
        try:
            _set(message, field, element)
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{kind.DESCRIPTOR.name}.{name}: {error}") from error
    return message


def _set(message: Message, field: _Field, value: Any) -> None:
    if _is_map(field):
        getattr(message, field.name).update(value.items())
    elif field.is_repeated:
        getattr(message, field.name).extend(_from(field, element) for element in value)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(_from(field, value))
    else:
        setattr(message, field.name, _from(field, value))


def _from(field: _Field, value: Any) -> Any:
    if field.message_type is not None:
        return from_json(GetMessageClass(field.message_type), value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64decode(value, validate=True)
    return value


def to_json(message: Message) -> dict[str, Any]:
    """Zero values are left out."""
    said: dict[str, Any] = {}
    for field, value in message.ListFields():
        if _is_map(field):
            said[field.name] = dict(value)
        elif field.is_repeated:
            said[field.name] = [_to(field, element) for element in value]
        else:
            said[field.name] = _to(field, value)
    return said


def _to(field: _Field, value: Any) -> Any:
    if field.message_type is not None:
        return to_json(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    return value


def _is_map(field: _Field) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
