"""From messages to JSON values. What grows on the way is counted, so that a small answer cannot fill the memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from croupier.domain.limits import JSON_DEPTH
from croupier.transcoding.mismatch import Mismatch, TooLarge
from croupier.transcoding.scalars import write_key, writer_of
from croupier.transcoding.wellknown import WRITE, is_any, well_known


@dataclass(slots=True, eq=False)
class Room:
    """Characters of JSON that may still be written, as far as they are counted: names and marks, not values."""

    left: int

    def take(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise TooLarge("is too large as JSON")


Write = Callable[[Any, Room, int], Any]
"""What a message holds, which lies so many levels deep, as a JSON value. Raises Mismatch."""


@dataclass(slots=True, eq=False)
class Writer:
    descriptor: Descriptor
    from_bytes: Callable[[bytes], Any]
    write: Write

    def parse(self, content: bytes) -> Any:
        """Raises DecodeError for what is no such message; that goes for one of which not a single field is known."""
        message = self.from_bytes(content)
        if len(UnknownFieldSet(message)) and self.descriptor.fields and not message.ListFields():
            raise DecodeError("no field of it is known")
        if not message.IsInitialized():
            raise DecodeError("a required field is missing")
        return message


class Writers:
    """Of the types of one pool."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._known: dict[str, Writer] = {}

    def of(self, descriptor: Descriptor) -> Writer:
        writer = self._known.get(descriptor.full_name)
        if writer is None:
            writer = self._known[descriptor.full_name] = self._made(descriptor)
        return writer

    def _made(self, descriptor: Descriptor) -> Writer:
        from_bytes = GetMessageClass(descriptor).FromString
        if is_any(descriptor):
            return Writer(descriptor, from_bytes, self._write_any)
        if name := well_known(descriptor):
            return Writer(descriptor, from_bytes, WRITE[name])
        return Writer(descriptor, from_bytes, _ObjectWriter(descriptor, self).write)

    def _write_any(self, message: Any, room: Room, depth: int) -> dict[str, Any]:
        if not message.type_url:
            return {}
        room.take(len(message.type_url))
        try:
            inner = self.of(self._pool.FindMessageTypeByName(message.type_url.rpartition("/")[2]))
        except KeyError:
            raise Mismatch("is of a type that the pack does not know").within("@type") from None
        value = inner.write(inner.parse(message.value), room, depth + 1)
        wrapped = bool(well_known(inner.descriptor)) or is_any(inner.descriptor)
        return {"@type": message.type_url} | ({"value": value} if wrapped else value)


_Field = tuple[str, int, bool, Write | None]
"""Its name, its characters, whether it is left out where it is not set, and how its value is written where that is not JSON yet.

All others are always written: 0 and false are answers too. (A tuple, because each answer goes through all of them.)
"""


class _ObjectWriter:
    """Writes messages of one type; its fields are looked at when the first one comes."""

    def __init__(self, descriptor: Descriptor, writers: Writers) -> None:
        self._descriptor = descriptor
        self._writers = writers
        self._fields: tuple[_Field, ...] | None = None

    def write(self, message: Any, room: Room, depth: int) -> dict[str, Any]:
        if depth > JSON_DEPTH:
            raise Mismatch(f"is nested deeper than {JSON_DEPTH} levels")
        written: dict[str, Any] = {}
        characters = 2
        for name, length, optional, write in self._look() if self._fields is None else self._fields:
            if optional and not message.HasField(name):
                continue
            characters += length
            if write is None:
                written[name] = getattr(message, name)
                continue
            try:
                written[name] = write(getattr(message, name), room, depth + 1)
            except Mismatch as mismatch:
                raise mismatch.within(name) from None
        room.take(characters)
        return written

    def _look(self) -> tuple[_Field, ...]:
        fields = tuple(
            (field.name, len(field.name) + 5, field.has_presence, _field_writer(field, self._writers))
            for field in self._descriptor.fields
        )
        self._fields = fields
        return fields


def _field_writer(field: FieldDescriptor, writers: Writers) -> Write | None:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return _map(message.fields_by_name["value"], writers)
    if field.is_repeated:
        return _list(_one(field, writers))
    return _one(field, writers)


def _one(field: FieldDescriptor, writers: Writers) -> Write | None:
    if field.message_type is not None:
        return writers.of(field.message_type).write
    convert = writer_of(field)
    if convert is None:
        return None
    if field.enum_type is None:
        return lambda value, _room, _depth: convert(value)

    def write_enum(value: Any, room: Room, _depth: int) -> Any:
        name = convert(value)
        if isinstance(name, str):
            room.take(len(name))
        return name

    return write_enum


def _list(write: Write | None) -> Write:
    def write_all(values: Any, room: Room, depth: int) -> list[Any]:
        room.take(2 * len(values))
        if write is None:
            return list(values)
        made = []
        for index, value in enumerate(values):
            try:
                made.append(write(value, room, depth))
            except Mismatch as mismatch:
                raise mismatch.within(index) from None
        return made

    return write_all


def _map(of_value: FieldDescriptor, writers: Writers) -> Write:
    write = _one(of_value, writers)

    def write_entries(entries: Any, room: Room, depth: int) -> dict[str, Any]:
        room.take(6 * len(entries))
        made = {}
        for key in sorted(entries):
            name = write_key(key)
            try:
                made[name] = entries[key] if write is None else write(entries[key], room, depth)
            except Mismatch as mismatch:
                raise mismatch.within(name) from None
        return made

    return write_entries
