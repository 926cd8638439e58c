"""Values as the record keeps them: what is sensitive as a keyed hash, what is long cut.

    {"player_id":"42","pin":"1234"} ──► {"player_id":"42","pin":"masked:9f86d081884c7d65"}

The hash is the same for the same value, so that whoever knows a value can find where it was used; without the deployment's key
nobody can try values until one fits.
"""

import hmac
import json
from collections.abc import Mapping
from typing import Any

import orjson

from croupier.domain.limits import JSON_DEPTH
from croupier.redaction import Redactor
from croupier.server.access.audit.sensitive import COUNTABLE, HIDDEN, NOTHING_SAID, SHOWN, Sensitive, exposure_of

OPENED_BYTES = 65_536
"""A larger payload is not opened: its size and hash stand for it."""
DETAILS_CHARS = 8_192
"""So much of a payload is kept at most."""
TEXT_CHARS = 256
"""A longer text is cut."""
CUT_CHARS = 64
LIST_ITEMS = 32

MASKED = "masked:"
OMITTED = "$omitted"


class Masker:
    def __init__(self, key: bytes, redactor: Redactor | None = None) -> None:
        self._key = key
        self._redactor = redactor or Redactor()

    def mask(self, value: object) -> str:
        """What stands in the place of `value`: for a text the text's hash, else that of its JSON."""
        plain = value.encode(errors="surrogatepass") if isinstance(value, str) else _compact(value).encode()
        return self._mask(plain)

    def _mask(self, plain: bytes) -> str:
        return MASKED + hmac.digest(self._key, plain, "sha256")[:8].hex()

    def arguments(self, payload: bytes, sensitive: Sensitive = NOTHING_SAID) -> str:
        """`payload` as JSON to be kept; nothing for no payload."""
        if not payload:
            return ""
        if self._redactor.active:
            payload = self._redactor.payload(payload)
        if len(payload) > OPENED_BYTES or sensitive.everything:
            return self._omitted(payload)
        try:
            value = orjson.loads(payload)
            if _is_plain(value, sensitive.names, 0):
                text = orjson.dumps(value).decode()
            else:  # by the standard library, which keeps whole numbers of any size
                text = _compact(self._shown(json.loads(payload), sensitive.names, 0))
        except (ValueError, RecursionError):
            return self._omitted(payload)
        return text if len(text) <= DETAILS_CHARS else self._omitted(payload)

    def shown(self, payload: bytes, sensitive: Sensitive = NOTHING_SAID) -> bytes:
        """`payload` for whoever may not see what is sensitive, else as it was, whatever its size."""
        if not payload:
            return payload
        if self._redactor.active:
            payload = self._redactor.payload(payload)
        if sensitive.everything:
            return self._omitted(payload).encode()
        try:
            value = json.loads(payload)
        except (ValueError, RecursionError):
            return payload if not sensitive.names else self._omitted(payload).encode()
        if not _hides(value, sensitive.names, 0):
            return payload
        return _compact(self._shown(value, sensitive.names, 0, cut=False)).encode()

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Names and texts, such as metadata."""
        return {name: self.mask(text) if exposure_of(name) is not SHOWN else text for name, text in texts.items()}

    def details(self, details: Mapping[str, object]) -> str:
        """What is said of an act, as JSON to be kept."""
        return self.arguments(_compact(dict(details)).encode(errors="replace")) if details else ""

    def _omitted(self, payload: bytes) -> str:
        return _compact({OMITTED: {"bytes": len(payload), "hash": self._mask(payload)}})

    def _shown(self, value: Any, names: frozenset[str], depth: int, *, cut: bool = True) -> Any:
        if depth > JSON_DEPTH:
            return self.mask(value)
        if isinstance(value, dict):
            return {
                self._cut(key, cut=cut): self.mask(item)
                if item is not None and _is_hidden(key, item, names)
                else self._shown(item, names, depth + 1, cut=cut)
                for key, item in value.items()
            }
        if isinstance(value, list):
            kept = value[:LIST_ITEMS] if cut else value
            shown = [self._shown(item, names, depth + 1, cut=cut) for item in kept]
            return shown if len(kept) == len(value) else [*shown, {OMITTED: {"items": len(value) - len(kept)}}]
        return self._cut(value, cut=cut) if isinstance(value, str) else value

    def _cut(self, text: str, *, cut: bool) -> str:
        if not cut or len(text) <= TEXT_CHARS:
            return text
        return f"{text[:CUT_CHARS]}… ({len(text)} characters, {self.mask(text)})"


def _is_hidden(name: str, value: object, names: frozenset[str]) -> bool:
    if name in names:
        return True
    exposure = exposure_of(name)
    return exposure is HIDDEN or (exposure is COUNTABLE and not isinstance(value, int | float))


def _is_plain(value: Any, names: frozenset[str], depth: int) -> bool:
    """Whether it can be kept as orjson writes it: nothing to hide or to cut, and no number that was too large for orjson."""
    kind = type(value)
    if kind is dict:
        if depth > JSON_DEPTH:
            return False
        for key, item in value.items():
            kind = type(item)
            if key in names or (exposure := exposure_of(key)) is HIDDEN or (exposure is COUNTABLE and kind is not int):
                return False
            if kind is str:
                if len(item) > TEXT_CHARS:
                    return False
            elif kind is not int and not _is_plain(item, names, depth + 1):
                return False
        return True
    if kind is list:
        few = len(value) <= LIST_ITEMS and depth <= JSON_DEPTH
        return few and all(_is_plain(item, names, depth + 1) for item in value)
    return len(value) <= TEXT_CHARS if kind is str else kind is not float


def _hides(value: Any, names: frozenset[str], depth: int) -> bool:
    if depth > JSON_DEPTH:
        return True
    if isinstance(value, dict):
        return any(
            (item is not None and _is_hidden(key, item, names)) or _hides(item, names, depth + 1)
            for key, item in value.items()
        )
    return isinstance(value, list) and any(_hides(item, names, depth + 1) for item in value)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
