"""What a view shows of an answer: a part of it by path, or a new value made of it by a template.

    transform: {expr: "$.data.result"}                                        the value, or a list where the path finds several
    transform: {template: {forEach: {path: "$.data.result", where: …, template: {name: "$.metric.job"}}}}
    transform: {expr: "$.data", template: …}                                  the template is given what `expr` finds

`docs/reference/forms.md` has the language whole. Time and output are bounded, whatever the answer is.
"""

from collections.abc import Mapping
from typing import Any

from croupier.descriptors import Message
from croupier.errors import InvalidArgument
from croupier.forms.faults import FaultyForm, FormFault
from croupier.forms.making import Node, Run
from croupier.forms.nodes import NOTHING
from croupier.forms.templates import Reading

_LANGUAGES = ("", "jsonpath", "path", "template", "cel")
"""What writers call it. Under each of them `expr` is a path."""

_NO_OBJECT = Message("a transform is an object with expr or template", "transform 须为含 expr 或 template 的对象")
_LANGUAGE = Message(
    "this language is not known: leave lang out, and write expr as a path", "未知语言：请省略 lang，并把 expr 写成路径"
)


class Transform:
    """A compiled transform; safe to share."""

    __slots__ = ("_expr", "_template")

    def __init__(self, expr: Node | None, template: Node | None) -> None:
        self._expr = expr
        self._template = template

    @staticmethod
    def read(spec: Any) -> "Transform":
        """Raises FaultyForm, each fault with its path in `spec`."""
        if spec is None:
            return Transform(None, None)
        if not isinstance(spec, Mapping):
            raise FaultyForm([FormFault((), _NO_OBJECT)])
        reading = Reading()
        if (spec.get("lang") or "") not in _LANGUAGES:
            reading.fault(("lang",), _LANGUAGE)
        expr = spec.get("expr")
        found = reading.path(expr, ("expr",)) if expr is not None and expr != "" else None
        template = reading.node(spec["template"], ("template",), 0) if spec.get("template") is not None else None
        if reading.faults:
            raise FaultyForm(reading.faults)
        return Transform(found, template)

    def apply(self, value: Any) -> Any:
        """What becomes of `value`, a JSON value; None where nothing does.

        Raises InvalidArgument when it takes too long, or makes too much.
        """
        run = Run(value)
        try:
            found = value if self._expr is None else self._expr(run, value)
            if self._template is not None:
                found = self._template(run, None if found is NOTHING else found)
        except RecursionError:
            raise InvalidArgument("the answer is nested too deep to be transformed") from None
        return None if found is NOTHING else found


def apply(transform: Mapping[str, Any] | None, value: Any) -> Any:
    """`Transform.read(transform).apply(value)`."""
    return Transform.read(transform).apply(value)
