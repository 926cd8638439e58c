"""Payloads inside larger JSON documents."""

import base64

import msgspec
import orjson

_skip = msgspec.json.Decoder(msgspec.Raw).decode


def is_json(payload: bytes) -> bool:
    """Whether `payload` is one JSON value in UTF-8."""
    try:
        _skip(payload)
    except (msgspec.DecodeError, RecursionError):
        return False
    return is_utf8(payload)


def payload_fields(payload: bytes) -> dict[str, object]:
    """How a payload stands in a larger JSON document: as itself if it is JSON, else as base64."""
    if not payload:
        return {"payload": None}
    if is_json(payload):
        # Line breaks in JSON are white space, but they end a line of an event stream.
        return {"payload": orjson.Fragment(payload.replace(b"\r", b" ").replace(b"\n", b" "))}
    return {"payload_base64": base64.b64encode(payload).decode()}


def is_utf8(payload: bytes) -> bool:
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
