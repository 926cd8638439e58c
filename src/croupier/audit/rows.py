"""A row of the record as canonical JSON (RFC 8785).

Rows hold nothing but text and whole numbers below 2⁵³, under names of ASCII letters: for these orjson writes what RFC 8785
asks for (a test compares them). That is why a call's arguments are in a row as the *text* of a JSON document, and not as one:
a player's id of 64 bits is no number of RFC 8785.
"""

import re
from functools import lru_cache

import orjson

from croupier.domain.audit import Note, Phase
from croupier.domain.scope import Scope

VERSION = 1

_TREACHEROUS = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
"""What changes how a line looks and is not seen itself; JSON escapes only what is below U+0020."""


def canonical(note: Note, seq: int, time_ms: int) -> str:
    """Fields that are empty are left out. The names are in the order of RFC 8785.

    What many rows share is put together once: that takes half of the time of a dictionary, and every call writes two rows.
    Raises orjson.JSONEncodeError for text that is no Unicode.
    """
    actor, action, phase, act_id, target, scope, trace_id, details, result, reason, address = note
    before, between, after = _shared(
        actor.kind,
        actor.name,
        actor.user_id,
        actor.credential,
        action,
        phase,
        target,
        scope,
        result,
        reason,
        address,
    )
    said = f',"details":{_quoted(details)}' if details else ""
    if trace_id and (ids := act_id + trace_id).isalnum() and ids.isascii():  # as nearly all are: nothing to be escaped
        return f'{{"act_id":"{act_id}",{before}{said}{between}{seq}{after}{time_ms},"trace_id":"{trace_id}","v":{VERSION}}}'
    act = f'"act_id":{_quoted(act_id)},' if act_id else ""
    trace = f',"trace_id":{_quoted(trace_id)}' if trace_id else ""
    return f'{{{act}{before}{said}{between}{seq}{after}{time_ms}{trace},"v":{VERSION}}}'


@lru_cache(maxsize=16_384)
def _shared(
    kind: str,
    name: str,
    user_id: str,
    credential: str,
    action: str,
    phase: Phase,
    target: str,
    scope: Scope | None,
    result: str,
    reason: str,
    address: str,
) -> tuple[str, str, str]:
    """What comes before the details, between them and the number, and between that and the time."""
    known = {"credential": credential, "kind": kind, "name": name, "user_id": user_id}
    actor = _fields({field: text for field, text in known.items() if text or field in {"kind", "name"}})
    game_id, env = scope or ("", "")
    before = f'"action":{_quoted(action)},"actor":{{{actor}}}' + _more({"address": address})
    rest = {"env": env, "game_id": game_id, "phase": phase.value, "reason": reason, "result": result}
    return before, _more(rest) + ',"seq":', _more({"target": target}) + ',"time_ms":'


def _more(fields: dict[str, str]) -> str:
    """Those that are not empty, each after a comma."""
    said = _fields({name: text for name, text in fields.items() if text})
    return f",{said}" if said else ""


def _fields(fields: dict[str, str]) -> str:
    return ",".join(f'"{name}":{_quoted(text)}' for name, text in fields.items())


def _quoted(text: str) -> str:
    return orjson.dumps(text if text.isascii() and "\x7f" not in text else harmless(text)).decode()


def harmless(text: str) -> str:
    r"""`text` with what would change how a line looks written as `\uXXXX`: within a JSON text that is the same text."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _TREACHEROUS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
