"""Values as the template language counts and compares them: the same in Python and in JavaScript.

Numbers are IEEE doubles. A whole one up to 2^53 is written without a fraction.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from croupier.forms.nodes import NOTHING, Budget, is_number, same

SAFE_INTEGER = 2**53
MOST_DIGITS = 20
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DECIMAL_CHARACTERS = 400
_SPACE = " \t\n\r"
_PRECISE = Context(prec=64)
"""Enough for every digit of a double below 10^21 with `MOST_DIGITS` after the point."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z"""
_LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z"""


def number(value: Any) -> float | None:
    """A number, or a text that is one in decimal notation; None for anything else."""
    if isinstance(value, str):
        text = value.strip(_SPACE)
        if len(text) > _DECIMAL_CHARACTERS or not _DECIMAL.fullmatch(text):
            return None
        value = float(text)
    elif not is_number(value):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def written(value: float | None) -> Any:
    """A number as JSON has it; NOTHING for none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return int(value) if value.is_integer() and abs(value) <= SAFE_INTEGER else value


def fixed(value: float | None, digits: int) -> Any:
    """Rounded to `digits` after the point, halves away from zero, as `toFixed` does it."""
    if value is None or abs(value) >= 1e21:
        return written(value)
    return written(float(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _PRECISE)))


def iso(milliseconds: float | None) -> Any:
    """`2026-01-31T08:00:00.000Z`; a fraction of a millisecond is cut off. NOTHING outside the years 1 to 9999."""
    if milliseconds is None or not _FIRST_MS <= math.trunc(milliseconds) <= _LAST_MS:
        return NOTHING
    moment = _EPOCH + timedelta(milliseconds=math.trunc(milliseconds))
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def text(value: Any) -> str | None:
    """A text, a whole number or true and false as text; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value) and float(value).is_integer() and abs(value) <= SAFE_INTEGER:
        return str(int(value))
    return None


def contains(holder: Any, sought: Any, budget: Budget) -> bool:
    """Whether a list has an equal element, or a text has the other text in it."""
    if isinstance(holder, list):
        budget.spend(len(holder))
        return any(same(each, sought, budget) for each in holder)
    whole, part = text(holder), text(sought)
    return whole is not None and part is not None and part in whole


def size(value: Any) -> int:
    """How much of an output a value takes: one for each value, and the characters of texts and of names."""
    total = 0
    waiting = [value]
    while waiting:
        each = waiting.pop()
        total += 1
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            total += sum(map(len, each))
            waiting.extend(each.values())
    return total
