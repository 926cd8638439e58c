"""Conditions (`show_if`, `required_if`, `disabled_if`): RFC 9535 logical expressions over a form's value.

`$` is the whole value, `@` the object that holds the field (for a field of the whole value, both are the same).
A path to one value, standing alone, holds when that value is true in the sense of JavaScript: not absent, null, false, 0
or ''. A path that may find several holds when it finds any. Inside the filters of a path the RFC's own meaning stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonpath
from jsonpath.filter import (
    BaseExpression,
    FilterExpressionLiteral,
    FilterQuery,
    FunctionExtension,
    InfixExpression,
    Nil,
    PrefixExpression,
    RootFilterQuery,
    walk,
)
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.selectors import Filter, FilterContext

from croupier.errors import InvalidArgument
from croupier.forms.queries import ENVIRONMENT, NOTHING, Budget, at, bound, compare, parse, singular_keys
from croupier.forms.spelling import canonical

CONDITION_CHARACTERS = 1_000
CONDITION_STEPS = 10_000
"""Nodes that the conditions of one form may visit together: some 100 ms at the worst."""

_Context = tuple[Any, Any, Budget]
"""The whole value, the object around the field, and what may still be spent."""
_Value = Callable[[_Context], Any]
_Holds = Callable[[_Context], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition; `Condition.read` makes one."""

    text: str
    queries: tuple[tuple[bool, jsonpath.JSONPath], ...]
    """Every path in it, and whether that begins at `$`."""
    _holds: _Holds

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
        return Condition(text, queries, _test(expression))
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


def _test(node: BaseExpression) -> _Holds:
    """`node` as something that holds or does not."""
    if isinstance(node, InfixExpression):
        return _joined(node) if node.logical else _comparison(node)
    if isinstance(node, PrefixExpression):
        negated = _test(node.right)
        return lambda context: not negated(context)
    if isinstance(node, FilterQuery):
        return _truth(node)
    if isinstance(node, FunctionExtension) and _returns(node) is ExpressionType.LOGICAL:
        evaluated = _evaluated(node)
        return lambda context: bool(evaluated(context))
    raise InvalidArgument(f"{node} is neither true nor false; compare it with something")


def _joined(node: InfixExpression) -> _Holds:
    parts = [_test(operand) for operand in _operands(node, node.operator)]
    if node.operator == "&&":
        return lambda context: all(part(context) for part in parts)
    return lambda context: any(part(context) for part in parts)


def _operands(node: BaseExpression, operator: str) -> list[BaseExpression]:
    """A chain of one operator, flat: a long one is no deep recursion."""
    if isinstance(node, InfixExpression) and node.operator == operator:
        return [*_operands(node.left, operator), *_operands(node.right, operator)]
    return [node]


def _comparison(node: InfixExpression) -> _Holds:
    left, operator, right = _value(node.left), node.operator, _value(node.right)
    return lambda context: compare(left(context), operator, right(context))


def _truth(node: FilterQuery) -> _Holds:
    if singular_keys(node.path) is None:
        evaluated = _evaluated(node)
        return lambda context: bool(evaluated(context))
    value = _value(node)
    return lambda context: is_true(value(context))


def is_true(value: Any) -> bool:
    """As JavaScript has it: empty lists and objects are true."""
    return isinstance(value, list | dict) or (value is not NOTHING and bool(value))


def _value(node: BaseExpression) -> _Value:
    """`node` as a value, or NOTHING."""
    if isinstance(node, Nil):
        return lambda _context: None
    if isinstance(node, FilterExpressionLiteral):
        literal = node.value
        return lambda _context: literal
    if isinstance(node, FilterQuery):
        keys = singular_keys(node.path)
        if keys is None:
            raise InvalidArgument(f"{node} may find several values; it cannot be compared")
        return _lookup(keys, 0 if isinstance(node, RootFilterQuery) else 1)
    if isinstance(node, FunctionExtension):
        return _evaluated(node)
    raise InvalidArgument(f"{node} is no value that could be compared")


def _lookup(keys: tuple[str | int, ...], origin: int) -> _Value:
    if len(keys) == 1 and isinstance(keys[0], str):
        name = keys[0]

        def member(context: _Context) -> Any:
            holder = context[origin]
            return holder.get(name, NOTHING) if isinstance(holder, dict) else NOTHING

        return member
    return lambda context: at(context[origin], keys)


def _returns(node: FunctionExtension) -> ExpressionType | None:
    function = ENVIRONMENT.function_extensions.get(node.name)
    return function.return_type if isinstance(function, FilterFunction) else None


def _evaluated(node: BaseExpression) -> _Value:
    """What the library makes of `node`."""

    def evaluate(context: _Context) -> Any:
        root, around, budget = context
        return node.evaluate(
            FilterContext(env=ENVIRONMENT, current=around, root=root, extra_context={"budget": budget})
        )

    return evaluate
