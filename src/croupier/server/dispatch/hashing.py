"""Where a call's hash key comes from when its caller names none: the payload, as its function says."""

from dataclasses import replace

import orjson

from croupier.codes import Code
from croupier.descriptors.paths import single_value_path
from croupier.domain.call import Call
from croupier.domain.function import Function
from croupier.domain.limits import KEY_BYTES
from croupier.errors import InvalidArgument


def with_hash_key(call: Call, function: Function) -> Call:
    """The call with the key that its function's `hash_path` finds in the payload.

    Raises InvalidArgument when the function names no path, or the payload has no text, number or boolean there.
    """
    if not function.hash_path:
        raise InvalidArgument(
            f"route hash needs hash_key: {call.function_id} does not say where in its payload the key is (routing.jsonpath)",
            {"function": call.function_id},
            code=Code.HASH_KEY_MISSING,
        )
    try:
        payload = orjson.loads(call.payload or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the payload of {call.function_id} must be JSON to be routed by hash: {error}") from None
    node = single_value_path(function.hash_path).match(payload) if isinstance(payload, dict | list) else None
    found = None if node is None else node.obj
    if not isinstance(found, str | int | float) or found == "":
        raise InvalidArgument(
            f"route hash needs a text or number at {function.hash_path} of the payload, which {call.function_id} is "
            "routed by; send it, or hash_key",
            {"function": call.function_id},
            code=Code.HASH_KEY_MISSING,
        )
    key = found if isinstance(found, str) else orjson.dumps(found).decode()
    if len(key.encode()) > KEY_BYTES:
        raise InvalidArgument(f"the value at {function.hash_path} of the payload is longer than {KEY_BYTES} bytes")
    return replace(call, hash_key=key)
