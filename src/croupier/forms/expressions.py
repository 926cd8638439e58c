"""Filter expressions as functions of Python; what they do not cover is left to the library.

Comparisons, `&&`, `||`, `!`, paths to one value and functions of values take some microseconds so, where walking the library's
tree of objects takes some dozens for each part.
"""

from collections.abc import Callable
from typing import Any

from jsonpath.filter import (
    BaseExpression,
    FilterExpressionLiteral,
    FilterQuery,
    FunctionExtension,
    InfixExpression,
    Nil,
    PrefixExpression,
    RootFilterQuery,
)
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.match import NodeList

from croupier.errors import InvalidArgument
from croupier.forms.environment import ENVIRONMENT
from croupier.forms.nodes import NOTHING, Budget, at, compare, singular_keys

Context = tuple[Any, Any, Budget]
"""The whole value (`$`), the value at hand (`@`), and what may still be spent."""
Value = Callable[[Context], Any]
"""Gives a value, or NOTHING."""
Holds = Callable[[Context], bool]
Truth = Callable[[Any], bool]
"""What a path to one value, standing alone, says by what it finds: `is_true` or `is_there`."""


def test(node: BaseExpression, truth: Truth) -> Holds:
    """`node` as something that holds or does not. Raises InvalidArgument for what does neither."""
    if isinstance(node, InfixExpression):
        return _joined(node, truth) if node.logical else _comparison(node)
    if isinstance(node, PrefixExpression):
        negated = test(node.right, truth)
        return lambda context: not negated(context)
    if isinstance(node, FilterQuery):
        return _alone(node, truth)
    if isinstance(node, FunctionExtension) and _returns(node) is ExpressionType.LOGICAL:
        called = _called(node)
        return lambda context: bool(called(context))
    raise InvalidArgument(f"{node} is neither true nor false; compare it with something")


def _joined(node: InfixExpression, truth: Truth) -> Holds:
    parts = [test(operand, truth) for operand in _operands(node, node.operator)]
    if node.operator == "&&":
        return lambda context: all(part(context) for part in parts)
    return lambda context: any(part(context) for part in parts)


def _operands(node: BaseExpression, operator: str) -> list[BaseExpression]:
    """A chain of one operator, flat: a long one is no deep recursion."""
    if isinstance(node, InfixExpression) and node.operator == operator:
        return [*_operands(node.left, operator), *_operands(node.right, operator)]
    return [node]


def _comparison(node: InfixExpression) -> Holds:
    left, operator, right = _value(node.left), node.operator, _value(node.right)
    return lambda context: compare(left(context), operator, right(context), context[2])


def _alone(node: FilterQuery, truth: Truth) -> Holds:
    if singular_keys(node.path) is None:
        nodes = _found(node)
        return lambda context: bool(nodes(context))
    found = _value(node)
    return lambda context: truth(found(context))


def is_there(value: Any) -> bool:
    """As RFC 9535 has it: whatever is found is."""
    return value is not NOTHING


def is_true(value: Any) -> bool:
    """As JavaScript has it: empty lists and objects are true."""
    return isinstance(value, list | dict) or (value is not NOTHING and bool(value))


def _value(node: BaseExpression) -> Value:
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
        return _called(node)
    raise InvalidArgument(f"{node} is no value that could be compared")


def _called(node: FunctionExtension) -> Value:
    """A function of values, or of what one path finds."""
    function: Any = ENVIRONMENT.function_extensions[node.name]
    if function.arg_types == [ExpressionType.NODES]:
        found = _found(node.args[0])
        return lambda context: function(found(context))
    arguments = [_value(argument) for argument in node.args]
    if len(arguments) == 1:
        only = arguments[0]
        return lambda context: function(only(context))
    return lambda context: function(*(argument(context) for argument in arguments))


def _lookup(keys: tuple[str | int, ...], origin: int) -> Value:
    if len(keys) == 1 and isinstance(keys[0], str):
        name = keys[0]

        def member(context: Context) -> Any:
            holder = context[origin]
            return holder.get(name, NOTHING) if isinstance(holder, dict) else NOTHING

        return member
    return lambda context: at(context[origin], keys)


def _returns(node: FunctionExtension) -> ExpressionType | None:
    function = ENVIRONMENT.function_extensions.get(node.name)
    return function.return_type if isinstance(function, FilterFunction) else None


def _found(node: BaseExpression) -> Callable[[Context], NodeList]:
    """All that a path finds; once for a whole value, where it looks at nothing else.

    The library has no nodes, but the value itself, where `@` is no list or object.
    """
    if not isinstance(node, FilterQuery):
        raise InvalidArgument(f"{node} is no path")

    def find(context: Context) -> NodeList:
        root, current, budget = context
        start = root if isinstance(node, RootFilterQuery) else current
        return NodeList(node.path.finditer(start, filter_context={"budget": budget, "root": root}))

    if node.volatile:
        return find
    return lambda context: context[2].kept(node, context[0], lambda: find(context))
