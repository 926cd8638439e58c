"""What the parts of a template do while a transform runs; every list, object and text that is made is counted."""

from collections.abc import Callable
from typing import Any

import jsonpath

from croupier.errors import InvalidArgument
from croupier.forms import values
from croupier.forms.nodes import NOTHING, Budget, at, singular_keys

OUTPUT = 4_000_000
"""How much one transform may make: values, and the characters of texts and names."""


class Run:
    """One use of a transform."""

    __slots__ = ("_left", "_sizes", "budget", "root")

    def __init__(self, root: Any) -> None:
        self.root = root
        self.budget = Budget()
        self._left = OUTPUT
        self._sizes: dict[int, int] = {}
        """By identity."""

    def made(self, value: Any) -> Any:
        """`value`, counted as output; a list or an object must be part of the value that the run began with.

        Raises InvalidArgument when it is too much.
        """
        if isinstance(value, list | dict):
            key = id(value)
            if key not in self._sizes:
                self._sizes[key] = values.size(value)
            self.charge(self._sizes[key])
        else:
            self.charge(1 + len(value) if isinstance(value, str) else 1)
        return value

    def charge(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise InvalidArgument("the transform makes too much of this answer; let it name less, or ask for less")


Node = Callable[[Run, Any], Any]
"""Takes the run and the item at hand; gives a value, or NOTHING."""
Test = Callable[[Run, Any], bool]


def nothing(_run: Run, _item: Any) -> Any:
    return NOTHING


def whole_item(run: Run, item: Any) -> Any:
    return run.made(item)


def never(_run: Run, _item: Any) -> bool:
    return False


def constant(value: Any) -> Node:
    def constant(run: Run, _item: Any) -> Any:
        run.budget.spend()
        return run.made(value)

    return constant


def followed(path: jsonpath.JSONPath, *, from_root: bool) -> Node:
    """What the path finds; where it may find several, a list. A single value is not counted: `counted` does that."""
    keys = singular_keys(path)

    def one(run: Run, item: Any) -> Any:
        run.budget.spend()
        return at(run.root if from_root else item, keys or ())

    def several(run: Run, item: Any) -> Any:
        nodes = path.finditer(run.root if from_root else item, filter_context={"budget": run.budget})
        try:
            return [run.made(node.obj) for node in nodes]
        except (jsonpath.JSONPathError, RecursionError) as error:
            raise InvalidArgument(f"JSONPath {str(path)!r} cannot be followed: {error.args[0]}") from None

    return several if keys is None else one


def counted(node: Node) -> Node:
    def count(run: Run, item: Any) -> Any:
        found = node(run, item)
        return found if found is NOTHING else run.made(found)

    return count


def list_of(nodes: list[Node]) -> Node:
    def build(run: Run, item: Any) -> Any:
        run.charge(1)
        return [None if (made := node(run, item)) is NOTHING else made for node in nodes]

    return build


def object_of(nodes: dict[str, Node]) -> Node:
    def build(run: Run, item: Any) -> Any:
        run.charge(1 + sum(map(len, nodes)))
        made = {name: node(run, item) for name, node in nodes.items()}
        return {name: value for name, value in made.items() if value is not NOTHING}

    return build


def items(node: Node) -> Callable[[Run, Any], list[Any]]:
    def items(run: Run, item: Any) -> list[Any]:
        found = node(run, item)
        return found if isinstance(found, list) else []

    return items


def mapped(items: Callable[[Run, Any], list[Any]], where: Test | None, each: Node) -> Node:
    def mapped(run: Run, item: Any) -> Any:
        kept: list[Any] = []
        for inner in items(run, item):
            run.budget.spend()
            if where is None or where(run, inner):
                made = each(run, inner)
                kept.append(None if made is NOTHING else made)
        return kept

    return mapped


def total(items: Callable[[Run, Any], list[Any]], each: Node, *, average: bool) -> Node:
    def total(run: Run, item: Any) -> Any:
        added, count = 0.0, 0
        for inner in items(run, item):
            run.budget.spend()
            number = values.number(each(run, inner))
            if number is not None:
                added, count = added + number, count + 1
        return run.made(values.written(added / count if average and count else added))

    return total


def of_one(calculate: Callable[[float | None], Any], node: Node) -> Node:
    return lambda run, item: run.made(calculate(values.number(node(run, item))))
