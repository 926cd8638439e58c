"""Limits as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from pydantic import ValidationError

from croupier.descriptors.rules import RateLimit
from croupier.domain.limit import MICRO, Budget, Limit, Per, Period, Rate, Spent, Then, Usage, amount_of
from croupier.errors import InvalidArgument


class RateWindow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    value: float
    window: str | float = 1
    """Such as `1m`; a number of seconds."""


class BudgetBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How much of one argument may be used in a period of the calendar."""

    path: str
    """The argument, as a JSONPath of one value, such as `$.amount`."""
    most: float | int
    period: Period = Period.DAY
    """`call`: each call for itself."""
    zone: str = "UTC"
    """A time zone such as Asia/Shanghai: by its clocks a day ends."""
    then: Then = Then.DENY
    """What becomes of a call that would go over it: it is denied, or somebody else has to agree."""


class LimitBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `PUT /api/limits/{name}`. It has a rate, a concurrency or a budget, or several of them."""

    functions: str
    """A function's id, or its beginning and `*`."""
    game_id: str = "*"
    env: str = "*"
    per: Per = Per.FUNCTION
    """Who has a share of their own in each game and env: every function, every user, or all together (`game`)."""
    rate: str | float | RateWindow | None = None
    """`5rps`, `100/s`, `10/m`, or so many a second."""
    concurrency: int | None = None
    budget: BudgetBody | None = None
    replaces: bool = False
    """Its rate or concurrency counts instead of that of a function's description, else beside it."""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitRate:
    value: float
    window: float
    """Seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetSpent:
    holder: str
    """`game|env`, and who has the share."""
    amount: float
    left: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitBudget:
    path: str
    most: float
    period: Period
    zone: str
    then: Then
    spent: list[BudgetSpent]
    """In the present period; those who spent most come first, and at most 20."""
    renewed: str
    """When the present period ends; empty where nothing was spent in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitEntry:
    name: str
    functions: str
    game_id: str
    env: str
    per: Per
    rate: LimitRate | None
    concurrency: int | None
    running: int
    """Calls that count towards its concurrency now."""
    budget: LimitBudget | None
    replaces: bool
    note: str
    changed_by: str
    changed_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitList:
    limits: list[LimitEntry]


def limit_of(name: str, body: LimitBody) -> Limit:
    """Raises InvalidArgument, naming the field at fault."""
    return Limit(
        id=name,
        functions=body.functions,
        game_id=body.game_id,
        env=body.env,
        per=body.per,
        rate=None if body.rate is None else _rate(body.rate),
        concurrency=body.concurrency,
        budget=None if body.budget is None else _budget(body.budget),
        replaces=body.replaces,
        note=body.note,
    )


def limit_document(usage: Usage) -> LimitEntry:
    limit = usage.limit
    return LimitEntry(
        name=limit.id,
        functions=limit.functions,
        game_id=limit.game_id,
        env=limit.env,
        per=limit.per,
        rate=None if limit.rate is None else LimitRate(value=limit.rate.calls, window=limit.rate.seconds),
        concurrency=limit.concurrency,
        running=usage.running,
        budget=None if limit.budget is None else _budget_document(limit.budget, usage.spent),
        replaces=limit.replaces,
        note=limit.note,
        changed_by=limit.changed_by,
        changed_ms=limit.changed_ms,
    )


def _rate(said: str | float | RateWindow) -> Rate:
    written = {"value": said.value, "window": said.window} if isinstance(said, RateWindow) else said
    try:
        read = RateLimit.model_validate(written)
    except ValidationError as error:
        raise InvalidArgument(f"rate: {error.errors()[0]['msg']}") from None
    return Rate(calls=read.value, seconds=read.window)


def _budget(said: BudgetBody) -> Budget:
    try:
        most = amount_of(said.most)
    except InvalidArgument as error:
        raise InvalidArgument(f"most: {error.message}", error.details, code=error.code) from None
    return Budget(path=said.path, most=most, period=said.period, zone=said.zone, then=said.then)


def _budget_document(budget: Budget, spent: tuple[Spent, ...]) -> LimitBudget:
    return LimitBudget(
        path=budget.path,
        most=budget.most / MICRO,
        period=budget.period,
        zone=budget.zone,
        then=budget.then,
        spent=[
            BudgetSpent(holder=each.holder, amount=each.amount / MICRO, left=max(0, budget.most - each.amount) / MICRO)
            for each in spent
        ],
        renewed=_moment(spent[0].ends_ms) if spent else "",
    )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
