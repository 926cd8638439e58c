"""The one environment that JSONPath (RFC 9535) is read and evaluated in.

What differs from the library's strict mode, each for safety or for the RFC's sake:

- `match()` and `search()` run in linear time (`patterns`);
- `true` does not equal 1 and is not less than 2, also inside arrays and objects, which Python would say;
- a name after a dot is exactly a member-name-shorthand of the RFC, and a number is one of the RFC that a double can hold;
- a slice of a text is nothing, as the text is no list.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jsonpath
from jsonpath.exceptions import JSONPathSyntaxError
from jsonpath.filter import BaseExpression, FloatLiteral, IntegerLiteral
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.lex import Lexer
from jsonpath.match import NodeList
from jsonpath.parse import Parser
from jsonpath.stream import TokenStream

from croupier.errors import InvalidArgument
from croupier.forms.nodes import NOTHING, compare
from croupier.forms.patterns import Search, matcher, searcher


class _Lexer(Lexer):
    key_pattern = (
        r"[A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][0-9A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff]*"  # member-name-shorthand
    )


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class _Parser(Parser):
    def parse_integer_literal(self, stream: TokenStream) -> BaseExpression:
        return IntegerLiteral(value=int(_number(stream)))

    def parse_float_literal(self, stream: TokenStream) -> BaseExpression:
        return FloatLiteral(value=_number(stream))


def _number(stream: TokenStream) -> float:
    token = stream.next()
    if not _NUMBER.fullmatch(token.value):
        raise JSONPathSyntaxError(f"{token.value} is no number", token=token)
    number = float(token.value)
    if not math.isfinite(number):
        raise JSONPathSyntaxError(f"{token.value} is too large", token=token)
    return number


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
    parser_class = _Parser

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _PatternFunction(matcher)
        self.function_extensions["search"] = _PatternFunction(searcher)

    def getitem(self, obj: Sequence[Any] | Mapping[str, Any], key: Any) -> Any:
        return () if isinstance(obj, str) else super().getitem(obj, key)

    def compare(self, left: object, operator: str, right: object) -> bool:
        if operator in {"&&", "||"}:
            return super().compare(left, operator, right)
        return compare(_single(left), operator, _single(right))


def _single(found: object) -> object:
    if isinstance(found, NodeList):
        return found[0].obj if found else NOTHING
    return found


ENVIRONMENT = _Environment(strict=True)
