"""Payloads as JSON: checked on the way in without being built, labelled on the way out."""

import base64

import msgspec
import orjson

from croupier.domain.limits import JSON_DEPTH, PAYLOAD_BYTES
from croupier.errors import InvalidArgument, PayloadTooLarge

_skip = msgspec.json.Decoder(msgspec.Raw).decode

_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_json(payload: bytes) -> bool:
    """Whether `payload` is one JSON value in UTF-8."""
    try:
        _skip(payload)
    except (msgspec.DecodeError, RecursionError):
        return False
    return _is_utf8(payload)


def check_payload(payload: bytes) -> None:
    """Check what a caller sends to a function.

    Raises PayloadTooLarge or InvalidArgument.
    """
    try:
        _skip(payload)
    except RecursionError:
        raise too_deep() from None
    except msgspec.DecodeError as error:
        raise InvalidArgument(f"the payload is not JSON: {error}") from None
    check_bounds(payload)


def check_bounds(payload: bytes) -> None:
    """Like `check_payload`, for one that was parsed already.

    Raises PayloadTooLarge or InvalidArgument.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise PayloadTooLarge(f"the payload is larger than {PAYLOAD_BYTES} bytes: send less, or a reference to it")
    if not _is_utf8(payload):
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


def payload_fields(payload: bytes) -> dict[str, object]:
    """How a payload stands in a larger JSON document: as itself if it is JSON, else as base64."""
    if not payload:
        return {"payload": None}
    if is_json(payload):
        # Line breaks in JSON are white space, but they end a line of an event stream.
        return {"payload": orjson.Fragment(payload.replace(b"\r", b" ").replace(b"\n", b" "))}
    return {"payload_base64": base64.b64encode(payload).decode()}


def _brackets(payload: bytes) -> int:
    return payload.count(b"[") + payload.count(b"{")


def _is_utf8(payload: bytes) -> bool:
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def too_deep() -> InvalidArgument:
    return InvalidArgument(f"the payload is nested deeper than {JSON_DEPTH} levels: flatten it")
