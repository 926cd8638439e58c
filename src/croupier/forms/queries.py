"""JSONPath (RFC 9535) in the one environment that every caller shares; the only home of python-jsonpath.

What differs from the library, each for safety or for the RFC's sake:

- work is bounded: every node that a query visits or filters is paid from a `Budget`, also in nested filters;
- `match()` and `search()` run in linear time (`patterns`);
- `true` does not equal 1 and is not less than 2, also inside arrays and objects, which Python would say;
- a name after a dot is exactly a member-name-shorthand of the RFC;
- a text as the whole value is that text, not JSON to be read.
"""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, ClassVar

import jsonpath
from jsonpath.filter import UNDEFINED, BaseExpression, FilterExpression, FilterQuery, InfixExpression, walk
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.lex import Lexer
from jsonpath.match import JSONPathMatch, NodeList
from jsonpath.selectors import Filter, FilterContext, IndexSelector, NameSelector

from croupier.errors import InvalidArgument
from croupier.forms.patterns import Search, matcher, searcher

QUERY_CHARACTERS = 2_000
STEPS = 100_000
"""Nodes that one evaluation may visit."""
NESTING = 32
"""Brackets and parentheses that may be open at once."""
DEPTH = 100
"""Operators inside one another; a chain of `&&` counts each."""
SHOWN = 200
"""Characters of a query that an error repeats."""
_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})

NOTHING = UNDEFINED
"""What a query without a node gives: RFC 9535's Nothing, which differs from null."""


class Budget:
    """How many nodes may still be visited."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises InvalidArgument when nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise InvalidArgument("evaluating takes too many steps; use narrower paths, or less data")


class _Node(JSONPathMatch):
    __slots__ = ()

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        self._filter_context["budget"].spend()
        return super().new_child(obj, key)


class _BoundedPath(jsonpath.JSONPath):
    """A path whose nodes are paid for; the budget travels with the nodes."""

    def finditer(self, data: Any, *, filter_context: Any = None) -> Iterator[JSONPathMatch]:
        context = filter_context or {"budget": Budget()}
        nodes: Any = (_Node(filter_context=context, obj=data, parent=None, path="$", parts=(), root=data),)
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return iter(nodes)


class _PaidFilter(FilterExpression):
    """Every element that a filter looks at is paid for, also those that it leaves out."""

    def evaluate(self, context: FilterContext) -> bool:
        context.extra_context["budget"].spend()
        return super().evaluate(context)

    def cache_tree(self) -> FilterExpression:
        return _PaidFilter(super().cache_tree().expression)


class _Lexer(Lexer):
    key_pattern = (
        r"[A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][0-9A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff]*"  # member-name-shorthand
    )


class _PatternFunction(FilterFunction):
    """RFC 9535, 2.4.6 and 2.4.7: false for what is no text, or no pattern."""

    arg_types: ClassVar[list[ExpressionType]] = [ExpressionType.VALUE, ExpressionType.VALUE]
    return_type = ExpressionType.LOGICAL

    def __init__(self, compile_pattern: Any) -> None:
        self._compile = compile_pattern

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        try:
            found: Search = self._compile(pattern)
        except InvalidArgument:
            return False
        return found(value)


class _Environment(jsonpath.JSONPathEnvironment):
    lexer_class = _Lexer

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _PatternFunction(matcher)
        self.function_extensions["search"] = _PatternFunction(searcher)

    def compare(self, left: object, operator: str, right: object) -> bool:
        if operator in {"&&", "||"}:
            return super().compare(left, operator, right)
        return compare(_single(left), operator, _single(right))


def _single(found: object) -> object:
    if isinstance(found, NodeList):
        return found[0].obj if found else NOTHING
    return found


def compare(left: object, operator: str, right: object) -> bool:
    """Two values, or Nothing, by RFC 9535, 2.3.5.2.2: equal in type and value; only texts and numbers have an order."""
    if operator == "==":
        return same(left, right)
    if operator == "!=":
        return not same(left, right)
    if operator in {">", ">="}:
        left, right = right, left
    return _less(left, right) or (operator in {"<=", ">="} and same(left, right))


def same(left: object, right: object) -> bool:
    """Whether two JSON values, or Nothing, are the same: 1 is 1.0, and true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(same(one, other) for one, other in zip(left, right, strict=True))
        )
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(one, right[key]) for key, one in left.items())
        )
    return left is right if left is NOTHING or right is NOTHING else left == right


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and left < right
    return is_number(left) and is_number(right) and bool(left < right)


ENVIRONMENT = _Environment(strict=True)


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
