"""The files of a request as descriptors, with what descriptors do not have: comments, lines and our options."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool

from croupier.protogen.faults import FaultyProto, Place, ProtoFault
from croupier.transcoding.files import WELL_KNOWN
from croupier_wire.options.v1 import options_pb2

_PathOf = tuple[int, ...]

# protoc's stubs do not say that these are extensions.
_FUNCTION: Any = options_pb2.function
_UI: Any = options_pb2.ui


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A method that is to be a function of the platform."""

    name: str
    service: str
    comment: str
    place: Place
    options: options_pb2.FunctionOptions
    request: Descriptor
    response: Descriptor
    client_streaming: bool
    server_streaming: bool
    deprecated: bool


class Sources:
    """Raises FaultyProto for files that are no whole."""

    def __init__(self, files: Sequence[FileDescriptorProto]) -> None:
        self._files = {file.name: file for file in files}
        self._notes: dict[str, _Note] = {}
        """By the full name of a message, field, enum, value or method."""
        self._ui: dict[str, options_pb2.UiOptions] = {}
        self._pool: Any = DescriptorPool()
        for content in WELL_KNOWN.values():
            self._pool.AddSerializedFile(content)
        for file in files:
            if file.name not in WELL_KNOWN:
                self._take(file)

    def _take(self, file: FileDescriptorProto) -> None:
        try:
            self._pool.AddSerializedFile(file.SerializeToString())
        except (TypeError, ValueError) as error:
            raise FaultyProto([ProtoFault(Place(file.name), str(error)[:500])]) from None
        locations = {tuple(each.path): each for each in file.source_code_info.location}
        for path, name, proto in _named(file):
            location = locations.get(path)
            self._notes[name] = _Note(
                comment=_comment(location), place=Place(file.name, location.span[0] + 1 if location is not None else 0)
            )
            if isinstance(proto, FieldDescriptorProto) and proto.options.HasExtension(_UI):
                self._ui[name] = proto.options.Extensions[_UI]

    def comment(self, full_name: str) -> str:
        note = self._notes.get(full_name)
        return note.comment if note is not None else ""

    def place(self, full_name: str) -> Place:
        note = self._notes.get(full_name)
        return note.place if note is not None else Place("")

    def ui(self, field: FieldDescriptor) -> options_pb2.UiOptions:
        """Empty where the field says nothing."""
        return self._ui.get(field.full_name) or options_pb2.UiOptions()

    def says_of_fields(self, message: Descriptor) -> bool:
        """Whether one of its own fields has something to say to a form."""
        return any(field.full_name in self._ui for field in message.fields)

    def enum_comments(self, enum: EnumDescriptor) -> Mapping[str, str]:
        """By the names of its values, those that have one. (Values stand beside their enum, not in it.)"""
        scope = enum.full_name.rpartition(".")[0]
        comments = {value.name: self.comment(f"{scope}.{value.name}" if scope else value.name) for value in enum.values}
        return {name: comment for name, comment in comments.items() if comment}

    def methods(self, files: Iterable[str]) -> Iterator[Method]:
        """Those of `files` that carry `(croupier.options.v1.function)`, in their order."""
        for file in files:
            package = self._files[file].package
            for service in self._files[file].service:
                full_name = f"{package}.{service.name}" if package else service.name
                for method in service.method:
                    if method.options.HasExtension(_FUNCTION):
                        yield self._method(full_name, method)

    def _method(self, service: str, method: MethodDescriptorProto) -> Method:
        note = self._notes[f"{service}.{method.name}"]
        return Method(
            name=method.name,
            service=service,
            comment=note.comment,
            place=note.place,
            options=method.options.Extensions[_FUNCTION],
            request=self._pool.FindMessageTypeByName(method.input_type.removeprefix(".")),
            response=self._pool.FindMessageTypeByName(method.output_type.removeprefix(".")),
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            deprecated=method.options.deprecated,
        )

    def types(self) -> bytes:
        """All of them as a FileDescriptorSet, without comments."""
        whole = FileDescriptorSet()
        for file in self._files.values():
            whole.file.add().CopyFrom(file)
            whole.file[-1].ClearField("source_code_info")
        return whole.SerializeToString(deterministic=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Note:
    comment: str
    place: Place


def _named(file: FileDescriptorProto) -> Iterator[tuple[_PathOf, str, Any]]:
    """Everything with a name: its path in the file (as source locations have it), its full name, and what it is."""
    package = file.package
    for index, message in enumerate(file.message_type):
        yield from _in_message((4, index), package, message)
    for index, enum in enumerate(file.enum_type):
        yield from _in_enum((5, index), package, enum)
    for number, service in enumerate(file.service):
        name = _join(package, service.name)
        for index, method in enumerate(service.method):
            yield (6, number, 2, index), _join(name, method.name), method


def _in_message(path: _PathOf, scope: str, message: DescriptorProto) -> Iterator[tuple[_PathOf, str, Any]]:
    name = _join(scope, message.name)
    yield path, name, message
    for index, field in enumerate(message.field):
        yield (*path, 2, index), _join(name, field.name), field
    for index, nested in enumerate(message.nested_type):
        yield from _in_message((*path, 3, index), name, nested)
    for index, enum in enumerate(message.enum_type):
        yield from _in_enum((*path, 4, index), name, enum)


def _in_enum(path: _PathOf, scope: str, enum: EnumDescriptorProto) -> Iterator[tuple[_PathOf, str, Any]]:
    yield path, _join(scope, enum.name), enum
    for index, value in enumerate(enum.value):
        yield (*path, 2, index), _join(scope, value.name), value


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _comment(location: Any) -> str:
    """What stands above it, or else behind it, its lines joined where they are one paragraph."""
    if location is None:
        return ""
    text = location.leading_comments or location.trailing_comments
    paragraphs = [" ".join(part.split()) for part in text.replace("\r\n", "\n").split("\n\n")]
    return "\n\n".join(part for part in paragraphs if part)
