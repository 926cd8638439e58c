"""The schema of a form, changed at the places that conditions speak of; what it shares by `$ref` is copied first."""

from collections.abc import Callable, Collection
from typing import Any

from croupier.descriptors import Message
from croupier.errors import InvalidArgument
from croupier.forms.faults import FaultyForm, FormFault
from croupier.forms.plan import Field, Place, templates
from croupier.forms.schemas import Schema, inlined

Path = tuple[str | int, ...]
_UNREACHABLE = "无法沿 $ref 找到带条件的字段：请写成 #/…，且所指处不含 $id"
_Change = Callable[[Schema, Field, Path], Schema]
"""Takes an object's schema, one of its fields and where that is."""


def relaxed(schema: Schema, place: Place) -> Schema:
    """`schema`, but no field with `show_if` is required: whether it is, a value's own state tells. Raises FaultyForm."""

    def relax(found: Schema, each: Field, _path: Path) -> Schema:
        return _not_required(found, each.name) if each.show is not None else found

    return _Rewriting(schema, relax, None).whole(place)


def in_force(schema: Schema, place: Place, value: Any, hidden: Collection[Path], required: Collection[Path]) -> Schema:
    """`schema` for `value`: hidden fields are gone from it, those of `required` are required.

    Elements of a list each have their own, as `prefixItems`.
    """

    def change(found: Schema, each: Field, path: Path) -> Schema:
        if path in hidden:
            return _dropped(found, each.name)
        return _required(found, each.name) if path in required and not each.required else found

    return _Rewriting(schema, change, value).whole(place)


class _Rewriting:
    def __init__(self, root: Schema, change: _Change, value: Any) -> None:
        self._root = root
        self._change = change
        self._value = value
        self._each_element = value is not None

    def whole(self, place: Place) -> Schema:
        changed: Schema = self.at(self._root, place, (), self._value)
        return changed

    def at(self, schema: Any, place: Place, path: Path, value: Any) -> Any:
        """`schema`, which holds for `value` at `path`, with the change made to every field of `place`."""
        if not isinstance(schema, dict):
            return schema
        schema = dict(self._inlined(schema, place))
        for each in place.fields:
            at = (*path, each.name)
            members = schema.get("properties")
            if each.place is not None and isinstance(members, dict) and each.name in members:
                inner = value.get(each.name) if isinstance(value, dict) else None
                schema["properties"] = {**members, each.name: self.at(members[each.name], each.place, at, inner)}
            schema = dict(self._change(schema, each, at))
        if place.element is not None:
            self._elements(schema, place.element, path, value)
        if isinstance(schema.get("allOf"), list):
            schema["allOf"] = [self.at(part, place, path, value) for part in schema["allOf"]]
        return schema

    def _inlined(self, schema: Schema, place: Place) -> Schema:
        try:
            return inlined(self._root, schema)
        except InvalidArgument as error:
            said = next(each.said for _, each in templates(place))
            raise FaultyForm([FormFault(said, Message(error.message, _UNREACHABLE))]) from None

    def _elements(self, schema: dict[str, Any], place: Place, path: Path, value: Any) -> None:
        first = schema.get("prefixItems", [])
        first = first if isinstance(first, list) else []
        if not self._each_element:
            if first:
                schema["prefixItems"] = [self.at(each, place, path, None) for each in first]
            if "items" in schema:
                schema["items"] = self.at(schema["items"], place, path, None)
            return
        if isinstance(value, list) and value and (first or "items" in schema):
            rest = schema.get("items", True)
            schema["prefixItems"] = [
                self.at(first[index] if index < len(first) else rest, place, (*path, index), element)
                for index, element in enumerate(value)
            ] + first[len(value) :]


def _not_required(schema: Schema, name: str) -> Schema:
    names = schema.get("required")
    if not isinstance(names, list) or name not in names:
        return schema
    return {**schema, "required": [each for each in names if each != name]}


def _required(schema: Schema, name: str) -> Schema:
    names = schema.get("required")
    names = names if isinstance(names, list) else []
    return schema if name in names else {**schema, "required": [*names, name]}


def _dropped(schema: Schema, name: str) -> Schema:
    schema = _not_required(schema, name)
    members = schema.get("properties")
    if not isinstance(members, dict) or name not in members:
        return schema
    return {**schema, "properties": {key: value for key, value in members.items() if key != name}}
