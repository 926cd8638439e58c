"""Times of day and days of the week, as conditions write them."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def moment(now_ms: int, zone: str = "") -> datetime:
    """Raises ValueError for a zone that nobody knows."""
    return datetime.fromtimestamp(now_ms / 1000, _zone(zone) if zone else UTC)


def is_between(now_ms: int, begin: str, end: str, zone: str = "") -> bool:
    """Whether the time of day is `begin` or later and before `end`, over midnight where that is earlier; UTC unless a
    zone is named. Raises ValueError for what is no time or zone.
    """
    now = moment(now_ms, zone)
    first, last, minute = _minute(begin), _minute(end), now.hour * 60 + now.minute
    return first <= minute < last if first <= last else minute >= first or minute < last


def is_day(now_ms: int, *names: str) -> bool:
    """Whether it is one of these days (`mon`, `monday`); a zone may come last. Raises ValueError."""
    zone = names[-1] if "/" in names[-1] or names[-1] == "UTC" else ""
    wanted = [_day(name) for name in (names[:-1] if zone else names)]
    return moment(now_ms, zone).weekday() in wanted


def _day(name: str) -> int:
    low = name.strip().lower()
    for number, day in enumerate(_DAYS):
        if len(low) >= 3 and day.startswith(low):
            return number
    raise ValueError(f"{name[:20]!r} is no day: write mon, tue, wed, thu, fri, sat or sun")


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:20]!r} is no time of day: write 09:00")
    return 24 * 60 if found[1] is None else int(found[1]) * 60 + int(found[2])


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        pass  # it is told below
    raise ValueError(f"{name[:60]!r} is no time zone: write one such as Asia/Shanghai")
