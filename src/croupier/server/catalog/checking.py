"""Payloads against schemas."""

import logging
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from croupier.domain.call import Call
from croupier.domain.function import Function
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.catalog.entry import Entry, Origin
from croupier.transcoding import Codec

log = logging.getLogger(__name__)

SHOWN_FAULTS = 10
"""How many faults of a payload are named in one error."""


def _refuse_reference(uri: str) -> Any:
    raise ValueError(f"$ref to {uri} is not allowed: references stay inside the schema")


def compile_schema(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Raises InvalidArgument when `schema` is no JSON Schema 2020-12, or refers to anything outside itself."""
    try:
        return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True, retriever=_refuse_reference)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise InvalidArgument(f"not a usable JSON Schema: {error}") from error


def compiled(function: Function, origin: Origin, codec: Codec | None = None) -> Entry:
    """A schema that cannot be used is logged and not enforced."""
    validator = None
    if function.schema is not None:
        try:
            validator = compile_schema(function.schema)
        except CroupierError as error:
            log.warning("schema of %s from %s is not enforced: %s", function.id, origin.name, error.message)
    return Entry(function=function, origin=origin, validator=validator, codec=codec)


def check_payload(validator: jsonschema_rs.Draft202012Validator, call: Call) -> None:
    """Raises InvalidArgument, naming the faults by JSON pointer."""
    try:
        value = orjson.loads(call.payload or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the payload of {call.function_id} must be JSON: {error}") from error
    try:
        faults = _faults(validator, value)
    except ValueError as error:  # what its engine cannot go into, such as a regular expression that never ends
        raise InvalidArgument(f"the payload of {call.function_id} cannot be checked: {error}") from error
    if faults:
        named = "; ".join(f"{path or 'payload'}: {message}" for path, message in faults.items())
        raise InvalidArgument(f"the payload does not fit {call.function_id}: {named}", faults)


def _faults(validator: jsonschema_rs.Draft202012Validator, value: Any) -> dict[str, str]:
    """The first of them, by JSON pointer."""
    if validator.is_valid(value):
        return {}
    faults: dict[str, str] = {}
    for fault in validator.iter_errors(value):
        if len(faults) == SHOWN_FAULTS:
            break
        faults[_pointer(fault.instance_path)] = fault.message[:300]
    return faults


def _pointer(path: list[str | int]) -> str:
    """An RFC 6901 JSON pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
