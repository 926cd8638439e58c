"""W3C trace context: taken from the caller at an entry, or begun there; every hop passes it on."""

import random
import re
from collections.abc import Mapping
from typing import NamedTuple

from croupier.domain.call import Call

# Version 00 ends after the flags; a later one may say more, which is not passed on.
_TRACEPARENT = re.compile(
    r"(?!ff)(?:00(?=.{53}\Z)|(?!00)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_TRACESTATE = re.compile(r"[\t\x20-\x7e]{1,512}")
TRACEPARENT_LENGTH = 55


class Trace(NamedTuple):
    trace_id: str
    """32 hexadecimal digits."""
    traceparent: str
    """What the next hop goes on from."""
    continued: bool
    """Its caller named the span it comes from; else the trace begins here."""


def read_traceparent(text: str) -> Trace | None:
    """The trace that `text` goes on, or None when it is malformed."""
    found = _TRACEPARENT.fullmatch(text)
    return Trace(found[1], text[:TRACEPARENT_LENGTH], True) if found else None


def begin_trace(trace_id: str = "") -> Trace:
    """A new trace; `trace_id` names it if it is an id, written as 32 hexadecimal digits or as a UUID."""
    # Not `secrets`: it names a trace, guards nothing, saves a system call.
    digits = random.getrandbits(192).to_bytes(24, "big").hex()
    chosen = (_spelled(trace_id) if trace_id else "") or digits[:32]
    # Calling the class takes three times as long, and every request begins one.
    return tuple.__new__(Trace, (chosen, f"00-{chosen}-{digits[32:]}-01", False))


def _spelled(trace_id: str) -> str:
    """The id as the standard writes it, or nothing where it is none."""
    named = trace_id.replace("-", "").lower()
    return named if _TRACE_ID.fullmatch(named) else ""


def trace_of(header: bytes | None) -> Trace:
    """The trace of an HTTP request. One that is missing or malformed is replaced by a new one, as the standard asks."""
    if header is not None and (found := read_traceparent(header.decode("latin-1"))):
        return found
    return begin_trace()


def trace_in(metadata: Mapping[str, str], header: str = "") -> Trace:
    """The trace of a call that came with `metadata` (`traceparent`, `trace_id`), else that of `header`, else a new one."""
    for text in (metadata.get("traceparent"), header):
        if text and (found := read_traceparent(text)):
            return found
    return begin_trace(metadata.get("trace_id", ""))


def tracestate_of(text: str) -> str:
    """`text` if it may travel on as tracestate, else nothing: one that cannot be read is dropped, as the standard says."""
    return text if _TRACESTATE.fullmatch(text) else ""


def trace_id_of(traceparent: str) -> str:
    """The id in a `traceparent` that was read or begun here."""
    return traceparent[3:35]


def named(call: Call) -> dict[str, str]:
    """The fields by which a log line is found: `log.error(..., extra=named(call))`."""
    return {"call_id": call.id, "trace_id": trace_id_of(call.traceparent)}
