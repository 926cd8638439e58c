"""Handlers that take and return protobuf messages.

The platform sends protobuf where a pack says which messages a function takes, and JSON where none does. A message cannot begin
with `{`, so both are told apart by the first byte, and the answer is in what was asked in.
"""

from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, EncodeError, Message

from croupier_sdk.errors import BadArgument
from croupier_sdk.functions.encoding import Unserializable, to_payload
from croupier_sdk.limits import PAYLOAD_BYTES

_DEEPEST = 64
"""Messages within each other, in JSON."""


def is_message(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Message)


def full_name(kind: type[Message]) -> str:
    name: str = kind.DESCRIPTOR.full_name
    return name


def read_message(kind: type[Message], payload: bytes) -> Message:
    """Raises BadArgument."""
    if len(payload) > PAYLOAD_BYTES:
        raise BadArgument(
            f"the payload has {len(payload)} bytes; at most {PAYLOAD_BYTES} are taken", "payload_too_large"
        )
    try:
        if not asks_json(payload):
            return kind.FromString(payload)
        return json_format.Parse(payload, kind(), max_recursion_depth=_DEEPEST)
    except DecodeError:
        raise BadArgument(f"the payload is no {full_name(kind)}, and no JSON object either") from None
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise BadArgument(f"the payload does not fit {full_name(kind)}{_unknown_field(error)}") from None


def _unknown_field(error: Exception) -> str:
    """What protobuf says of values may show them; what it says of a field that is not there does not."""
    says = str(error).splitlines()[0]
    return f": {says}" if "has no field named" in says and len(says) < 500 else ""


def asks_json(payload: bytes) -> bool:
    return payload.startswith(b"{")


def to_answer(kind: type[Message], value: Any, *, as_json: bool) -> bytes:
    """What a handler returned that says it returns a `kind`. Raises Unserializable."""
    if not isinstance(value, kind):
        raise Unserializable(f"it is of type {type(value).__name__}, and the handler says it returns {full_name(kind)}")
    try:
        if not as_json:
            return to_payload(value.SerializeToString(deterministic=True))
        return to_payload(
            json_format.MessageToJson(
                value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
            ).encode()
        )
    except (EncodeError, json_format.SerializeToJsonError, ValueError) as error:
        raise Unserializable(f"it cannot be written: {error}") from error
