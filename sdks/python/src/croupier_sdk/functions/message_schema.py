"""A protobuf message as JSON Schema 2020-12: what becomes such a message, with its fields under their names in the .proto.

Messages in messages become `$defs`, so one that holds itself is no trouble. The platform's generator of packs uses it, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

Schema = dict[str, Any]

F = FieldDescriptor

_WHOLE: Mapping[int, tuple[int, int]] = {
    F.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    F.CPPTYPE_UINT32: (0, 2**32 - 1),
    F.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    F.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_SIXTY_FOUR = {F.CPPTYPE_INT64: "^-?[0-9]{1,19}$", F.CPPTYPE_UINT64: "^[0-9]{1,20}$"}

_WELL_KNOWN: Mapping[str, Schema] = {
    "Timestamp": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "pattern": "^-?[0-9]+([.][0-9]{1,9})?s$"},
    "FieldMask": {"type": "string"},
    "Empty": {"type": "object", "additionalProperties": False},
    "Struct": {"type": "object"},
    "ListValue": {"type": "array"},
    "Value": {},
    "Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
}


def _nothing(_field: FieldDescriptor) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Notes:
    """What more is known of a field than its descriptor says."""

    keywords: Callable[[FieldDescriptor], Mapping[str, Any]] = _nothing
    """Keywords of JSON Schema beside its shape: description, writeOnly, …"""
    labels: Callable[[FieldDescriptor], Mapping[str, str]] = _nothing
    """What people call the values of its enum, by their names."""


_NO_NOTES = Notes()


def message_schema(descriptor: Descriptor, notes: Notes = _NO_NOTES) -> Schema:
    """Of a whole payload."""
    builder = _Builder(notes)
    schema = builder.message(descriptor)
    builder.finish()
    if builder.definitions:
        schema["$defs"] = dict(sorted(builder.definitions.items()))
    return schema


class _Builder:
    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.definitions: dict[str, Schema] = {}
        self._due: list[Descriptor] = []

    def finish(self) -> None:
        """Define every message that is referred to."""
        while self._due:
            descriptor = self._due.pop()
            if descriptor.full_name not in self.definitions:
                self.definitions[descriptor.full_name] = self.message(descriptor)

    def message(self, descriptor: Descriptor) -> Schema:
        if (special := self._special(descriptor)) is not None:
            return special
        schema: Schema = {
            "type": "object",
            "properties": {field.name: self._field(field) for field in descriptor.fields},
            "additionalProperties": False,
        }
        if required := [field.name for field in descriptor.fields if field.is_required]:
            schema["required"] = required
        if exclusive := [_at_most_one(each) for each in descriptor.oneofs if len(each.fields) > 1]:
            schema["allOf"] = exclusive
        return schema

    def _special(self, descriptor: Descriptor) -> Schema | None:
        """The well-known types have shapes of their own."""
        if not descriptor.file.name.startswith("google/protobuf/"):
            return None
        name = descriptor.full_name.removeprefix("google.protobuf.")
        if descriptor.file.name == "google/protobuf/wrappers.proto":
            inner = self._single(descriptor.fields_by_name["value"])
            types = inner["type"] if isinstance(inner["type"], list) else [inner["type"]]
            return {**inner, "type": [*types, "null"]}
        return dict(_WELL_KNOWN[name]) if name in _WELL_KNOWN else None

    def _field(self, field: FieldDescriptor) -> Schema:
        schema = self._shape(field)
        said = dict(self._notes.keywords(field))
        if field.GetOptions().deprecated:
            said["deprecated"] = True
        if field.has_default_value and field.message_type is None and field.type != F.TYPE_BYTES:
            said["default"] = self._default(field)
        return {**schema, **said}

    def _default(self, field: FieldDescriptor) -> Any:
        if field.enum_type is not None:
            return field.enum_type.values_by_number[field.default_value].name
        return str(field.default_value) if field.cpp_type in _SIXTY_FOUR else field.default_value

    def _shape(self, field: FieldDescriptor) -> Schema:
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            key, value = message.fields_by_name["key"], message.fields_by_name["value"]
            schema: Schema = {"type": "object", "additionalProperties": self._single(value)}
            return {**schema, **({"propertyNames": names} if (names := _key_names(key)) else {})}
        if field.is_repeated:
            return {"type": "array", "items": self._single(field)}
        return self._single(field)

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            special = self._special(field.message_type)
            if special is not None:
                return special
            self._due.append(field.message_type)
            return {"$ref": f"#/$defs/{field.message_type.full_name}"}
        if field.enum_type is not None:
            return self._enum(field)
        if field.cpp_type in _WHOLE:
            low, high = _WHOLE[field.cpp_type]
            if pattern := _SIXTY_FOUR.get(field.cpp_type):
                return {"type": ["string", "integer"], "pattern": pattern, "minimum": low, "maximum": high}
            return {"type": "integer", "minimum": low, "maximum": high}
        if field.type == F.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": {F.CPPTYPE_BOOL: "boolean", F.CPPTYPE_STRING: "string"}.get(field.cpp_type, "number")}

    def _enum(self, field: FieldDescriptor) -> Schema:
        if field.enum_type is None or field.enum_type.full_name == "google.protobuf.NullValue":
            return {"type": "null"}
        schema: Schema = {"type": "string", "enum": [value.name for value in field.enum_type.values]}
        labels = self._notes.labels(field)
        if labels:
            schema["x-enum-labels"] = {name: labels[name] for name in schema["enum"] if name in labels}
        return schema


def _at_most_one(oneof: Any) -> Schema:
    one = [{"required": [field.name]} for field in oneof.fields]
    return {"oneOf": [*one, {"not": {"anyOf": one}}]}


def _key_names(key: FieldDescriptor) -> Schema | None:
    if key.cpp_type == F.CPPTYPE_BOOL:
        return {"enum": ["true", "false"]}
    return None if key.cpp_type == F.CPPTYPE_STRING else {"pattern": "^-?(0|[1-9][0-9]{0,19})$"}
