"""From JSON values to messages. Each type's reader is made once; what does not fit is named by its path, never shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from croupier.domain.limits import JSON_DEPTH
from croupier.transcoding.mismatch import Mismatch
from croupier.transcoding.names import named_fields
from croupier.transcoding.scalars import is_null, key_reader, reader_of
from croupier.transcoding.wellknown import READ, TAKES_NULL, is_any, well_known

Fill = Callable[[Message, Any, int], None]
"""Writes a JSON value, which lies so many levels deep, into an empty message. Raises Mismatch."""

_NAMED = 20
"""How many fields a message about an unknown one names."""


@dataclass(slots=True, eq=False)
class Reader:
    make: Callable[[], Any]
    fill: Fill


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    read: Fill
    """Of the message that has the field."""
    other_name: str
    """As it is spelled in the .proto, where this is the spelling of JSON."""
    oneof: str
    takes_null: bool


class Readers:
    """Of the types of one pool."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._known: dict[str, Reader] = {}

    def of(self, descriptor: Descriptor) -> Reader:
        reader = self._known.get(descriptor.full_name)
        if reader is None:
            reader = self._known[descriptor.full_name] = self._made(descriptor)
        return reader

    def _made(self, descriptor: Descriptor) -> Reader:
        make = GetMessageClass(descriptor)
        if is_any(descriptor):
            return Reader(make, self._fill_any)
        if (name := well_known(descriptor)) in READ:
            return Reader(make, READ[name])
        return Reader(make, _ObjectReader(descriptor, self).fill)

    def _fill_any(self, message: Any, value: Any, depth: int) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("@type"), str):
            raise Mismatch('must be an object with "@type", the name of its message')
        url = value["@type"]
        try:
            found = self._pool.FindMessageTypeByName(url.rpartition("/")[2])
        except KeyError:
            raise Mismatch("is not the name of a message that the pack knows").within("@type") from None
        inner = self.of(found)
        within = inner.make()
        wrapped = bool(well_known(found)) or is_any(found)
        inner.fill(
            within,
            value.get("value") if wrapped else {name: value[name] for name in value if name != "@type"},
            depth + 1,
        )
        message.type_url = url if "/" in url else f"type.googleapis.com/{url}"
        message.value = within.SerializeToString(deterministic=True)


class _ObjectReader:
    """Reads objects as messages of one type; its fields are looked at when the first one comes."""

    def __init__(self, descriptor: Descriptor, readers: Readers) -> None:
        self._descriptor = descriptor
        self._readers = readers
        self._fields: dict[str, _Field] = {}

    def fill(self, message: Message, value: Any, depth: int) -> None:
        if not isinstance(value, dict):
            raise Mismatch("must be an object")
        if depth > JSON_DEPTH:
            raise Mismatch(f"is nested deeper than {JSON_DEPTH} levels")
        fields = self._fields or self._look()
        chosen: set[str] = set()
        for name, element in value.items():
            field = fields.get(name)
            if field is None:
                raise self._unknown(name)
            if element is None and not field.takes_null:
                continue
            if field.other_name and field.other_name in value:
                raise Mismatch(f"is given twice, as {field.other_name} too").within(name)
            if field.oneof:
                if field.oneof in chosen:
                    raise Mismatch(f"excludes the other fields of {field.oneof}: send one of them").within(name)
                chosen.add(field.oneof)
            try:
                field.read(message, element, depth + 1)
            except Mismatch as mismatch:
                raise mismatch.within(name) from None

    def _look(self) -> dict[str, _Field]:
        fields: dict[str, _Field] = {}
        for name, field in named_fields(self._descriptor).items():
            oneof = field.containing_oneof
            exclusive = oneof is not None and len(oneof.fields) > 1
            fields[name] = _Field(
                read=_field_reader(field, self._readers),
                other_name=field.name if name != field.name else "",
                oneof=oneof.name if oneof is not None and exclusive else "",
                takes_null=_takes_null(field),
            )
        self._fields = fields
        return fields

    def _unknown(self, name: str) -> Mismatch:
        known = [field.name for field in self._descriptor.fields]
        shown = ", ".join(known[:_NAMED]) + (", …" if len(known) > _NAMED else "")
        return Mismatch(f"is not a field of {self._descriptor.full_name}, which has: {shown or 'none'}").within(name)


def _takes_null(field: FieldDescriptor) -> bool:
    """Anywhere else null is the same as nothing."""
    if field.is_repeated:
        return False
    return is_null(field) or (field.message_type is not None and well_known(field.message_type) in TAKES_NULL)


def _field_reader(field: FieldDescriptor, readers: Readers) -> Fill:
    message = field.message_type
    if message is None:
        return _scalars(field) if field.is_repeated else _scalar(field)
    if message.GetOptions().map_entry:
        return _map(field.name, message, readers)
    inner = readers.of(message)
    return _messages(field.name, inner) if field.is_repeated else _message(field.name, inner)


def _scalar(field: FieldDescriptor) -> Fill:
    name, convert = field.name, reader_of(field)

    def read(message: Message, value: Any, _depth: int) -> None:
        setattr(message, name, convert(value))

    return read


def _scalars(field: FieldDescriptor) -> Fill:
    name, convert = field.name, reader_of(field)

    def read(message: Message, value: Any, _depth: int) -> None:
        elements = _list(value)
        made = []
        for index, element in enumerate(elements):
            try:
                made.append(convert(element))
            except Mismatch as mismatch:
                raise mismatch.within(index) from None
        getattr(message, name).extend(made)

    return read


def _message(name: str, inner: Reader) -> Fill:
    def read(message: Message, value: Any, depth: int) -> None:
        part = getattr(message, name)
        part.SetInParent()
        inner.fill(part, value, depth)

    return read


def _messages(name: str, inner: Reader) -> Fill:
    def read(message: Message, value: Any, depth: int) -> None:
        parts = getattr(message, name)
        for index, element in enumerate(_list(value)):
            try:
                inner.fill(parts.add(), element, depth)
            except Mismatch as mismatch:
                raise mismatch.within(index) from None

    return read


def _map(name: str, entry: Descriptor, readers: Readers) -> Fill:
    key, of_value = key_reader(entry.fields_by_name["key"]), entry.fields_by_name["value"]
    inner = readers.of(of_value.message_type) if of_value.message_type is not None else None
    convert = reader_of(of_value) if inner is None else None

    def read(message: Message, value: Any, depth: int) -> None:
        if not isinstance(value, dict):
            raise Mismatch("must be an object")
        entries = getattr(message, name)
        for each, element in value.items():
            try:
                if inner is not None:
                    inner.fill(entries[key(each)], element, depth + 1)
                elif convert is not None:
                    entries[key(each)] = convert(element)
            except Mismatch as mismatch:
                raise mismatch.within(each) from None

    return read


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise Mismatch("must be a list")
