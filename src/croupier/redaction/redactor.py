from collections.abc import Sequence
from typing import Any

import orjson

from croupier.redaction.patterns import MASK, Patterns, masked
from croupier.redaction.stream import RedactingStream

_NOTHING = Patterns(())
_MASK_TEXT = MASK.decode()


class Redactor:
    """`active` says whether there is any secret: where it is False, nobody need ask."""

    __slots__ = ("_patterns", "active")

    def __init__(self, patterns: Patterns = _NOTHING) -> None:
        self.use(patterns)

    def use(self, patterns: Patterns) -> None:
        """From now on these are looked for, and no others. May be called from any thread."""
        self._patterns = patterns
        self.active = bool(patterns)

    def data(self, data: bytes) -> bytes:
        """`data` with each secret masked; the same object where there is none."""
        spans = self._patterns.spans(data)
        return b"".join(masked(data, spans)) if spans else data

    def text(self, text: str) -> str:
        data = text.encode(errors="surrogatepass")
        found = self.data(data)
        return text if found is data else found.decode(errors="surrogatepass")

    def texts(self, texts: Sequence[str]) -> list[str]:
        """Texts that follow one another, such as the lines of a log: a secret that is cut in two is masked in both."""
        pieces = [text.encode(errors="surrogatepass") for text in texts]
        spans = self._patterns.spans(b"".join(pieces))
        if not spans:
            return list(texts)
        found = []
        at = 0
        for piece in pieces:
            end = at + len(piece)
            inside = [(max(start, at) - at, min(stop, end) - at) for start, stop in spans if start < end and stop > at]
            found.append(b"".join(masked(piece, inside)).decode(errors="replace"))
            at = end
        return found

    def payload(self, payload: bytes) -> bytes:
        """As `data`; what is JSON stays JSON, also where a secret looks like a number."""
        found = self.data(payload)
        if found is payload or not _is_json(payload) or _is_json(found):
            return found
        walked = orjson.dumps(self._walked(orjson.loads(payload)))
        return walked if self.data(walked) is walked else b'"***"'

    def stream(self) -> RedactingStream:
        """For what comes in pieces that may cut a secret anywhere. It goes on with the patterns of its beginning."""
        return RedactingStream(self._patterns)

    def _walked(self, value: Any) -> Any:
        """No deeper than orjson reads, which is bounded."""
        if isinstance(value, dict):
            return {self.text(name): self._walked(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._walked(each) for each in value]
        if isinstance(value, str):
            return self.text(value)
        written = orjson.dumps(value)
        return value if self.data(written) is written else _MASK_TEXT


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
