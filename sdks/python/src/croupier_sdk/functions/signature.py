"""From a handler's signature to what it takes: a reader of payloads, their schema, and the context it asks for."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias, get_type_hints

from google.protobuf.message import Message

from croupier_sdk.errors import BadArgument
from croupier_sdk.functions.docstrings import Documentation, parse_docstring
from croupier_sdk.functions.encoding import Unserializable, from_payload, to_json
from croupier_sdk.functions.message_schema import message_schema
from croupier_sdk.functions.messages import is_message, read_message
from croupier_sdk.functions.shapes import Mismatch, Shape, record_shape, shape_of
from croupier_sdk.running.context import BlockingJobContext, CallContext, JobContext

RawPayload: TypeAlias = Annotated[bytes, "the payload as it came"]
"""A handler whose one parameter is annotated so gets the payload unread, and may return bytes."""

Handler = Callable[..., Any]
_CONTEXTS = (CallContext, JobContext, BlockingJobContext)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    parameters: Mapping[str, Shape]
    schema: Mapping[str, Any] | None
    """None where the handler takes the payload as bytes."""
    response: Mapping[str, Any] | None
    documentation: Documentation
    raw: str = ""
    """The parameter that gets the payload as it is."""
    takes: type[Message] | None = None
    """The message that this parameter gets the payload as, if it is one."""
    answers: type[Message] | None = None
    """The message that the handler returns, if it is one."""
    context: str = ""
    """The parameter that gets the call's or job's context."""
    read: Callable[[Any], dict[str, Any]]

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of its arguments, or of the fields of the message that it takes."""
        found: Mapping[str, Mapping[str, Any]] = (self.schema or {}).get("properties", {})
        return found

    def bind(self, payload: bytes) -> dict[str, Any]:
        """The handler's keyword arguments. Raises BadArgument, naming the argument that is wrong."""
        if self.raw:
            return {self.raw: payload if self.takes is None else read_message(self.takes, payload)}
        try:
            return self.read(from_payload(payload))
        except Mismatch as mismatch:
            where = f"argument {mismatch.path!r}" if mismatch.path else "the payload"
            raise BadArgument(f"{where} {mismatch.says}") from None


def read_signature(function_id: str, handler: Handler) -> Signature:
    """Raises TypeError, naming function and parameter, for a signature that cannot be offered."""
    try:
        hints = get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise TypeError(f"function {function_id}: its annotations cannot be read: {error}") from error
    documentation = parse_docstring(handler.__doc__)
    parameters = inspect.signature(handler).parameters
    contexts = [name for name in parameters if hints.get(name) in _CONTEXTS]
    if len(contexts) > 1:
        raise TypeError(f"function {function_id}, parameter {contexts[1]}: there is one context for a call")
    taken = {name: parameter for name, parameter in parameters.items() if name not in contexts}
    raw = _raw_parameter(function_id, taken, hints)
    shapes = {} if raw else {name: _parameter(function_id, each, hints, documentation) for name, each in taken.items()}
    required = frozenset(name for name in shapes if parameters[name].default is inspect.Parameter.empty)
    record = record_shape(shapes, required, dict)
    return Signature(
        parameters=shapes,
        schema=_schema(raw, hints) if raw else record.schema,
        response=_response(function_id, hints),
        documentation=documentation,
        raw=raw,
        takes=hints[raw] if raw and is_message(hints[raw]) else None,
        answers=hints["return"] if is_message(hints.get("return")) else None,
        context="".join(contexts),
        read=record.read,
    )


def _schema(raw: str, hints: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of a message; a payload that is taken as it is has none."""
    return message_schema(hints[raw].DESCRIPTOR) if is_message(hints[raw]) else None


def _raw_parameter(function_id: str, parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any]) -> str:
    raw = [name for name in parameters if hints.get(name) in (bytes, RawPayload) or is_message(hints.get(name))]
    if raw and len(parameters) > 1:
        kind = "a message" if is_message(hints[raw[0]]) else "RawPayload"
        raise TypeError(
            f"function {function_id}, parameter {raw[0]}: {kind} is the whole payload, so it must be the only parameter"
        )
    return "".join(raw)


def _parameter(
    function_id: str, parameter: inspect.Parameter, hints: Mapping[str, Any], documentation: Documentation
) -> Shape:
    where = f"function {function_id}, parameter {parameter.name}"
    if parameter.kind not in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}:
        raise TypeError(f"{where}: *args, **kwargs and positional-only parameters have no names in a payload")
    if parameter.name not in hints:
        raise TypeError(f"{where}: it needs a type, like {parameter.name}: str")
    try:
        shape = shape_of(hints[parameter.name])
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from error
    if shape.field and shape.field.show_if and parameter.default is inspect.Parameter.empty:
        raise TypeError(f"{where}: with show_if it needs a default, for calls in which it is hidden")
    described = documentation.arguments.get(parameter.name)
    schema = {**({"description": described} if described else {}), **shape.schema}
    if parameter.default is not inspect.Parameter.empty:
        schema["default"] = _default(where, parameter.default, shape)
    return replace(shape, schema=schema)


def _default(where: str, default: Any, shape: Shape) -> Any:
    """The default as JSON; it must itself be what the parameter takes."""
    try:
        value = json.loads(to_json(default))
        shape.read(value)
    except Unserializable as error:
        raise TypeError(f"{where}: the default cannot be written as JSON: {error}") from error
    except Mismatch as mismatch:
        raise TypeError(f"{where}: the default {mismatch.says}; change it, or the type") from mismatch
    return value


def _response(function_id: str, hints: Mapping[str, Any]) -> Mapping[str, Any] | None:
    answer = hints.get("return", Any)
    if answer in (bytes, RawPayload):
        return None
    if is_message(answer):
        return message_schema(answer.DESCRIPTOR)
    try:
        return shape_of(answer).schema or None
    except TypeError as error:
        raise TypeError(f"function {function_id}, return value: {error}") from error
