r"""Rows as CSV, for spreadsheets. It is no proof: only the JSON lines are.

What a spreadsheet would take for a formula begins with an apostrophe, and control characters are written as `\n`, `\u202e`.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from croupier.domain.audit import SealedRow

COLUMNS = (
    "seq", "time", "phase", "action", "actor", "actor_kind", "user_id", "credential", "address", "target", "game_id", "env",
    "act_id", "trace_id", "result", "reason", "details", "hash",
)  # fmt: skip

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def table_head() -> bytes:
    return _csv([COLUMNS])


def table(rows: Iterable[SealedRow]) -> bytes:
    return _csv([*_cells(each)] for each in rows)


def plain(text: str) -> str:
    """`text` on one line, with nothing in it that cannot be seen."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def cell(text: str) -> str:
    text = plain(text)
    return "'" + text if text[:1] in {"=", "+", "-", "@"} or text.lstrip()[:1] in {"=", "+", "-", "@"} else text


def _cells(sealed: SealedRow) -> Iterable[str]:
    row: dict[str, Any] = orjson.loads(sealed.row)
    actor = row.get("actor", {})
    said = row | {
        "time": iso(row.get("time_ms", 0)),
        "actor": actor.get("name", ""),
        "actor_kind": actor.get("kind", ""),
        "user_id": actor.get("user_id", ""),
        "credential": actor.get("credential", ""),
        "hash": sealed.hash.hex(),
    }
    return (cell(str(said.get(name, ""))) for name in COLUMNS)


def iso(time_ms: int) -> str:
    try:
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return str(time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
