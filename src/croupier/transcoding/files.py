"""FileDescriptorSets as they come out of packs: read, bounded, and put in the order in which a pool takes them."""

from collections.abc import Mapping

from google.protobuf import (
    any_pb2,
    api_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from croupier.errors import InvalidArgument
from croupier.transcoding.soundness import fault_of, messages_of

SETS_BYTES = 32_000_000
"""All FileDescriptorSets of one pack together."""
FILES = 5_000
TYPES = 20_000
"""Messages and enums of one pack."""
WELL_KNOWN: Mapping[str, bytes] = {
    module.DESCRIPTOR.name: module.DESCRIPTOR.serialized_pb
    for module in (
        descriptor_pb2,
        any_pb2,
        duration_pb2,
        empty_pb2,
        field_mask_pb2,
        source_context_pb2,
        struct_pb2,
        timestamp_pb2,
        wrappers_pb2,
        type_pb2,
        api_pb2,
    )
}
"""The runtime's own stand in for whatever a set says of them, in an order in which each comes after what it imports."""


def read_files(sets: Mapping[str, bytes]) -> list[tuple[str, FileDescriptorProto]]:
    """Every .proto file of the sets behind the name of its set, imports first, without the well-known ones.

    Raises InvalidArgument with a detail for each set at fault.
    """
    faults: dict[str, str] = {}
    files: dict[str, FileDescriptorProto] = {}
    origins: dict[str, str] = {}
    if sum(map(len, sets.values())) > SETS_BYTES:
        raise refused(dict.fromkeys(sets, f"with the others it has more than {SETS_BYTES} bytes"))
    for origin, content in sets.items():
        try:
            _gather(origin, content, files, origins)
        except (_Fault, DecodeError) as fault:
            faults[origin] = str(fault) if isinstance(fault, _Fault) else "it is no FileDescriptorSet, or is cut short"
    faults = faults or _bounds(files, origins) or _missing(files, origins)
    if faults:
        raise refused(faults)
    return [(origins[file.name], file) for file in _ordered(files, origins)]


def refused(faults: Mapping[str, str]) -> InvalidArgument:
    """`faults` says of each set what is wrong with it."""
    first, says = next(iter(faults.items()))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return InvalidArgument(f"{first}: {says}{more}", faults)


class _Fault(Exception):
    pass


def _gather(origin: str, content: bytes, files: dict[str, FileDescriptorProto], origins: dict[str, str]) -> None:
    """Add the files of one set. Two sets may carry the same file, as each of two services does with what they share."""
    for file in FileDescriptorSet.FromString(content).file:
        if file.name in WELL_KNOWN:
            continue
        if fault := fault_of(file):
            raise _Fault(fault)
        file.ClearField("source_code_info")
        known = files.setdefault(file.name, file)
        if known is not file and known != file:
            raise _Fault(
                f"it defines {file.name} in another way than {origins[file.name]} does; build both from one source"
            )
        origins.setdefault(file.name, origin)


def _bounds(files: Mapping[str, FileDescriptorProto], origins: Mapping[str, str]) -> dict[str, str]:
    if len(files) > FILES:
        return dict.fromkeys(set(origins.values()), f"with the others it has more than {FILES} files")
    if sum(map(_types, files.values())) > TYPES:
        return dict.fromkeys(
            sorted(set(origins.values())),
            f"with the others it has more than {TYPES} messages and enums: send what the functions use",
        )
    return {}


def _types(file: FileDescriptorProto) -> int:
    return len(file.enum_type) + sum(1 + len(message.enum_type) for message in messages_of(file))


def _missing(files: Mapping[str, FileDescriptorProto], origins: Mapping[str, str]) -> dict[str, str]:
    faults: dict[str, str] = {}
    for name, file in files.items():
        absent = [each for each in file.dependency if each not in files and each not in WELL_KNOWN]
        if absent:
            faults[origins[name]] = (
                f"{name} imports {', '.join(absent[:5])}, which is in no set: build it with protoc --include_imports"
            )
    return faults


def _ordered(files: Mapping[str, FileDescriptorProto], origins: Mapping[str, str]) -> list[FileDescriptorProto]:
    ordered: dict[str, FileDescriptorProto] = {}
    for start in files:
        entered: dict[str, None] = {}  # what is being gone into, outermost first
        stack = [start]
        while stack:
            name = stack[-1]
            if name in ordered:
                stack.pop()
                entered.pop(name, None)
                continue
            entered[name] = None
            waits = [each for each in files[name].dependency if each in files and each not in ordered]
            for each in waits:
                if each in entered:
                    round_ = [*list(entered)[list(entered).index(each) :], each]
                    raise refused(
                        {origins[name]: f"its files import each other in a circle: {' → '.join(round_[:10])}"}
                    )
            stack.extend(waits)
            if not waits:
                ordered[name] = files[name]
    return list(ordered.values())
