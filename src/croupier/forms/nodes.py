"""What paths find: nothing or values; how values compare, and how much looking for them may cost."""

from collections.abc import Callable, Iterable
from typing import Any

import jsonpath
from jsonpath.filter import UNDEFINED
from jsonpath.selectors import IndexSelector, NameSelector

from croupier.errors import InvalidArgument

STEPS = 100_000
"""Nodes that one evaluation may visit, where nothing else is said."""

NOTHING = UNDEFINED
"""What a query without a node gives: RFC 9535's Nothing, which differs from null."""


class Budget:
    """How many nodes may still be visited; and what paths from the root have found already."""

    __slots__ = ("_kept", "left")

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps
        self._kept: dict[int, tuple[Any, Any]] = {}

    def spend(self, steps: int = 1) -> None:
        """Raises InvalidArgument when nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise InvalidArgument("evaluating takes too many steps; use narrower paths, or less data")

    def kept(self, of: object, root: Any, evaluate: Callable[[], Any]) -> Any:
        """What `of`, which lives as long as its query, makes of `root`: evaluated once."""
        known = self._kept.get(id(of))
        if known is None or known[0] is not root:
            known = self._kept[id(of)] = root, evaluate()
        return known[1]


def compare(left: object, operator: str, right: object, budget: Budget | None = None) -> bool:
    """Two values, or Nothing, by RFC 9535, 2.3.5.2.2: equal in type and value; only texts and numbers have an order."""
    if operator == "==":
        return same(left, right, budget)
    if operator == "!=":
        return not same(left, right, budget)
    if operator in {">", ">="}:
        left, right = right, left
    return _less(left, right) or (operator in {"<=", ">="} and same(left, right, budget))


def same(left: object, right: object, budget: Budget | None = None) -> bool:
    """Whether two JSON values, or Nothing, are the same: 1 is 1.0, and true is not 1. What is inside is paid for."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and _paid_same(zip(left, right, strict=True), budget)
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and _paid_same(((one, right[key]) for key, one in left.items()), budget)
        )
    return left is right if left is NOTHING or right is NOTHING else left == right


def _paid_same(pairs: Iterable[tuple[object, object]], budget: Budget | None) -> bool:
    for one, other in pairs:
        if budget is not None:
            budget.spend()
        if not same(one, other, budget):
            return False
    return True


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and left < right
    return is_number(left) and is_number(right) and bool(left < right)


def singular_keys(path: jsonpath.JSONPath) -> tuple[str | int, ...] | None:
    """The names and indices of a path that finds one node at most; None for any other."""
    if not path.singular_query():
        return None
    keys: list[str | int] = []
    for segment in path.segments:
        selector = segment.selectors[0]
        if isinstance(selector, NameSelector):
            keys.append(selector.name)
        elif isinstance(selector, IndexSelector):
            keys.append(selector.index)
    return tuple(keys)


def at(value: Any, keys: tuple[str | int, ...]) -> Any:
    """The node that a singular query's keys find, or NOTHING."""
    for key in keys:
        if isinstance(key, str):
            if not isinstance(value, dict) or key not in value:
                return NOTHING
        elif not isinstance(value, list) or not -len(value) <= key < len(value):
            return NOTHING
        value = value[key]
    return value
