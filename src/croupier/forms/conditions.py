"""Conditions (`show_if`, `required_if`, `disabled_if`): RFC 9535 logical expressions over a form's value.

`$` is the whole value, `@` the object that holds the field (for a field of the whole value, both are the same).
A path to one value, standing alone, holds when that value is true in the sense of JavaScript: not absent, null, false, 0
or ''. A path that may find several holds when it finds any. Inside the filters of a path the RFC's own meaning stays.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonpath
from jsonpath.filter import BaseExpression, FilterQuery, RootFilterQuery, walk
from jsonpath.selectors import Filter

from croupier.errors import InvalidArgument
from croupier.forms.expressions import Holds, is_true, test
from croupier.forms.nodes import NOTHING, Budget
from croupier.forms.queries import bound, parse
from croupier.forms.spelling import canonical

CONDITION_CHARACTERS = 1_000
CONDITION_STEPS = 10_000
"""Nodes that the conditions of one form may visit together: some 30 ms at the worst."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition; `Condition.read` makes one."""

    text: str
    queries: tuple[tuple[bool, jsonpath.JSONPath], ...]
    """Every path in it, and whether that begins at `$`."""
    _holds: Holds

    @staticmethod
    def read(text: str) -> "Condition":
        """Raises InvalidArgument, saying where `text` cannot be read."""
        if not isinstance(text, str):
            raise InvalidArgument(f"a condition is a text such as \"$.kind == 'x'\", not {text!r:.40}")
        return _read(text)

    def holds(self, root: Any, around: Any = NOTHING, budget: Budget | None = None) -> bool:
        """Whether it is true of the value `root`, for a field of the object `around` (of `root` itself, if not given).

        Raises InvalidArgument when it would take too long to tell.
        """
        context = root, root if around is NOTHING else around, budget or Budget(CONDITION_STEPS)
        try:
            return self._holds(context)
        except (jsonpath.JSONPathError, RecursionError) as error:
            raise InvalidArgument(f"the condition {self.text!r} cannot be evaluated: {error.args[0]}") from None


@lru_cache(maxsize=4096)
def _read(text: str) -> Condition:
    if len(text) > CONDITION_CHARACTERS:
        raise InvalidArgument(f"a condition has at most {CONDITION_CHARACTERS} characters, this one has {len(text)}")
    try:
        expression = _expression(text)
        bound(expression)
        queries = tuple(
            (isinstance(node, RootFilterQuery), node.path) for node in walk(expression) if isinstance(node, FilterQuery)
        )
        return Condition(text, queries, test(expression, is_true))
    except InvalidArgument as error:
        raise InvalidArgument(
            f"the condition {text!r} cannot be read: {error.message}; write comparisons such as $.a == 'x', joined by && and ||"
        ) from None


def _expression(text: str) -> BaseExpression:
    """What a filter of exactly one selector holds: `true] || $[?true` is refused, as it would close the filter."""
    path = parse(f"$[?{canonical(text)}]")
    if len(path.segments) != 1 or len(path.segments[0].selectors) != 1:
        raise InvalidArgument("it is more than one expression")
    selector = path.segments[0].selectors[0]
    if not isinstance(selector, Filter):
        raise InvalidArgument("it is no expression")
    return selector.expression.expression
