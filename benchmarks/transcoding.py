"""What protobuf costs on the path of a call: a message of about 100 bytes, both ways, beside protobuf's own JSON mapping.

    python benchmarks/transcoding.py [--json-bytes 5000000]

It also takes a large payload both ways, says how long it takes and how much memory it took at its peak, and how long the
largest set of types takes to build.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from croupier.transcoding import TypeRegistry
from croupier.transcoding.files import TYPES

F = FieldDescriptorProto
ROUNDS, CALLS = 30, 500

SMALL = {
    "player_id": "p-100200300",
    "reason": "botting in the arena, seen by two others",
    "days": 7,
    "amount": "12345678901",
    "silent": True,
    "tags": ["repeat", "ranked"],
}


def ban() -> FileDescriptorProto:
    fields = [
        F(
            name=name,
            number=number,
            type=kind,
            label=F.LABEL_REPEATED if name in {"tags", "numbers"} else F.LABEL_OPTIONAL,
        )
        for number, (name, kind) in enumerate(
            [
                ("player_id", F.TYPE_STRING),
                ("reason", F.TYPE_STRING),
                ("days", F.TYPE_INT32),
                ("amount", F.TYPE_INT64),
                ("silent", F.TYPE_BOOL),
                ("tags", F.TYPE_STRING),
                ("numbers", F.TYPE_INT32),
            ],
            1,
        )
    ]
    return FileDescriptorProto(
        name="ban.proto", package="game", syntax="proto3", message_type=[DescriptorProto(name="Ban", field=fields)]
    )


def microseconds(work: Callable[[], object]) -> float:
    """Of the fastest round, which nobody else on the machine disturbed."""

    def once() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            work()
        return (time.perf_counter() - began) / CALLS * 1e6

    return min(once() for _ in range(ROUNDS))


def small(file: FileDescriptorProto) -> None:
    codec = TypeRegistry.build({"ban.pb": FileDescriptorSet(file=[file]).SerializeToString()}).codec(
        "game.Ban", "game.Ban"
    )
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    message = GetMessageClass(pool.FindMessageTypeByName("game.Ban"))
    text = json.dumps(SMALL).encode()
    encoded = codec.encode(text)
    print(f"a message of {len(encoded)} bytes, {len(text)} as JSON")
    ours = microseconds(lambda: codec.encode(text)), microseconds(lambda: codec.decode(encoded))
    theirs = (
        microseconds(lambda: json_format.Parse(text, message(), descriptor_pool=pool).SerializeToString()),
        microseconds(lambda: json_format.MessageToJson(message.FromString(encoded), indent=None, descriptor_pool=pool)),
    )
    print(f"  encode {ours[0]:6.1f} µs   (json_format {theirs[0]:6.1f} µs)")
    print(f"  decode {ours[1]:6.1f} µs   (json_format {theirs[1]:6.1f} µs)")


def large(file: FileDescriptorProto, size: int) -> None:
    codec = TypeRegistry.build({"ban.pb": FileDescriptorSet(file=[file]).SerializeToString()}).codec(
        "game.Ban", "game.Ban"
    )
    text = b'{"numbers":[' + b"1," * ((size - 20) // 2) + b"1]}"
    began = time.perf_counter()
    encoded = codec.encode(text)
    between = time.perf_counter()
    codec.decode(encoded)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{len(text)} bytes of numbers: encode {between - began:.2f} s, decode {ended - between:.2f} s, peak {peak} MB"
    )


def many() -> None:
    messages = [
        DescriptorProto(name=f"M{number}", field=[F(name="a", number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)])
        for number in range(TYPES)
    ]
    file = FileDescriptorProto(name="many.proto", syntax="proto3", message_type=messages)
    content = FileDescriptorSet(file=[file]).SerializeToString()
    began = time.perf_counter()
    TypeRegistry.build({"many.pb": content})
    print(f"{TYPES} types ({len(content)} bytes) built in {time.perf_counter() - began:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json-bytes", type=int, default=5_000_000)
    chosen = parser.parse_args()
    file = ban()
    small(file)
    large(file, chosen.json_bytes)
    many()


if __name__ == "__main__":
    main()
