"""W3C trace context at the entry: taken from the caller, or begun here."""

import random
import re
from typing import NamedTuple

# Version 00 ends after the flags; a later one may say more, which is not passed on.
_TRACEPARENT = re.compile(
    rb"(?!ff)(?:00(?=.{53}\Z)|(?!00)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


class Trace(NamedTuple):
    trace_id: str
    traceparent: str


def trace_of(header: bytes | None) -> Trace:
    """The caller's trace. One that is missing or malformed is replaced by a new one, as the standard asks."""
    if header is not None and (found := _TRACEPARENT.fullmatch(header)):
        return Trace(found[1].decode(), header[:55].decode())
    digits = f"{random.getrandbits(192):048x}"  # not `secrets`: it names a trace, guards nothing, saves a system call
    return Trace(digits[:32], f"00-{digits[:32]}-{digits[32:]}-01")
