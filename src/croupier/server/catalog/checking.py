import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from croupier.codes import Code
from croupier.descriptors import CompiledSchema, SchemaFault
from croupier.domain.call import Call
from croupier.errors import InvalidArgument
from croupier.forms import Form, prune
from croupier.forms.derive import Path
from croupier.transcoding import Codec


class Unfit(InvalidArgument):
    """Arguments that do not fit their function, with every fault."""

    def __init__(self, function_id: str, faults: Sequence[SchemaFault]) -> None:
        named = "; ".join(map(str, faults))
        details = {fault.path: fault.message.en for fault in faults}
        super().__init__(f"the payload does not fit {function_id}: {named}", details, code=Code.ARGUMENTS_UNFIT)
        self.faults = tuple(faults)


def check_payload(schema: CompiledSchema, call: Call) -> None:
    """Raises Unfit, or InvalidArgument when the payload cannot be checked."""
    value = _read(call)
    try:
        faults = schema.faults(value)
    except InvalidArgument as error:
        raise InvalidArgument(f"the payload of {call.function_id}: {error.message}") from error
    if faults:
        raise Unfit(call.function_id, faults)


def respelled(codec: Codec, call: Call) -> Call:
    """The call with its fields under their names in the .proto; the same call where they are."""
    payload = codec.respelled(call.payload)
    return call if payload is call.payload else replace(call, payload=payload)


def fitted(form: Form, call: Call) -> Call:
    """The call without the arguments that its form hides; the same call when there are none. Raises as `check_payload`."""
    value = _read(call)
    try:
        checked = form.check(value)
    except InvalidArgument as error:
        raise InvalidArgument(f"the payload of {call.function_id}: {error.message}") from error
    if checked.faults:
        raise Unfit(call.function_id, checked.faults)
    return call if checked.value is value else replace(call, payload=_without(call, checked.hidden))


def _read(call: Call) -> Any:
    try:
        return orjson.loads(call.payload or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the payload of {call.function_id} must be JSON: {error}") from error


def _without(call: Call, hidden: Sequence[Path]) -> bytes:
    """Read anew by the standard library, which keeps whole numbers of any size; orjson makes doubles of large ones."""
    try:
        pruned = prune(json.loads(call.payload), hidden)
        return json.dumps(pruned, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"the payload of {call.function_id} cannot be written again: {error}") from error
