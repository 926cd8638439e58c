"""Queries of JSONPath (RFC 9535) whose work is bounded: every node that one visits or filters is paid from a `Budget`, also in
nested filters. A text as the whole value is that text, not JSON to be read.
"""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonpath
from jsonpath.filter import BaseExpression, FilterExpression, FilterQuery, InfixExpression, walk
from jsonpath.match import JSONPathMatch
from jsonpath.selectors import Filter, FilterContext

from croupier.errors import InvalidArgument
from croupier.forms.environment import ENVIRONMENT
from croupier.forms.expressions import Holds, is_there, test
from croupier.forms.nodes import Budget

QUERY_CHARACTERS = 2_000
NESTING = 32
"""Brackets and parentheses that may be open at once."""
DEPTH = 100
"""Operators inside one another; a chain of `&&` counts each."""
SHOWN = 200
"""Characters of a query that an error repeats."""
_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})


class _Node(JSONPathMatch):
    __slots__ = ()

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        self._filter_context["budget"].spend()
        return super().new_child(obj, key)


class _BoundedPath(jsonpath.JSONPath):
    """A path whose nodes are paid for. Budget and root travel with the nodes: in a filter within a filter, `$` is still the
    whole value, and not what the outer filter looks at, as the library has it.
    """

    def finditer(self, data: Any, *, filter_context: Any = None) -> Iterator[JSONPathMatch]:
        context = filter_context or {"budget": Budget()}
        if "root" not in context:
            context = {**context, "root": data}
        root = context["root"]
        nodes: Any = (_Node(filter_context=context, obj=data, parent=None, path="$", parts=(), root=root),)
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return iter(nodes)


class _PaidFilter(FilterExpression):
    """Every element that a filter looks at is paid for, also those that it leaves out."""

    __slots__ = ("_holds",)

    def __init__(self, expression: BaseExpression) -> None:
        super().__init__(expression)
        self._holds: Holds = test(expression, is_there)

    def evaluate(self, context: FilterContext) -> bool:
        budget: Budget = context.extra_context["budget"]
        budget.spend()
        return self._holds((context.root, context.current, budget))


@lru_cache(maxsize=4096)
def read_query(text: str) -> jsonpath.JSONPath:
    """An RFC 9535 query, bounded. Raises InvalidArgument, saying where it cannot be read."""
    try:
        return parse(text)
    except InvalidArgument as error:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]} …"
        raise InvalidArgument(f"JSONPath {shown!r} cannot be read: {error.message}") from None


def parse(text: str) -> jsonpath.JSONPath:
    """As `read_query`; what it raises holds the reason alone."""
    if len(text) > QUERY_CHARACTERS:
        raise InvalidArgument(f"it has more than {QUERY_CHARACTERS} characters")
    if _nesting(text) > NESTING:
        raise InvalidArgument(f"it has more than {NESTING} brackets inside one another")
    try:
        path = ENVIRONMENT.compile(text)
    except (jsonpath.JSONPathError, ValueError, RecursionError) as error:
        raise InvalidArgument(str(error.args[0])) from None
    if not isinstance(path, jsonpath.JSONPath):
        raise InvalidArgument("it is more than one path")
    return bounded(path)


def _nesting(text: str) -> int:
    depths = itertools.accumulate((character in "([") - (character in ")]") for character in text)
    return max(depths, default=0)


def bounded(path: jsonpath.JSONPath) -> jsonpath.JSONPath:
    """The same path, and every path in its filters, with its work bounded."""
    for selector in _filters(path):
        bound(selector.expression.expression)
    return _paid(path)


def bound(expression: BaseExpression) -> None:
    """Bound the work of every path in `expression`. Raises InvalidArgument when it is too deep to be evaluated."""
    _check_depth(expression)
    for node in walk(expression):
        if isinstance(node, FilterQuery):
            node.path = _paid(node.path)
        elif isinstance(node, InfixExpression) and node.operator not in _OPERATORS:
            raise InvalidArgument(f"{node.operator} is no operator; write == != < <= > >= && ||")


def _paid(path: jsonpath.JSONPath) -> jsonpath.JSONPath:
    for selector in _filters(path):
        selector.expression = _PaidFilter(selector.expression.expression)
        selector.cacheable_nodes = False
    return _BoundedPath(env=path.env, segments=path.segments)


def _filters(path: jsonpath.JSONPath) -> Iterator[Filter]:
    """The path's own, not those inside them."""
    for segment in path.segments:
        yield from (selector for selector in segment.selectors if isinstance(selector, Filter))


def _check_depth(expression: BaseExpression) -> None:
    level = [expression]
    for _ in range(DEPTH):
        level = [child for node in level for child in node.children()]
        if not level:
            return
    raise InvalidArgument(f"it has more than {DEPTH} operators inside one another")
