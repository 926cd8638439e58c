"""How a process of ours logs: one line per event on stderr, as text or as JSON."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import click

from croupier.redaction import RedactingFormatter, Redactor
from croupier.settings import LogFormat, LogLevel

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def set_up_logging(level: LogLevel, form: LogFormat, redactor: Redactor | None = None) -> None:
    """Send every logger's lines to stderr in one form, without the secrets that `redactor` knows. May be repeated; the last one
    counts.
    """
    handler = logging.StreamHandler(sys.stderr)
    lines = JsonLines() if form is LogFormat.JSON else TextLines()
    handler.setFormatter(lines if redactor is None else RedactingFormatter(lines, redactor))
    logging.basicConfig(level=str(level).upper(), handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """With `colours`, warnings and what is worse are red."""

    def __init__(self, *, colours: bool = False) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        # What others sent may be part of a message: it must not look like a line of its own.
        message = (record.getMessage() + fields).replace("\r", "\\r").replace("\n", "\\n")
        line = f"{_time(record)} {record.levelname.lower():8} {record.name}: {message}"
        if self._colours and record.levelno >= logging.WARNING:
            line = click.style(line, fg="red")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the line was given beside its message: `call_id` and `trace_id` where it concerns a call."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value != ""}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
