"""A token that is sent, and that nobody is shown."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

from pydantic import SecretStr

MASK = b"***"


class Secret:
    """The bearer token for another system. Its text leaves by `header` only."""

    def __init__(self, token: SecretStr | None) -> None:
        self._token = token.get_secret_value() if token else ""
        self._spellings = tuple(sorted(set(_spellings(self._token)), key=len, reverse=True)) if self._token else ()

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def mask(self, text: bytes) -> bytes:
        """`text` without the token in any of its usual spellings: a system may echo what it was sent."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text


def _spellings(token: str) -> Iterator[bytes]:
    raw = token.encode()
    yield raw
    yield quote(token, safe="").encode()
    yield json.dumps(token)[1:-1].encode()
    for before in range(3):
        # A base64 text groups three bytes; where the token begins in a group is not known, and what goes round it neither.
        start, end = (8 * before + 5) // 6, 8 * (before + len(raw)) // 6
        core = base64.b64encode(bytes(before) + raw)[start:end]
        yield core
        yield core.translate(_URL_SAFE)


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
