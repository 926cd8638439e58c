"""What protoc holds and the runtime's pool takes for granted: a set may come from somewhere else than protoc."""

from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

NAME_CHARACTERS = 512
"""The longest name of a file, an import or a field."""

_KEYS = frozenset(
    {
        FieldDescriptorProto.TYPE_INT32,
        FieldDescriptorProto.TYPE_INT64,
        FieldDescriptorProto.TYPE_UINT32,
        FieldDescriptorProto.TYPE_UINT64,
        FieldDescriptorProto.TYPE_SINT32,
        FieldDescriptorProto.TYPE_SINT64,
        FieldDescriptorProto.TYPE_FIXED32,
        FieldDescriptorProto.TYPE_FIXED64,
        FieldDescriptorProto.TYPE_SFIXED32,
        FieldDescriptorProto.TYPE_SFIXED64,
        FieldDescriptorProto.TYPE_BOOL,
        FieldDescriptorProto.TYPE_STRING,
    }
)


def fault_of(file: FileDescriptorProto) -> str:
    """Why the file cannot be used; nothing if it may be."""
    if not _is_name(file.name):
        return f"it has a file without a name, or with one that is no text of at most {NAME_CHARACTERS} characters"
    if not all(map(_is_name, file.dependency)):
        return f"{file.name} imports something whose name is no text of at most {NAME_CHARACTERS} characters"
    for message in messages_of(file):
        for field in message.field:
            if not _is_name(field.name) or (field.HasField("json_name") and not _is_name(field.json_name)):
                return f"{file.name} has a field whose name is no text of at most {NAME_CHARACTERS} characters"
        if message.options.map_entry and not _is_entry(message):
            return f"{file.name} has a map whose entries are no key and value"
    return ""


def messages_of(file: FileDescriptorProto) -> Iterator[DescriptorProto]:
    """Those within others, too."""
    due = list(file.message_type)
    while due:
        message = due.pop()
        yield message
        due.extend(message.nested_type)


def _is_name(name: object) -> bool:
    """What is not UTF-8 comes as bytes."""
    return isinstance(name, str) and 0 < len(name) <= NAME_CHARACTERS


def _is_entry(message: DescriptorProto) -> bool:
    fields = [(field.name, field.number) for field in message.field]
    return fields == [("key", 1), ("value", 2)] and message.field[0].type in _KEYS
