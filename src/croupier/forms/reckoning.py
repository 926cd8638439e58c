"""The directives of the template language that reckon, and the tests of its `where`."""

from collections.abc import Callable, Mapping
from typing import Any

from croupier.forms import values
from croupier.forms.nodes import Budget, same


def _multiplied(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left * right


def _divided(left: float | None, right: float | None) -> float | None:
    return left / right if left is not None and right else None


def _seconds(value: float | None) -> float | None:
    return None if value is None else value * 1000


OF_ONE: Mapping[str, Callable[[float | None], Any]] = {
    "number": values.written,
    "msFromSec": lambda value: values.written(_seconds(value)),
    "isoFromMs": values.iso,
    "isoFromSec": lambda value: values.iso(_seconds(value)),
}

OF_TWO: Mapping[str, Callable[[float | None, float | None], float | None]] = {
    "mul": _multiplied,
    "div": _divided,
    "add": lambda left, right: (left or 0.0) + (right or 0.0),
    "sub": lambda left, right: (left or 0.0) - (right or 0.0),
}


def _greater(left: Any, right: Any, _budget: Budget) -> bool:
    one, other = values.number(left), values.number(right)
    return one is not None and other is not None and one > other


TESTS: Mapping[str, Callable[[Any, Any, Budget], bool]] = {
    "eq": same,
    "ne": lambda left, right, budget: not same(left, right, budget),
    "gt": _greater,
    "lt": lambda left, right, budget: _greater(right, left, budget),
    "contains": values.contains,
}
