"""JSON on the way out."""

from dataclasses import fields, is_dataclass
from typing import Any

import orjson


def to_json(value: object) -> bytes:
    """`value` (JSON, dataclasses, mappings, fragments) as JSON.

    Text that is not valid Unicode is mended: a game server's message may hold anything, and must not spoil the answer
    that brings it.
    """
    try:
        return orjson.dumps(value, default=dict)
    except orjson.JSONEncodeError:
        return orjson.dumps(_mended(value))


def _mended(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {_mended(key): _mended(item) for key, item in value.items()}
        case list() | tuple():
            return [_mended(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: _mended(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
