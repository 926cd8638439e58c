"""JSON templates, compiled: each part becomes a function of the run and of the item at hand.

A text that begins with `$.` or `$[` is a path from the item, one with `$$.` or `$$[` from the whole value; other texts stand
for themselves. An object with the name of a directive alone is that directive; any other is made member by member, and
members of which nothing becomes are left out.
"""

from collections.abc import Mapping
from typing import Any

from croupier.descriptors import Message
from croupier.errors import InvalidArgument
from croupier.forms import making, values
from croupier.forms.faults import FormFault, SpecPath
from croupier.forms.making import Node, Run, Test
from croupier.forms.patterns import searcher
from croupier.forms.queries import read_query
from croupier.forms.reckoning import OF_ONE, OF_TWO, TESTS
from croupier.forms.spelling import canonical

TEMPLATE_PARTS = 5_000
TEMPLATE_DEPTH = 32

_OVER_LISTS = frozenset({"forEach", "map", "pluck", "sum", "avg"})


class Reading:
    """Compiles templates, and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[FormFault] = []
        self._parts = 0

    def fault(self, path: SpecPath, message: Message) -> Node:
        self.faults.append(FormFault(path, message))
        return making.nothing

    def node(self, template: Any, path: SpecPath, depth: int) -> Node:
        self._parts += 1
        if self._parts == TEMPLATE_PARTS + 1:
            return self.fault(path, _TOO_MANY)
        if depth > TEMPLATE_DEPTH:
            return self.fault(path, _TOO_DEEP)
        if isinstance(template, str):
            return making.counted(self.path(template, path)) if _is_path(template) else making.constant(template)
        if isinstance(template, list):
            return making.list_of([self.node(each, (*path, index), depth + 1) for index, each in enumerate(template)])
        if isinstance(template, Mapping):
            return self._directive(template, path, depth) or self._object(template, path, depth)
        return making.constant(template)

    def path(self, text: Any, path: SpecPath) -> Node:
        """`$…` from the item, `$$…` from the whole value; `a.b` is `$.a.b`."""
        if not isinstance(text, str):
            return self.fault(path, _NO_PATH)
        text = text.strip()
        from_root = text.startswith("$$")
        text = text.removeprefix("$") if from_root else text
        text = text if text.startswith("$") else f"$.{text}"
        try:
            query = read_query(canonical(text.removesuffix(".") if text == "$." else text))
        except InvalidArgument as error:
            return self.fault(path, Message(error.message, "无法读取的路径：请写成 $.a.b[0]（RFC 9535）"))
        return making.followed(query, from_root=from_root)

    def _object(self, template: Mapping[str, Any], path: SpecPath, depth: int) -> Node:
        return making.object_of({name: self.node(each, (*path, name), depth + 1) for name, each in template.items()})

    def _directive(self, template: Mapping[str, Any], path: SpecPath, depth: int) -> Node | None:
        for name in template:
            if name in _OVER_LISTS and isinstance(template[name], Mapping) and "path" in template[name]:
                if len(template) > 1:
                    return self.fault(path, _ALONE)
                return self._over_list(name, template[name], (*path, name), depth + 1)
        if len(template) != 1:
            return None
        [(name, argument)] = template.items()
        if name in OF_ONE:
            return making.of_one(OF_ONE[name], self.node(argument, (*path, name), depth + 1))
        if name in OF_TWO:
            return self._of_two(name, argument, (*path, name), depth + 1)
        return self._fixed(argument, (*path, name), depth + 1) if name == "toFixed" else None

    def _over_list(self, name: str, spec: Mapping[str, Any], path: SpecPath, depth: int) -> Node:
        allowed = {"path", "value"} if name in {"pluck", "sum", "avg"} else {"path", "where", "template"}
        for key in spec.keys() - allowed:
            self.fault((*path, key), _UNKNOWN_KEY)
        items = making.items(self.path(spec["path"], (*path, "path")))
        key = "value" if "value" in allowed else "template"
        each = self.node(spec[key], (*path, key), depth + 1) if key in spec else making.whole_item
        if name in {"sum", "avg"}:
            return making.total(items, each, average=name == "avg")
        where = self._where(spec["where"], (*path, "where"), depth + 1) if spec.get("where") is not None else None
        return making.mapped(items, where, each)

    def _where(self, spec: Any, path: SpecPath, depth: int) -> Test | None:
        if not isinstance(spec, Mapping) or not spec:
            self.fault(path, _NO_WHERE)
            return None
        tests = [self._test(name, sides, (*path, name), depth + 1) for name, sides in spec.items()]
        return lambda run, item: all(test(run, item) for test in tests)

    def _test(self, name: str, sides: Any, path: SpecPath, depth: int) -> Test:
        if not isinstance(sides, list) or len(sides) != 2 or name not in {*TESTS, "match"}:
            self.fault(path, _NO_WHERE)
            return making.never
        left = self.node(sides[0], (*path, 0), depth)
        if name == "match":
            return self._match(left, sides[1], (*path, 1))
        right, holds = self.node(sides[1], (*path, 1), depth), TESTS[name]
        return lambda run, item: holds(left(run, item), right(run, item), run.budget)

    def _match(self, left: Node, pattern: Any, path: SpecPath) -> Test:
        if not isinstance(pattern, str):
            self.fault(path, _NO_PATTERN)
            return making.never
        try:
            found = searcher(pattern)
        except InvalidArgument as error:
            self.fault(path, Message(error.message, "无法读取的正则表达式"))
            return making.never

        def match(run: Run, item: Any) -> bool:
            text = values.text(left(run, item))
            return text is not None and found(text)

        return match

    def _of_two(self, name: str, argument: Any, path: SpecPath, depth: int) -> Node:
        sides = _two(argument)
        if sides is None:
            return self.fault(path, _NO_TWO)
        left, right = (self.node(side, (*path, key), depth) for key, side in sides)
        calculate = OF_TWO[name]
        return lambda run, item: run.made(
            values.written(calculate(values.number(left(run, item)), values.number(right(run, item))))
        )

    def _fixed(self, argument: Any, path: SpecPath, depth: int) -> Node:
        value, digits = _value_and_digits(argument)
        if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= values.MOST_DIGITS:
            return self.fault(path, _NO_DIGITS)
        node = self.node(value, path, depth)
        return lambda run, item: run.made(values.fixed(values.number(node(run, item)), digits))


def _is_path(text: str) -> bool:
    return text.startswith(("$.", "$[", "$$.", "$$["))


def _two(argument: Any) -> list[tuple[str | int, Any]] | None:
    """`[x, y]`, `{value, by}` and `{a, b}` alike."""
    if isinstance(argument, list) and len(argument) == 2:
        return list(enumerate(argument))
    if isinstance(argument, Mapping):
        for names in (("value", "by"), ("a", "b")):
            if set(argument) == set(names):
                return [(name, argument[name]) for name in names]
    return None


def _value_and_digits(argument: Any) -> tuple[Any, Any]:
    if isinstance(argument, list) and len(argument) == 2:
        return argument[0], argument[1]
    if isinstance(argument, Mapping) and "value" in argument and set(argument) <= {"value", "digits"}:
        return argument["value"], argument.get("digits", 0)
    return None, None


_TOO_MANY = Message(f"a template has at most {TEMPLATE_PARTS} parts", f"模板最多 {TEMPLATE_PARTS} 个部分")
_TOO_DEEP = Message(f"a template is at most {TEMPLATE_DEPTH} levels deep", f"模板嵌套最多 {TEMPLATE_DEPTH} 层")
_NO_PATH = Message("a path is a text such as $.data.items", "路径须为文本，如 $.data.items")
_ALONE = Message(
    "forEach, map, pluck, sum and avg stand alone in their object", "forEach、map、pluck、sum、avg 须单独成对象"
)
_UNKNOWN_KEY = Message("is not known here", "此处不认识的字段")
_NO_WHERE = Message(
    "where is an object such as {eq: ['$.state', 'up']}, with eq, ne, gt, lt, contains or match",
    "where 须为 {eq: ['$.state', 'up']} 这样的对象，可用 eq、ne、gt、lt、contains、match",
)
_NO_PATTERN = Message("write the pattern as a text, such as '^prod-'", "正则表达式须写成文本，如 '^prod-'")
_NO_TWO = Message("write {value, by}, {a, b} or a list of two", "请写成 {value, by}、{a, b} 或两项的列表")
_NO_DIGITS = Message(
    f"write {{value, digits}} with digits from 0 to {values.MOST_DIGITS}",
    f"请写成 {{value, digits}}，digits 为 0 到 {values.MOST_DIGITS}",
)
