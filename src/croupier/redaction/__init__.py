"""Finds secrets in whatever flows out, in the forms that programs give them, and puts `***` in their place.

    secrets ─► needles (raw, JSON, URL, hex, base64 at any offset) ─► Patterns (Aho-Corasick, immutable) ─► Redactor
                                                                                                              ├─ bytes, text, payloads
                                                                                                              ├─ streams cut anywhere
                                                                                                              └─ log lines

A Redactor is one for a process, and is given its patterns when the secrets are known. Without secrets it costs one look.
"""

from croupier.redaction.logs import RedactingFormatter
from croupier.redaction.needles import SHORTEST
from croupier.redaction.outcomes import redacted_events, redacted_outcome
from croupier.redaction.patterns import MASK, Patterns
from croupier.redaction.redactor import Redactor
from croupier.redaction.stream import RedactingStream

__all__ = [
    "MASK",
    "SHORTEST",
    "Patterns",
    "RedactingFormatter",
    "RedactingStream",
    "Redactor",
    "redacted_events",
    "redacted_outcome",
]
