from croupier.redaction.patterns import MASK, Patterns


class RedactingStream:
    """Masks what comes in pieces as if it had come at once, and holds back no more than may belong to a secret.

    held back │ new piece
    ───────┬──┴──────────────┬──────────
      told │      told       │ held back     (of the first part some may be told already, as a mask)
    """

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._held = b""
        self._told = 0
        """So many bytes of what is held back were masked already; they are kept for what may overlap them."""

    def feed(self, piece: bytes) -> bytes:
        """What can be told now."""
        text = self._held + piece
        spans, hold = self._patterns.spans_so_far(text)
        found, at = self._masked(text, [span for span in spans if span[0] < hold])
        if at < hold:
            found.append(text[at:hold])
            at = hold
        self._held, self._told = text[hold:], at - hold
        return b"".join(found)

    def flush(self) -> bytes:
        """The rest. The stream may begin anew after it."""
        text = self._held
        found, at = self._masked(text, self._patterns.spans(text))
        found.append(text[at:])
        self._held, self._told = b"", 0
        return b"".join(found)

    def _masked(self, text: bytes, spans: list[tuple[int, int]]) -> tuple[list[bytes], int]:
        """What comes of `text` up to the end of the last of the spans, and where that is."""
        found: list[bytes] = []
        at = self._told
        for start, end in spans:
            if end <= at:
                continue
            if start >= at:
                found += (text[at:start], MASK)
            at = end  # where it began before, its mask is told already
        return found, at
