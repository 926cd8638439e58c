"""Moments and durations, as operators write them."""

import re
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from croupier_sdk import BadArgument, Field

Moment: TypeAlias = Annotated[str, Field(format="date-time", max_length=64)] | float
"""RFC 3339 with a zone, or seconds since 1970."""

Duration: TypeAlias = Annotated[str, Field(pattern=r"^([0-9]{1,6}(ms|s|m|h|d|w|y))+$", max_length=64)]
"""`30s`, `90m`, `1h30m`, `7d`: Prometheus's own way."""

_PART = re.compile(r"([0-9]+)(ms|s|m|h|d|w|y)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_LATEST = 253_402_300_799.0
"""The last second of the year 9999."""


def unix_of(moment: str | float, argument: str) -> float:
    """Seconds since 1970. Raises BadArgument, naming the argument."""
    seconds = moment if isinstance(moment, int | float) else _parsed(moment, argument)
    if not 0 <= seconds <= _LATEST:
        raise BadArgument(f"argument '{argument}' must be a moment from 1970 to 9999")
    return float(seconds)


def _parsed(text: str, argument: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
        seconds = parsed.timestamp() if parsed.tzinfo else None
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None:
        raise BadArgument(
            f"argument '{argument}' must be a moment with a zone, such as 2026-01-31T12:00:00Z, or seconds since 1970"
        )
    return seconds


def seconds_of(duration: str) -> float:
    """Of a text that is a Duration."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
