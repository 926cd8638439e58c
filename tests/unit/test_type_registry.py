"""What a pack's FileDescriptorSets may be: bounded, whole, and apart from those of other packs."""

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as some
from tests.protoc import compiled

from croupier.errors import CroupierError, InvalidArgument
from croupier.transcoding import TypeRegistry
from croupier.transcoding.files import SETS_BYTES, TYPES

BAN = 'syntax = "proto3"; package game; message Ban { string player_id = 1; }'
LATER_BAN = 'syntax = "proto3"; package game; message Ban { int64 player = 1; }'


def a_set(*files: FileDescriptorProto) -> bytes:
    return FileDescriptorSet(file=files).SerializeToString()


def a_file(name: str, *imports: str, package: str = "", messages: tuple[str, ...] = ()) -> FileDescriptorProto:
    return FileDescriptorProto(
        name=name,
        package=package,
        syntax="proto3",
        dependency=imports,
        message_type=[DescriptorProto(name=message) for message in messages],
    )


def test_a_pack_may_have_no_set_or_an_empty_one() -> None:
    assert TypeRegistry.build({}).codec("google.protobuf.Empty", "")
    assert TypeRegistry.build({"empty.pb": b""}).codec("google.protobuf.Timestamp", "")


def test_files_may_come_in_any_order_and_from_several_sets() -> None:
    first = a_set(a_file("a.proto", "b.proto", package="a", messages=("A",)))
    second = a_set(a_file("b.proto", "c.proto"), a_file("c.proto", package="c", messages=("C",)))

    assert TypeRegistry.build({"1.pb": first, "2.pb": second}).codec("a.A", "c.C")


def test_two_sets_may_carry_the_same_file() -> None:
    shared = a_file("shared.proto", package="s", messages=("S",))
    sets = {"1.pb": a_set(shared, a_file("a.proto", "shared.proto")), "2.pb": a_set(shared)}

    assert TypeRegistry.build(sets).codec("s.S", "s.S")


def test_two_sets_that_define_a_file_differently_are_refused() -> None:
    sets = {
        "1.pb": a_set(a_file("shared.proto", messages=("S",))),
        "2.pb": a_set(a_file("shared.proto", messages=("T",))),
    }

    with pytest.raises(InvalidArgument) as refused:
        TypeRegistry.build(sets)

    assert "shared.proto in another way than 1.pb" in refused.value.details["2.pb"]


def test_well_known_types_are_the_runtimes_own_whatever_a_set_says() -> None:
    fake = FileDescriptorProto(name="google/protobuf/timestamp.proto", package="google.protobuf", syntax="proto3")
    fake.message_type.add(name="Timestamp").field.add(name="text", number=1, type=9, label=1)

    codec = TypeRegistry.build({"fake.pb": a_set(fake)}).codec("google.protobuf.Timestamp", "")

    assert codec.encode(b'"1970-01-01T00:00:05Z"') == b"\x08\x05"


def test_a_type_with_the_name_of_a_well_known_one_is_refused() -> None:
    fake = a_file("mine.proto", package="google.protobuf", messages=("Timestamp",))

    with pytest.raises(InvalidArgument, match=r"fake\.pb: mine\.proto cannot be used: .*Timestamp"):
        TypeRegistry.build({"fake.pb": a_set(fake)})


def test_two_packs_may_know_one_name_in_two_ways() -> None:
    one = TypeRegistry.build({"types.pb": compiled(game=BAN)}).codec("game.Ban", "game.Ban")
    other = TypeRegistry.build({"types.pb": compiled(game=LATER_BAN)}).codec("game.Ban", "game.Ban")

    assert one.encode(b'{"player_id":"p"}') == b"\x0a\x01p"
    assert other.encode(b'{"player":7}') == b"\x08\x07"


def test_one_type_in_two_files_of_a_pack_is_refused() -> None:
    twice = a_set(a_file("a.proto", package="g", messages=("Ban",)), a_file("b.proto", package="g", messages=("Ban",)))

    with pytest.raises(InvalidArgument, match=r"types\.pb: b\.proto cannot be used: duplicate symbol 'g\.Ban'"):
        TypeRegistry.build({"types.pb": twice})


def test_a_missing_import_is_named_and_how_to_get_it() -> None:
    with pytest.raises(InvalidArgument) as refused:
        TypeRegistry.build({"types.pb": a_set(a_file("a.proto", "common/money.proto"))})

    assert refused.value.details["types.pb"] == (
        "a.proto imports common/money.proto, which is in no set: build it with protoc --include_imports"
    )


def test_files_that_import_each_other_in_a_circle_are_refused() -> None:
    circle = a_set(a_file("a.proto", "b.proto"), a_file("b.proto", "c.proto"), a_file("c.proto", "b.proto"))

    with pytest.raises(InvalidArgument, match=r"in a circle: b\.proto → c\.proto → b\.proto"):
        TypeRegistry.build({"types.pb": circle})


def test_a_file_that_imports_itself_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"in a circle: a\.proto → a\.proto"):
        TypeRegistry.build({"types.pb": a_set(a_file("a.proto", "a.proto"))})


def test_a_long_chain_of_imports_is_no_circle() -> None:
    files = [a_file(f"{number}.proto", f"{number + 1}.proto") for number in range(2_000)]

    assert TypeRegistry.build({"types.pb": a_set(*files, a_file("2000.proto", messages=("M",)))}).codec("M", "M")


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_a_set_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(InvalidArgument, match=r"cut\.pb: it is no FileDescriptorSet, or is cut short"):
        TypeRegistry.build({"cut.pb": compiled(game=BAN)[:-cut]})


@pytest.mark.parametrize("content", [b'syntax = "proto3";', b"\x1f\x8b\x08", b"{}", b"\x00" * 100])
def test_what_is_no_set_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidArgument, match=r"x\.pb: it is no FileDescriptorSet"):
        TypeRegistry.build({"x.pb": content})


def test_every_set_at_fault_is_named() -> None:
    with pytest.raises(InvalidArgument) as refused:
        TypeRegistry.build({"1.pb": b"\x00", "good.pb": compiled(game=BAN), "2.pb": b"\x00"})

    assert set(refused.value.details) == {"1.pb", "2.pb"}


def test_a_hundred_thousand_messages_are_refused() -> None:
    names = tuple(f"M{number}" for number in range(100_000))

    with pytest.raises(InvalidArgument, match=f"more than {TYPES} messages and enums"):
        TypeRegistry.build({"huge.pb": a_set(a_file("huge.proto", messages=names))})


def test_messages_in_messages_count_too() -> None:
    file = a_file("huge.proto", messages=("Outer",))
    for number in range(TYPES):
        file.message_type[0].nested_type.add(name=f"M{number}")

    with pytest.raises(InvalidArgument, match="messages and enums"):
        TypeRegistry.build({"huge.pb": a_set(file)})


def test_a_huge_set_is_refused_unread() -> None:
    with pytest.raises(InvalidArgument, match=f"more than {SETS_BYTES} bytes"):
        TypeRegistry.build({"huge.pb": b"\x00" * (SETS_BYTES + 1)})


def damaged(change: bytes, into: bytes) -> bytes:
    content = compiled(
        game='syntax = "proto3"; package game; message Ban { map<string, int32> by_name = 1; string player_id = 2; }'
    )
    assert content.count(change) >= 1
    return content.replace(change, into)


@pytest.mark.parametrize(
    ("change", "into", "says"),
    [
        (b"playerId", b"player\xff\xfe", "a field whose name is no text"),
        (b"player_id", b"player\xff\xfed", "a field whose name is no text"),
        (b"game.proto", b"game.\xff\xfeoto", "a file without a name, or with one that is no text"),
        (b"\x0a\x03key", b"\x0a\x03kez", "a map whose entries are no key and value"),
    ],
    ids=["the JSON name", "the name", "the file", "a map"],
)
def test_what_protoc_would_never_write_is_refused(change: bytes, into: bytes, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        TypeRegistry.build({"types.pb": damaged(change, into)})


def test_an_import_that_is_no_text_is_refused() -> None:
    content = a_set(a_file("a.proto", "b.proto"), a_file("b.proto")).replace(b"\x1a\x07b.proto", b"\x1a\x07\xff.proto")

    with pytest.raises(InvalidArgument, match="imports something whose name is no text"):
        TypeRegistry.build({"types.pb": content})


@given(data=some.data())
def test_a_damaged_set_is_refused_or_its_codecs_raise_nothing_but_errors_of_ours(data: some.DataObject) -> None:
    content = bytearray(
        compiled(game=BAN + " message Kick { Ban ban = 1; map<string, Ban> more = 2; oneof x { int32 a = 3; } }")
    )
    for _ in range(data.draw(some.integers(1, 6))):
        at = data.draw(some.integers(0, len(content) - 1))
        content[at : at + data.draw(some.integers(0, 3))] = data.draw(some.binary(max_size=3))
    try:
        codec = TypeRegistry.build({"types.pb": bytes(content)}).codec("game.Kick", "game.Kick")
        codec.decode(codec.encode(codec.respelled(b'{"ban":{"playerId":"p"},"more":{"a":{}},"a":1}')))
    except CroupierError:
        pass


def test_two_fields_with_one_name_in_json_are_refused() -> None:
    file = a_file("a.proto", package="g", messages=("M",))
    file.syntax = "proto2"  # which protoc itself would let pass
    for number, name in enumerate(("playerId", "player_id"), 1):
        file.message_type[0].field.add(name=name, number=number, type=9, label=1)

    with pytest.raises(InvalidArgument, match="duplicate json_name"):
        TypeRegistry.build({"types.pb": a_set(file)})


def test_types_that_hold_themselves_through_others_are_read_and_written() -> None:
    source = """
    syntax = "proto3"; package g;
    message Guild { string name = 1; repeated Player members = 2; }
    message Player { string id = 1; Guild guild = 2; map<string, Guild> others = 3; }
    """
    codec = TypeRegistry.build({"types.pb": compiled(g=source)}).codec("g.Guild", "g.Guild")

    message = codec.encode(b'{"members":[{"guild":{"name":"x"},"others":{"a":{"members":[{}]}}}]}')

    assert b'"guild":{"name":"x","members":[]}' in codec.decode(message)
