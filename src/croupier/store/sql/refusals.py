"""A refusal's name and details in one column: details alone where it has no name, `[name, details]` where it has one."""

from collections.abc import Mapping

import orjson

from croupier.codes import Code
from croupier.errors import BY_REASON, CroupierError, InternalError


def said(code: Code | None, details: Mapping[str, str]) -> str:
    if code is not None:
        return orjson.dumps((code, dict(details))).decode()
    return orjson.dumps(dict(details)).decode() if details else ""


def read(text: str) -> tuple[Code | None, Mapping[str, str]]:
    found = orjson.loads(text) if text else {}
    if isinstance(found, dict):
        return None, found
    name, details = found
    return Code(name), details


def refusal(reason: str, message: str, text: str) -> CroupierError:
    """As it was raised."""
    code, details = read(text)
    return BY_REASON.get(reason, InternalError)(message, details, code=code)
