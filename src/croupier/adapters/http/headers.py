"""Headers that a caller may set, and those of an answer that are told."""

import re
from collections.abc import Iterable, Mapping

from croupier_sdk import BadArgument

MOST = 64
BYTES = 16_384

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")

_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""They belong to one connection and not to the request (RFC 9110, 7.6.1), or say where a message ends."""
_CREDENTIALS = frozenset({"authorization", "cookie", "cookie2", "proxy-authenticate", "proxy-authorization"})
_UNTOLD = _CONNECTION | {"set-cookie", "set-cookie2", "proxy-authenticate"}
_PASSED_ON = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""What goes with a request that was redirected to another host."""


def checked(headers: Mapping[str, str]) -> dict[str, str]:
    """Raises BadArgument, naming the header and never its value, for one that must not be sent; UnicodeEncodeError."""
    if len(headers) > MOST or sum(len(name) + len(value.encode()) for name, value in headers.items()) > BYTES:
        raise BadArgument(f"argument 'headers' must be at most {MOST} headers of together {BYTES} bytes")
    seen: set[str] = set()
    for name, value in headers.items():
        if why := _refusal(name, value, seen):
            raise BadArgument(f"argument 'headers': {name[:128]!r} {why}")
        seen.add(name.lower())
    return dict(headers)


def _refusal(name: str, value: str, seen: Iterable[str]) -> str:
    lower = name.lower()
    if not _NAME.fullmatch(name):
        return "is no name of a header"
    if not _VALUE.fullmatch(value) or value != value.strip():
        return "has a value with control characters, or with white space around it"
    if lower in seen:
        return "is there twice"
    if lower in _CONNECTION:
        return "belongs to the connection, which is the adapter's"
    if lower in _CREDENTIALS:
        return (
            "is a credential: calls are recorded, so give the adapter the host's token by --token-env or --token-file"
        )
    return ""


def for_another_host(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in _PASSED_ON}


def told(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of an answer, in lower case; repeated ones joined by a comma."""
    found: dict[str, str] = {}
    for name, text in headers:
        lower, value = _written(name).lower(), _written(text)
        if lower not in _UNTOLD:
            found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _written(text: str) -> str:
    """Bytes in no encoding that is known become marks."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
