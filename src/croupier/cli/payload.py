"""What stands after the function's name on the command line, as the JSON to send."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from croupier.domain.limits import PAYLOAD_BYTES

_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)


def read_payload(arguments: Sequence[str]) -> bytes:
    """The payload that `arguments` mean: nothing, one JSON text, `@FILE`, `-` (stdin), or `key=value` pairs.

    JSON goes on byte for byte. A value of a pair is JSON where it parses as JSON, else a text.
    Raises click.UsageError.
    """
    if not arguments:
        return b"{}"
    pairs = [_PAIR.fullmatch(argument) for argument in arguments]
    if all(pairs):
        return _object([(pair[1], pair[2]) for pair in pairs if pair])
    if len(arguments) > 1:
        odd = next(argument for argument, pair in zip(arguments, pairs, strict=True) if not pair)
        raise click.UsageError(f"'{_short(odd)}' is not key=value: give pairs, or one JSON text in quotes")
    return _json(_source(arguments[0]))


def parse_pairs(name: str, pairs: Sequence[str]) -> dict[str, str]:
    """`key=value` texts as a mapping. Raises click.UsageError naming the option."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{name} takes key=value, not '{_short(pair)}'")
        if key in found:
            raise click.UsageError(f"{name} {key} is given twice")
        found[key] = value
    return found


def _object(pairs: Sequence[tuple[str, str]]) -> bytes:
    values: dict[str, object] = {}
    for key, text in pairs:
        if key in values:
            raise click.UsageError(f"{key} is given twice")
        values[key] = _value(text)
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogateescape")


def _value(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _source(argument: str) -> bytes:
    if argument == "-":
        raw = sys.stdin.buffer.read(PAYLOAD_BYTES + 1)
    elif argument.startswith("@"):
        raw = _file(Path(argument[1:]))
    else:
        raw = argument.encode(errors="surrogateescape")
    if len(raw) > PAYLOAD_BYTES:
        raise click.UsageError(f"the payload is larger than {PAYLOAD_BYTES} bytes")
    return raw


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PAYLOAD_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error


def _json(raw: bytes) -> bytes:
    try:
        json.loads(raw, parse_constant=_refuse)
    except RecursionError:
        raise click.UsageError("the payload is nested too deep") from None
    except ValueError as error:
        raise click.UsageError(
            f'the payload is not JSON ({error}); write \'{{"key": "value"}}\' in quotes, or key=value'
        ) from error
    return raw


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
