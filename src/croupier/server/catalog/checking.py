import orjson

from croupier.descriptors import CompiledSchema
from croupier.domain.call import Call
from croupier.errors import InvalidArgument


def check_payload(schema: CompiledSchema, call: Call) -> None:
    """Raises InvalidArgument, naming the faults by JSON pointer."""
    try:
        value = orjson.loads(call.payload or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the payload of {call.function_id} must be JSON: {error}") from error
    try:
        faults = schema.faults(value)
    except InvalidArgument as error:
        raise InvalidArgument(f"the payload of {call.function_id}: {error.message}") from error
    if faults:
        named = "; ".join(map(str, faults))
        details = {fault.path: fault.message.en for fault in faults}
        raise InvalidArgument(f"the payload does not fit {call.function_id}: {named}", details)
