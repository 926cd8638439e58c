"""What people are told and asked, and what must not reach their terminal."""

import json
import re
import sys
from collections.abc import Sequence

import click
from rich.cells import cell_len

# Control characters move the cursor, retitle the window or type for the user, bidirectional ones reorder what is read, and
# half a surrogate pair cannot be written at all.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` with everything that a terminal would obey, other than tab and line end, written as an escape."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def print_answer(payload: bytes, *, as_json: bool) -> None:
    """Write a function's answer to stdout: indented for people, with `as_json` as it came, on one line.

    An answer that is not JSON is written byte for byte, unless a terminal would have to show it.
    """
    sys.stdout.buffer.write(_as_came(payload) if as_json else _for_people(payload))
    sys.stdout.buffer.flush()


def print_json(value: object) -> None:
    """One line of JSON on stdout, in ASCII: whatever text is in it, it can be written and cannot drive a terminal."""
    click.echo(json.dumps(value, separators=(",", ":")))


def print_document(found: object, *, as_json: bool) -> None:
    """As `print_json` for programs, indented for people."""
    if as_json:
        print_json(found)
    else:
        print_answer(json.dumps(found, ensure_ascii=False).encode(), as_json=False)


def tell(found: object, words: str, *, as_json: bool) -> None:
    """What came of a command: `found` for programs, `words` for people."""
    if as_json:
        print_json(found)
    else:
        click.echo(printable(words))


def ask(question: str, *, yes: bool, as_json: bool) -> None:
    """Raises click.Abort unless somebody agrees, click.UsageError where a program would have to."""
    if yes:
        return
    if as_json:
        raise click.UsageError("with --json nobody is asked: say --yes")
    click.confirm(printable(question), abort=True, err=True)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns on stdout, as wide as their content: they can be read by eye and cut by scripts."""
    table = [
        list(headings),
        *([printable(str(cell)).replace("\n", " ").replace("\t", " ") for cell in row] for row in rows),
    ]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if not rows:
        click.echo("(none)")


def _as_came(payload: bytes) -> bytes:
    # In JSON a line end stands between values, never inside a text, so replacing it loses nothing.
    return payload.strip().replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" if _parsed(payload) else payload


def _for_people(payload: bytes) -> bytes:
    if parsed := _parsed(payload):
        return printable(json.dumps(parsed[0], ensure_ascii=False, indent=2)).encode(errors="replace") + b"\n"
    if not sys.stdout.isatty():
        return payload
    try:
        return printable(payload.decode()).encode() + b"\n"
    except UnicodeDecodeError:
        return f"{len(payload)} bytes that are not text; send them to a file: croupier … > FILE\n".encode()


def _parsed(payload: bytes) -> tuple[object] | None:
    try:
        return (json.loads(payload),)
    except (ValueError, RecursionError):
        return None
