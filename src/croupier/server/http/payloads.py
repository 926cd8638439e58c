"""Payloads as JSON: checked on the way in without being built."""

import re

import msgspec

from croupier.domain.limits import JSON_DEPTH, PAYLOAD_BYTES
from croupier.errors import InvalidArgument, PayloadTooLarge
from croupier.server.payload_json import is_utf8

_skip = msgspec.json.Decoder(msgspec.Raw).decode

_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def check_payload(payload: bytes) -> None:
    """Check what a caller sends to a function.

    Raises PayloadTooLarge or InvalidArgument.
    """
    try:
        _skip(payload)
    except RecursionError:
        raise too_deep() from None
    except msgspec.DecodeError as error:
        raise InvalidArgument(f"the payload is not JSON: {why_not_json(payload, error)}") from None
    check_bounds(payload)


def why_not_json(data: bytes, error: Exception) -> str:
    """What the decoder said of `data`, but for a lone surrogate, of which it may say that the data ends too early."""
    whole = _PAIR.sub(b" " * 12, data.replace(rb"\\", b"  "))  # of the same length: the place counts
    found = _SURROGATE.search(whole)
    if found is None:
        return str(error)
    return f"a text holds half a character (a lone surrogate) at byte {found.start()}: send whole ones"


def check_bounds(payload: bytes) -> None:
    """Like `check_payload`, for one that was parsed already.

    Raises PayloadTooLarge or InvalidArgument.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise PayloadTooLarge(f"the payload is larger than {PAYLOAD_BYTES} bytes: send less, or a reference to it")
    if not is_utf8(payload):
        raise InvalidArgument("the payload is not UTF-8: encode its text as UTF-8")
    if len(payload) > 2 * JSON_DEPTH and _brackets(payload) > JSON_DEPTH and depth_exceeds(payload, JSON_DEPTH):
        raise too_deep()


def depth_exceeds(payload: bytes, limit: int) -> bool:
    """Whether valid JSON is nested deeper than `limit`.

    Each round takes the innermost brackets away, so the rounds count the depth; every step runs over the bytes in C,
    because ten megabytes of brackets must not hold the event loop for seconds.
    """
    outside_strings = payload.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2]
    brackets = b"".join(outside_strings).translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _brackets(payload: bytes) -> int:
    return payload.count(b"[") + payload.count(b"{")


def too_deep() -> InvalidArgument:
    return InvalidArgument(f"the payload is nested deeper than {JSON_DEPTH} levels: flatten it")
