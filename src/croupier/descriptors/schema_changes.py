"""Whether a schema takes more or fewer values than another, keyword by keyword.

What cannot be judged by a look at the keyword (a changed pattern, `not`, `if`) counts as both. So nothing that narrows is
missed, and now and then something harmless is called narrower; a person decides in the end. (jsonschema-rs can prove that
one schema covers another, but needs seconds for small schemas that are made for it, and tells no reasons.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import orjson

from croupier.descriptors.faults import Message
from croupier.descriptors.references import Path, pointed

MOST_CHANGES = 1_000
_STEPS = 200
_PAIRS = 50_000
"""How deep and how far two schemas are compared."""


class Effect(Enum):
    """What a change does to the values that fit."""

    NARROWER = "narrower"
    WIDER = "wider"
    BOTH = "both"
    NEITHER = "neither"


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaChange:
    path: Path
    effect: Effect
    field: Literal["", "new", "gone"] = ""
    """Where a field as a whole came or went."""
    why: Message


_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
_ONE_SCHEMA = frozenset(
    {"items", "contains", "propertyNames", "additionalProperties", "unevaluatedProperties", "unevaluatedItems"}
)
_SAID_ONLY = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema", "$id",
     "$anchor", "$defs", "definitions", "$vocabulary"}
)  # fmt: skip
"""Keywords that no value fails by."""

_RESTRICTING = frozenset(
    {"pattern", "format", "uniqueItems", "multipleOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
     "contentEncoding", "contentMediaType", "contentSchema", "unevaluatedProperties", "unevaluatedItems", "allOf", "anyOf",
     "oneOf", "prefixItems", "patternProperties"}
)  # fmt: skip
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


def schema_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[SchemaChange]:
    """Every change from `old` to `new`, both of them schemas without faults; at most `MOST_CHANGES`."""
    found: list[SchemaChange] = []
    for change in _Walk(old, new).changes(old, new, ()):
        found.append(change)
        if len(found) == MOST_CHANGES:
            break
    return found


class _Walk:
    """Through two schemas side by side. A pair that was seen is not looked at again, so references end."""

    def __init__(self, old_root: Mapping[str, Any], new_root: Mapping[str, Any]) -> None:
        self._old_root = old_root
        self._new_root = new_root
        self._seen: set[tuple[int, int]] = set()

    def changes(self, old: Any, new: Any, path: Path) -> Iterator[SchemaChange]:
        pair = (id(old), id(new))
        if pair in self._seen and not isinstance(old, bool) and not isinstance(new, bool):
            return
        if len(path) > _STEPS or len(self._seen) > _PAIRS:
            if old != new:
                yield SchemaChange(path=path[:_STEPS], effect=Effect.BOTH, why=_TOO_LARGE)
            return
        self._seen.add(pair)
        old, new = _followed(self._old_root, old), _followed(self._new_root, new)
        if isinstance(old, bool) or isinstance(new, bool):
            yield from _between_booleans(old, new, path)
            return
        if not _refers(old) and orjson.dumps(old) == orjson.dumps(new):  # to Python 1 and true are equal
            return
        yield from _types(old, new, path)
        yield from _enums(old, new, path)
        yield from _required(old, new, path)
        yield from self._properties(old, new, path)
        for keyword in sorted((old.keys() | new.keys()) - _HANDLED):
            yield from self._keyword(keyword, old, new, (*path, keyword))

    def _keyword(
        self, keyword: str, old: Mapping[str, Any], new: Mapping[str, Any], path: Path
    ) -> Iterator[SchemaChange]:
        before, after = old.get(keyword), new.get(keyword)
        if keyword in _LOWER or keyword in _UPPER:
            yield from _bound(before, after, path, lower=keyword in _LOWER)
        elif keyword in _ONE_SCHEMA:
            yield from self.changes(True if before is None else before, True if after is None else after, path)
        elif keyword in {"allOf", "anyOf", "oneOf", "prefixItems"} and before is not None and after is not None:
            yield from self._lists(keyword, before, after, path)
        elif before == after:
            return
        elif keyword in _RESTRICTING:
            yield _restriction(before, after, path)
        else:
            yield SchemaChange(path=path, effect=Effect.NEITHER, why=_OTHER_WORDS)

    def _lists(self, keyword: str, before: list[Any], after: list[Any], path: Path) -> Iterator[SchemaChange]:
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from self.changes(one, other, (*path, index))
        if len(before) != len(after):
            more = len(after) > len(before)
            alternatives = keyword in {"anyOf", "oneOf"}
            yield SchemaChange(
                path=path,
                effect=Effect.WIDER if more == alternatives else Effect.NARROWER,
                why=_MORE_PARTS if more else _FEWER_PARTS,
            )

    def _properties(self, old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[SchemaChange]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted(before.keys() | after.keys()):
            place: Path = (*path, "properties", name)
            if name not in after:
                closed = new.get("additionalProperties", True) is not True
                effect = Effect.NARROWER if closed else Effect.WIDER
                yield SchemaChange(path=place, effect=effect, field="gone", why=_FIELD_GONE)
            elif name not in before:
                yield SchemaChange(path=place, effect=Effect.WIDER, field="new", why=_FIELD_NEW)
            else:
                yield from self.changes(before[name], after[name], place)


_HANDLED = _SAID_ONLY.intersection({"$defs", "definitions", "$id", "$anchor", "$schema"}) | {
    "type", "enum", "const", "required", "properties", "$ref"
}  # fmt: skip


def _followed(root: Mapping[str, Any], schema: Any) -> Any:
    """What a schema that is a reference and nothing else leads to."""
    for _ in range(100):
        if not isinstance(schema, dict) or not isinstance(reference := schema.get("$ref"), str):
            break
        target = pointed(root, reference[1:]) if reference == "#" or reference.startswith("#/") else None
        if target is None:
            break
        beside = {name: part for name, part in schema.items() if name not in _SAID_ONLY and name != "$ref"}
        if beside:
            # What stands beside a reference holds too; that is rare, and judged with it as one.
            return {**target, **beside} if isinstance(target, dict) else target
        schema = target
    return schema


def _refers(schema: Mapping[str, Any]) -> bool:
    """Whether something in it may stand elsewhere, and so differ though the text is the same."""
    waiting: list[Any] = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "$ref" in part:
                return True
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False


def _between_booleans(old: Any, new: Any, path: Path) -> Iterator[SchemaChange]:
    if old == new or (old is True and new == {}) or (old == {} and new is True):
        return
    if old is False or new is True:
        yield SchemaChange(path=path, effect=Effect.WIDER, why=_LIFTED)
    else:
        yield SchemaChange(path=path, effect=Effect.NARROWER, why=_RESTRICTED)


def _types(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[SchemaChange]:
    before, after = _type_names(old), _type_names(new)
    if before != after:
        yield _sets(before - after, after - before, (*path, "type"), _TYPE_CHANGED)


def _type_names(schema: Mapping[str, Any]) -> frozenset[str]:
    said = schema.get("type")
    names = _TYPES if said is None else frozenset({said} if isinstance(said, str) else said)
    return names | {"integer"} if "number" in names else names


def _enums(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[SchemaChange]:
    before, after = _constants(old), _constants(new)
    place = (*path, "const" if "const" in new or "const" in old else "enum")
    if before is None or after is None:
        if before is not after:
            yield _restriction(before, after, place)
        return
    lost, gained = [each for each in before if each not in after], [each for each in after if each not in before]
    if lost or gained:
        yield _sets(lost, gained, place, _VALUES_CHANGED)


def _constants(schema: Mapping[str, Any]) -> list[Any] | None:
    """Each with its type beside it, since 1 and true are equal in Python."""
    if "const" in schema:
        return [(type(schema["const"]), schema["const"])]
    return [(type(each), each) for each in schema["enum"]] if "enum" in schema else None


def _required(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[SchemaChange]:
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(after - before):
        yield SchemaChange(path=(*path, "properties", name), effect=Effect.NARROWER, why=_NOW_REQUIRED)
    for name in sorted(before - after):
        yield SchemaChange(path=(*path, "properties", name), effect=Effect.WIDER, why=_NOW_OPTIONAL)


def _bound(before: Any, after: Any, path: Path, *, lower: bool) -> Iterator[SchemaChange]:
    if before == after:
        return
    if before is None or after is None:
        yield _restriction(before, after, path)
        return
    tighter = (after > before) == lower
    yield SchemaChange(
        path=path, effect=Effect.NARROWER if tighter else Effect.WIDER, why=_RESTRICTED if tighter else _LIFTED
    )


def _restriction(before: Any, after: Any, path: Path) -> SchemaChange:
    if before is None:
        return SchemaChange(path=path, effect=Effect.NARROWER, why=_RESTRICTED)
    if after is None:
        return SchemaChange(path=path, effect=Effect.WIDER, why=_LIFTED)
    return SchemaChange(path=path, effect=Effect.BOTH, why=_RULE_CHANGED)


def _sets(lost: Any, gained: Any, path: Path, why: Message) -> SchemaChange:
    effect = Effect.BOTH if lost and gained else Effect.NARROWER if lost else Effect.WIDER
    return SchemaChange(path=path, effect=effect, why=why)


_OTHER_WORDS = Message("is said otherwise", "说明有变化")
_FIELD_GONE = Message("this field is gone", "此字段已移除")
_FIELD_NEW = Message("this field is new", "新增此字段")
_NOW_REQUIRED = Message("must be given now", "现在必填")
_NOW_OPTIONAL = Message("may be left out now", "现在可省略")
_RESTRICTED = Message("fewer values are allowed", "允许的取值变少")
_LIFTED = Message("more values are allowed", "允许的取值变多")
_RULE_CHANGED = Message("another rule holds: values that fitted may not fit", "规则已改变：原先合法的值可能不再合法")
_TYPE_CHANGED = Message("the type is another", "类型已改变")
_VALUES_CHANGED = Message("the list of values is another", "可选值列表已改变")
_TOO_LARGE = Message("is too large to be compared further", "过大，无法继续比较")
_MORE_PARTS = Message("there is one part more, or several", "增加了组成部分")
_FEWER_PARTS = Message("there is one part less, or several", "减少了组成部分")
