"""Limits on calls: how often, how many at once, and how much of something in a period of the calendar."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from croupier.codes import Code
from croupier.domain.limits import KEY_BYTES
from croupier.domain.policy import Within
from croupier.domain.scope import Scope, parse_scope
from croupier.errors import InvalidArgument

MOST_LIMITS = 1_000
MICRO = 1_000_000
"""Amounts are counted in millionths, so that sums are exact."""
MOST_AMOUNT = 9_000_000_000_000
"""The largest amount, and the largest sum, that is counted."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Per(StrEnum):
    """Who has a share of their own; within one game and env, always."""

    FUNCTION = "function"
    USER = "user"
    GAME = "game"
    """All calls that the limit is about together."""


class Period(StrEnum):
    CALL = "call"
    """Each call for itself: nothing is added up."""
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"


class Then(StrEnum):
    """What becomes of a call that would go over a budget."""

    DENY = "deny"
    APPROVAL = "approval"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """So many calls in so many seconds, evenly; what was not used for as long is saved up, up to `calls`."""

    calls: float
    seconds: float

    @property
    def interval(self) -> float:
        """Seconds after which one more call is earned."""
        return self.seconds / self.calls

    def __str__(self) -> str:
        window = f"{self.seconds:g} s" if self.seconds != 1 else "second"
        return f"{self.calls:g} per {window}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    path: str
    """The argument that is counted, as a JSONPath of one value."""
    most: int
    """In millionths."""
    period: Period
    zone: str = "UTC"
    """In which it is midnight when a day ends."""
    then: Then = Then.DENY


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A rule beside those of descriptions. Every limit that covers a call holds for it."""

    id: str
    functions: str
    """The function's id, or its beginning and `*`."""
    game_id: str = "*"
    env: str = "*"
    per: Per = Per.FUNCTION
    rate: Rate | None = None
    concurrency: int | None = None
    budget: Budget | None = None
    replaces: bool = False
    """It counts instead of the rate and the concurrency of the function's description, not beside them."""
    note: str = ""
    changed_by: str = ""
    changed_ms: int = 0

    def covers(self, scope: Scope, function_id: str) -> bool:
        return reaches(self.game_id, self.env, scope) and (
            self.functions == function_id
            or (self.functions.endswith("*") and function_id.startswith(self.functions[:-1]))
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """How much of a budget is used up by one of those who have a share of it."""

    limit_id: str
    holder: str
    period: str
    """`2026-11-22`, `2026-W47` … in the budget's zone."""
    amount: int
    """In millionths."""
    ends_ms: int
    """When the period is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One period of the calendar."""

    name: str
    ends_ms: int


def reaches(game_id: str, env: str, scope: Scope) -> bool:
    """Whether what is said of this game and env, each `*` for any, is said of `scope`."""
    return game_id in ("*", scope.game_id) and env in ("*", scope.env)


def check_reach(game_id: str, env: str) -> Scope | None:
    """What has to be asked about before something is done to this game and env: they themselves, also where one of them is
    `*`, which only who may in all of them may; None where both are. Raises InvalidArgument.
    """
    parse_scope("any" if game_id == "*" else game_id, "any" if env == "*" else env)
    return None if game_id == env == "*" else Scope(game_id, env)


def meets(within: Within | None, game_id: str, env: str) -> bool:
    """Whether what is said of this game and env, each `*` for any, is said of a scope that somebody may see (`Guard.where`)."""
    return within is None or any(
        (game == game_id or "*" in (game, game_id)) and (name == env or "*" in (name, env))
        for game, name in within.places
    )


def check_limit(limit: Limit) -> None:
    """Raises InvalidArgument, naming the field at fault. Whether a budget's path can be read is not looked at."""
    if not _NAME.fullmatch(limit.id):
        raise InvalidArgument(
            "a limit's name is 1 to 64 of a-z, 0-9, '.', '_', '-', beginning with a letter or digit",
            {"field": "limit"},
            code=Code.NAME_WRONG,
        )
    check_reach(limit.game_id, limit.env)
    if not 1 <= len(limit.functions.encode(errors="replace")) <= KEY_BYTES or "*" in limit.functions[:-1]:
        raise InvalidArgument(
            f"functions is an id of at most {KEY_BYTES} bytes, or its beginning and *, as in player.*",
            {"given": limit.functions[:200]},
            code=Code.FUNCTION_PATTERN_WRONG,
        )
    if not limit.functions.isprintable() or len(limit.note) > 1_000:
        raise InvalidArgument(
            "functions must be printable, and a note has at most 1000 characters",
            {"field": "note", "most": "1000"},
            code=Code.FIELD_TOO_LONG,
        )
    if limit.rate is None and limit.concurrency is None and limit.budget is None:
        raise InvalidArgument(
            "a limit without rate, concurrency and budget limits nothing: give one of them",
            code=Code.LIMIT_EMPTY,
        )
    if limit.rate is not None:
        _check_rate(limit.rate)
    if limit.concurrency is not None and not 0 <= limit.concurrency <= 1_000_000:
        raise InvalidArgument(
            "concurrency must be 0 (nothing may run) to 1000000",
            {"field": "concurrency", "least": "0", "most": "1000000"},
            code=Code.OUT_OF_RANGE,
        )
    if limit.budget is not None:
        _check_budget(limit.budget)


def _check_rate(rate: Rate) -> None:
    if not (math.isfinite(rate.calls) and 0 < rate.calls <= 1e9 and 0 < rate.seconds <= 604_800):
        raise InvalidArgument(
            "a rate is more than 0 calls in at most a week",
            code=Code.LIMIT_RATE_WRONG,
        )


def _check_budget(budget: Budget) -> None:
    if not 0 <= budget.most <= MOST_AMOUNT * MICRO:
        raise InvalidArgument(
            f"most must be 0 to {MOST_AMOUNT}",
            {"field": "most", "least": "0", "most": str(MOST_AMOUNT)},
            code=Code.OUT_OF_RANGE,
        )
    _zone(budget.zone)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # an unknown name, one that is a folder, and one that is a path
        raise InvalidArgument(
            f"there is no time zone {name[:64]!a}: write one such as Asia/Shanghai or UTC",
            {"given": name[:64]},
            code=Code.ZONE_UNKNOWN,
        ) from None


def span_at(period: Period, zone: str, now_ms: int) -> Span:
    """The period that `now_ms` is in, by the calendar of `zone`. Raises InvalidArgument for a zone that does not exist."""
    now = datetime.fromtimestamp(now_ms / 1000, _zone(zone))
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.CALL:
            return Span(name="", ends_ms=now_ms)
        case Period.HOUR:
            # By elapsed time: where clocks are put back, the same hour comes twice, and counts as one.
            left = 3600 - now.minute * 60 - now.second
            return Span(name=now.strftime("%Y-%m-%dT%H"), ends_ms=now_ms - now_ms % 1000 + left * 1000)
        case Period.DAY:
            return Span(name=now.strftime("%Y-%m-%d"), ends_ms=_ms(day + timedelta(days=1)))
        case Period.WEEK:
            return Span(name=now.strftime("%G-W%V"), ends_ms=_ms(day + timedelta(days=7 - now.weekday())))
        case Period.MONTH:
            first = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
            return Span(name=now.strftime("%Y-%m"), ends_ms=_ms(first))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def amount_text(amount: int) -> str:
    """Millionths as people write them: `10000`, `2.5`."""
    whole, part = divmod(amount, MICRO)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def amount_of(number: object) -> int:
    """A JSON number in millionths, rounded up. Raises InvalidArgument for anything else, below 0 or too large."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= MOST_AMOUNT:
        raise InvalidArgument(
            f"an amount is a number from 0 to {MOST_AMOUNT}",
            {"field": "most", "least": "0", "most": str(MOST_AMOUNT)},
            code=Code.OUT_OF_RANGE,
        )
    return number * MICRO if isinstance(number, int) else math.ceil(round(number * MICRO, 3))


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """A limit as it stands now."""

    limit: Limit
    running: int = 0
    spent: tuple[Spent, ...] = ()
    """Of the present period; the largest first."""
