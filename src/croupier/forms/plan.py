"""What a form's conditions say, place by place: the UI schema read against the schema of the value.

    {fields: {kind: {}, until: {show_if: "$.kind == 'temporary'"}, items: {fields: {price: {required_if: "@.sold"}}}}}

    Place ─► Field until (show)
          └► Field items ─► Place ─► element ─► Place ─► Field price (require)

Fields of a field stand in its own `fields`; those of a list's elements in its `fields` or in `items.fields`. `a.b` and `a[].b`
as names mean the same. `ui:fields` is `fields`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from croupier.descriptors import Message
from croupier.errors import InvalidArgument
from croupier.forms.conditions import Condition
from croupier.forms.faults import Report, SpecPath
from croupier.forms.schemas import parts

MOST_FIELDS = 1_000
DEEPEST = 16
"""Places inside one another."""

Step = str | None
"""A member's name, or None for each element of a list."""
Template = tuple[Step, ...]
"""Where a field is, alike for every element."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A member of an object that a condition, or one further in, speaks of."""

    name: str
    said: SpecPath
    """Where the UI schema speaks of it."""
    show: Condition | None = None
    require: Condition | None = None
    disable: Condition | None = None
    required: bool = False
    """By the schema, as long as it is shown."""
    place: "Place | None" = None
    stage: int = 0
    """When it is decided whether it is shown: after every field that its condition looks at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The members of an object, the elements of a list, or both where the schema leaves it open."""

    fields: tuple[Field, ...] = ()
    element: "Place | None" = None


CONDITIONS = ("show_if", "required_if", "disabled_if")
_FIELDS = ("fields", "ui:fields")
_ELEMENTS = ("items", "ui:items")


def speaks_of_conditions(ui: Any, depth: int = 0) -> bool:
    """Whether anything may be conditional in a UI schema; cheaper than reading it."""
    if not isinstance(ui, Mapping) or depth > 2 * DEEPEST:
        return isinstance(ui, Mapping)
    for key in _FIELDS:
        fields = ui.get(key)
        if isinstance(fields, Mapping):
            for said in fields.values():
                if isinstance(said, Mapping) and (_is_conditional(said) or speaks_of_conditions(said, depth + 1)):
                    return True
    return any(speaks_of_conditions(ui[key], depth + 1) for key in _ELEMENTS if key in ui)


def _is_conditional(said: Mapping[str, Any]) -> bool:
    return any(said.get(key) or said.get(f"ui:{key}") for key in CONDITIONS)


def read_plan(schema: Any, ui: Mapping[str, Any], report: Report) -> Place | None:
    """None when nothing is conditional. What cannot be used is reported and left out."""
    reader = _Reader(schema, report)
    return reader.place(reader.said_inside(ui, (), reader.holds_at([schema])), [schema], 0)


def templates(place: Place, at: Template = ()) -> Iterator[tuple[Template, Field]]:
    """Every field and where it is; a field before those inside it."""
    for each in place.fields:
        yield (*at, each.name), each
        if each.place is not None:
            yield from templates(each.place, (*at, each.name))
    if place.element is not None:
        yield from templates(place.element, (*at, None))


def narrowed(place: Place, kept: Callable[[Field], bool]) -> Place:
    """The plan with those fields alone, and those around them, which then have no conditions of their own."""
    fields = []
    for each in place.fields:
        inside = narrowed(each.place, kept) if each.place is not None else None
        if inside is not None and not inside.fields and inside.element is None:
            inside = None
        if kept(each):
            fields.append(replace(each, place=inside))
        elif inside is not None:
            fields.append(Field(name=each.name, said=each.said, place=inside))
    element = narrowed(place.element, kept) if place.element is not None else None
    if element is not None and not element.fields and element.element is None:
        element = None
    return Place(fields=tuple(fields), element=element)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the UI schema says of one field, at a path from the place where it is said."""

    steps: Template
    spec: Mapping[str, Any]
    path: SpecPath


_UNREADABLE = "无法读取的条件：请写成 $.a == 'x' 这样的比较，用 && 和 || 连接"
_TOO_DEEP = Message(f"fields are nested more than {DEEPEST} deep", f"字段嵌套超过 {DEEPEST} 层")
_TOO_MANY = Message(f"more than {MOST_FIELDS} fields have conditions", f"带条件的字段超过 {MOST_FIELDS} 个")


class _Reader:
    def __init__(self, root: Any, report: Report) -> None:
        self._root = root
        self._report = report
        self._fields = 0

    def holds_at(self, schemas: Iterable[Any]) -> list[Mapping[str, Any]]:
        """Every schema that a value must fit where `schemas` hold."""
        return [part for schema in schemas for part in parts(self._root, schema)]

    def said_inside(self, spec: Mapping[str, Any], path: SpecPath, held: list[Mapping[str, Any]]) -> list[_Said]:
        """What `spec` says of the fields inside the value that it is about."""
        names = frozenset(name for part in held for name in _members(part))
        prefix: Template = (None,) if _is_list(held) else ()
        found = [
            _Said((*prefix, *((name,) if name in names else _steps(name))), inner, (*path, key, name))
            for key, name, inner in _fields_of(spec)
        ]
        for key in _ELEMENTS:
            if isinstance(spec.get(key), Mapping):
                found += [
                    _Said((None, *_steps(name)), inner, (*path, key, inner_key, name))
                    for inner_key, name, inner in _fields_of(spec[key])
                ]
        return found

    def place(self, said: list[_Said], schemas: list[Any], depth: int) -> Place | None:
        if not said:
            return None
        if depth >= DEEPEST:
            self._report(said[0].path, _TOO_DEEP)
            return None
        held = self.holds_at(schemas)
        groups: dict[Step, list[_Said]] = {}
        for each in said:
            groups.setdefault(each.steps[0], []).append(_Said(each.steps[1:], each.spec, each.path))
        element = self.place(groups.pop(None, []), _elements(held), depth + 1)
        fields = [self._field(name, group, held, depth) for name, group in groups.items() if name is not None]
        kept = tuple(each for each in fields if each is not None)
        return Place(fields=kept, element=element) if kept or element is not None else None

    def _field(self, name: str, said: list[_Said], held: list[Mapping[str, Any]], depth: int) -> Field | None:
        schemas = [_members(part)[name] for part in held if name in _members(part)]
        own = [each for each in said if not each.steps]
        inside = [each for each in said if each.steps]
        held_inside = self.holds_at(schemas)
        for each in own:
            inside += self.said_inside(each.spec, each.path, held_inside)
        show, require, disable = (self._condition(own, key) for key in CONDITIONS)
        place = self.place(inside, schemas, depth + 1)
        if show is None and require is None and disable is None and place is None:
            return None
        self._fields += 1
        if self._fields == MOST_FIELDS + 1:
            self._report(said[0].path, _TOO_MANY)
        return Field(
            name=name,
            said=said[0].path,
            show=show,
            require=require,
            disable=disable,
            required=any(name in _names(part.get("required")) for part in held),
            place=place,
        )

    def _condition(self, said: list[_Said], key: str) -> Condition | None:
        for each in said:
            for spelling in (key, f"ui:{key}"):
                text = each.spec.get(spelling)
                if text is None or text == "":
                    continue
                try:
                    return Condition.read(text)
                except InvalidArgument as error:
                    self._report((*each.path, spelling), Message(error.message, _UNREADABLE))
        return None


def _fields_of(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for key in _FIELDS:
        fields = spec.get(key)
        if isinstance(fields, Mapping):
            yield from ((key, name, inner) for name, inner in fields.items() if isinstance(inner, Mapping))


def _steps(name: str) -> Template:
    """`items[].price` as (items, None, price)."""
    steps: list[Step] = []
    for part in name.split("."):
        bare = part.rstrip("[]")
        steps += [bare] if bare else []
        steps += [None] * part.count("[]", len(bare))
    return tuple(steps) or (name,)


def _members(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found = part.get("properties")
    return found if isinstance(found, Mapping) else {}


def _elements(held: list[Mapping[str, Any]]) -> list[Any]:
    return [part["items"] for part in held if "items" in part] + [
        each for part in held if isinstance(part.get("prefixItems"), list) for each in part["prefixItems"]
    ]


def _is_list(held: list[Mapping[str, Any]]) -> bool:
    return any("items" in part or "prefixItems" in part or part.get("type") == "array" for part in held)


def _names(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
