"""A row of the record as canonical JSON (RFC 8785).

Rows hold nothing but text and whole numbers below 2⁵³, under names of ASCII letters: for these orjson writes what RFC 8785
asks for (a test compares them). That is why a call's arguments are in a row as the *text* of a JSON document, and not as one:
a player's id of 64 bits is no number of RFC 8785.
"""

import re
from typing import Any

import orjson

from croupier.domain.audit import Note

VERSION = 1

_TREACHEROUS = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
"""What changes how a line looks and is not seen itself; JSON escapes only what is below U+0020."""


def canonical(note: Note, seq: int, time_ms: int) -> bytes:
    """Fields that are empty are left out. The names are in the order of RFC 8785 already."""
    actor = note.actor
    who: dict[str, str] = {}
    if actor.credential:
        who["credential"] = harmless(actor.credential)
    who["kind"] = actor.kind
    who["name"] = harmless(actor.name)
    if actor.user_id:
        who["user_id"] = harmless(actor.user_id)
    row: dict[str, Any] = {}
    if note.act_id:
        row["act_id"] = harmless(note.act_id)
    row["action"] = note.action
    row["actor"] = who
    if note.address:
        row["address"] = note.address
    if note.details:
        row["details"] = harmless(note.details)
    scope = note.scope
    if scope is not None:
        row["env"] = scope.env
        row["game_id"] = scope.game_id
    row["phase"] = note.phase.value
    if note.reason:
        row["reason"] = note.reason
    if note.result:
        row["result"] = note.result
    row["seq"] = seq
    if note.target:
        row["target"] = harmless(note.target)
    row["time_ms"] = time_ms
    if note.trace_id:
        row["trace_id"] = note.trace_id
    row["v"] = VERSION
    return orjson.dumps(row)


def harmless(text: str) -> str:
    r"""`text` with what would change how a line looks written as `\uXXXX`: within a JSON text that is the same text."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _TREACHEROUS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
