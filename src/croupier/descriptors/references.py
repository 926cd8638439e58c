"""What `$ref` does in a schema, found before any value is checked: where it leads, and whether that ends.

Following a reference costs nothing as long as it moves to a deeper part of the value: values end. References that come
back to where they began without moving (a → b → a, or `allOf` with itself) never end, and a schema that visits one place
of a value thousands of times is a bomb. Both are refused, as is whatever leaves the document or is decided while checking
(`$dynamicRef`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin

from croupier.descriptors.faults import Message

Path = tuple[str | int, ...]

VISITS = 10_000
"""How often a schema may look at one place of a value."""

_UNDECIDED = frozenset({"$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"})
_SAME_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
_KEPT = frozenset({"$defs", "definitions"})
"""Schemas that nothing is held against before a reference leads to them."""

_ONE, _LIST, _NAMED = "one schema", "a list of them", "several by name"
_HOLDS = {
    **dict.fromkeys(("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames"), _ONE),
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "contentSchema", "additionalItems"), _ONE),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _LIST),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"), _NAMED),
}
"""The keywords that hold schemas, and how."""

_DYNAMIC = Message(
    "is decided while checking, which is not allowed: write $ref", "在校验时才能确定，不允许使用：请改用 $ref"
)
_OUTSIDE = Message(
    "leads out of this document: references stay inside it, as in #/$defs/name",
    "指向文档之外：引用须在文档之内，如 #/$defs/name",
)
_NOWHERE = Message("leads to nothing in this document", "在文档中找不到所指的内容")
_CIRCLE = Message(
    "comes back to itself without going into the value: it would never end", "引用回到自身而未深入数据，永远不会结束"
)
_BOMB = Message(
    f"looks at one place of a value more than {VISITS} times: name fewer alternatives",
    f"对数据的同一位置检查超过 {VISITS} 次：请减少分支",
)


def subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The schemas right below `schema`, by path. What is no schema (enum, const, default, examples) is not among them."""
    for keyword, value in schema.items():
        holds = _HOLDS.get(keyword)
        if holds is None:
            continue
        if isinstance(value, list):
            if holds is _LIST or keyword == "items":
                for index, part in enumerate(value):
                    yield (keyword, index), part
        elif holds is _ONE:
            yield (keyword,), value
        elif holds is _NAMED and isinstance(value, dict):
            for name, part in value.items():
                yield (keyword, name), part


class _Schema(NamedTuple):
    path: Path
    base: str
    """The URI that its references start from; nothing where no `$id` says so."""
    content: Mapping[str, Any]


class References:
    """The schemas of one document, and the references between them."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.schemas: list[_Schema] = []
        self._by_identity: dict[int, _Schema] = {}
        self._targets: dict[str, Mapping[str, Any]] = {"": root}
        """Schemas by `$id`, and by `$id#anchor`."""
        self._gather(_Schema((), "", root))

    def _gather(self, first: _Schema) -> None:
        waiting = [first]
        while waiting:
            path, base, content = waiting.pop()
            if id(content) in self._by_identity:
                continue
            if isinstance(own := content.get("$id"), str):
                base = _resolved(base, own).rstrip("#")
                self._targets[base] = content
            if isinstance(anchor := content.get("$anchor"), str):
                self._targets[f"{base}#{anchor}"] = content
            schema = self._by_identity[id(content)] = _Schema(path, base, content)
            self.schemas.append(schema)
            waiting += [
                _Schema(path + step, base, part) for step, part in subschemas(content) if isinstance(part, dict)
            ]

    def faults(self) -> Iterator[tuple[Path, Message]]:
        """What is wrong with them, by path in the document."""
        referring = broken = False
        for schema in self.schemas:  # grows meanwhile: a reference may find a schema where none was looked for
            for keyword in _UNDECIDED & schema.content.keys():
                yield (*schema.path, keyword), _DYNAMIC
            if isinstance(reference := schema.content.get("$ref"), str):
                referring = True
                found = self._target(schema, reference)
                if isinstance(found, Message):
                    broken = True
                    yield (*schema.path, "$ref"), found
        if referring and not broken:
            yield from self._endless()

    def multiplier(self) -> int:
        """By how much each level of a value multiplies the ways in which it may not fit; 1 where the ways only add up.

        A schema that leads back to itself by two ways has twice as many with each level. For a document without faults.
        """
        branching = [schema.content for schema in self.schemas if len(self._same_place(schema.content)) > 1]
        visits: dict[int, int] = {}
        if all(self._walk(content, visits, self._below) is None for content in branching):
            return 1
        return max(len(self._same_place(content)) for content in branching)

    def _target(self, schema: _Schema, reference: str) -> Mapping[str, Any] | bool | Message:
        """What `reference` leads to, or what is wrong with it."""
        uri, _, fragment = _resolved(schema.base, reference).partition("#")
        if uri not in self._targets:
            return _OUTSIDE
        if fragment and not fragment.startswith("/"):
            return self._targets.get(f"{uri}#{fragment}", _NOWHERE)
        found = pointed(self._targets[uri], fragment)
        if isinstance(found, dict) and id(found) not in self._by_identity:
            steps = tuple(unquote(step) for step in fragment.split("/")[1:])
            self._gather(_Schema(steps, schema.base, found))
        return found if isinstance(found, dict | bool) else _NOWHERE

    def _endless(self) -> Iterator[tuple[Path, Message]]:
        """Circles that stay at one place of the value, and schemas that look at one place too often: the first of them."""
        visits: dict[int, int] = {}
        for schema in self.schemas:
            if (found := self._walk(schema.content, visits, self._same_place)) is not None:
                content, fault = found
                yield self._by_identity[id(content)].path, fault
                return

    def _walk(
        self,
        start: Mapping[str, Any],
        visits: dict[int, int],
        following_of: Callable[[Mapping[str, Any]], list[Mapping[str, Any]]],
    ) -> tuple[Mapping[str, Any], Message] | None:
        """Depth first, and without recursion, since the depth is the writer's. `visits` is what is known of whole schemas."""
        if id(start) in visits:
            return None
        opened = {id(start): _Visit(start, following_of(start))}
        while opened:
            current = next(reversed(opened.values()))
            if not current.waiting:
                del opened[id(current.content)]
                visits[id(current.content)] = current.count
                if current.count > VISITS:
                    return current.content, _BOMB
                if opened:
                    next(reversed(opened.values())).count += current.count
                continue
            following = current.waiting.pop()
            if id(following) in opened:
                return following, _CIRCLE
            if id(following) in visits:
                current.count += visits[id(following)]
            else:
                opened[id(following)] = _Visit(following, following_of(following))
        return None

    def _same_place(self, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The schemas that look at the same place of the value as `content`."""
        return [
            *(part for step, part in subschemas(content) if step[0] in _SAME_PLACE and isinstance(part, dict)),
            *self._referred(content),
        ]

    def _below(self, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The schemas that look at the same place of the value or at a part of it."""
        held = (part for step, part in subschemas(content) if step[0] not in _KEPT and isinstance(part, dict))
        return [*held, *self._referred(content)]

    def _referred(self, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if not isinstance(reference := content.get("$ref"), str):
            return []
        target = self._target(self._by_identity[id(content)], reference)
        return [target] if isinstance(target, Mapping) else []


@dataclass(slots=True)
class _Visit:
    content: Mapping[str, Any]
    waiting: list[Mapping[str, Any]]
    count: int = 1


def pointed(value: Any, pointer: str) -> Any:
    """What an RFC 6901 pointer finds; None where it finds nothing."""
    for step in pointer.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _resolved(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference) if base else reference
    except ValueError:
        return reference
