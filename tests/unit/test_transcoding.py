"""JSON ↔ protobuf by the names of the types: what fits goes both ways, what does not is named by its path."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as some
from tests.protoc import compiled

from croupier.errors import CroupierError, HandlerFailed, InvalidArgument, NotFound, PayloadTooLarge
from croupier.transcoding import Codec, TypeRegistry

TYPES = """
syntax = "proto3";
package game.v1;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

enum Rank { RANK_UNKNOWN = 0; GOLD = 2; SILVER = 1; }
message Item { string item_id = 1; int32 count = 2; }
message Everything {
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; sint64 s64 = 6;
  fixed32 f32 = 7; fixed64 f64 = 8; sfixed32 sf32 = 9; sfixed64 sf64 = 10;
  float single = 11; double twice = 12; bool flag = 13; string text = 14; bytes raw = 15; Rank rank = 16;
  Item item = 17; repeated Item items = 18; repeated int64 numbers = 19; repeated Rank ranks = 20;
  map<string, int32> by_name = 21; map<int64, Item> by_number = 22; map<bool, string> by_flag = 23;
  oneof target { string player_id = 24; int64 guild_id = 25; Item gift = 26; }
  optional int32 maybe = 27;
  google.protobuf.Timestamp at = 28; google.protobuf.Duration lasts = 29; google.protobuf.FieldMask mask = 30;
  google.protobuf.Struct extra = 31; google.protobuf.Value anything = 32; google.protobuf.ListValue list = 33;
  google.protobuf.Empty nothing = 34; google.protobuf.Any packed = 35;
  google.protobuf.Int64Value w64 = 36; google.protobuf.StringValue wtext = 37; google.protobuf.BytesValue wraw = 38;
  google.protobuf.BoolValue wflag = 39; google.protobuf.DoubleValue wtwice = 40;
  Everything again = 41; string from = 42; string Clear = 43; google.protobuf.NullValue none = 44;
  repeated google.protobuf.Value values = 45; repeated google.protobuf.Timestamp times = 46;
}
message Other { string unrelated = 100; }
message Bare {}
"""


@pytest.fixture(scope="module")
def types() -> bytes:
    return compiled(game=TYPES)


@pytest.fixture(scope="module")
def codec(types: bytes) -> Codec:
    return TypeRegistry.build({"types.pb": types}).codec("game.v1.Everything", ".game.v1.Everything")


@pytest.fixture(scope="module")
def message_class(types: bytes) -> type[Any]:
    """The same type in a pool of protobuf's own, to hold our answers against its."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(types).file:
        pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("game.v1.Everything"))


def encoded(codec: Codec, value: object) -> bytes:
    return codec.encode(json.dumps(value).encode())


def decoded(codec: Codec, answer: bytes) -> Any:
    return json.loads(codec.decode(answer))


FITTING = [
    {},
    {"i32": -(2**31), "u32": 2**32 - 1, "s32": 5, "f32": 7, "sf32": -7},
    {"i64": str(-(2**63)), "u64": str(2**64 - 1), "s64": "12", "f64": "7", "sf64": "-1"},
    {"single": 0.1, "twice": 1e300},
    {"single": "NaN", "twice": "-Infinity"},
    {"flag": True, "text": "幸运 \u0000 ✨", "raw": "AP8=", "rank": "GOLD"},
    {"rank": 77},
    {"item": {}},
    {"item": {"item_id": "sword", "count": 3}, "items": [{}, {"count": 1}]},
    {"numbers": ["1", "-2"], "ranks": ["SILVER", "GOLD", 9]},
    {"by_name": {"b": 1, "a": 2}, "by_number": {"-7": {"count": 1}, "7": {}}, "by_flag": {"true": "x", "false": "y"}},
    {"player_id": ""},
    {"guild_id": "0"},
    {"gift": {"count": 2}},
    {"maybe": 0},
    {"at": "2025-01-31T12:00:00.500Z", "lasts": "1.500s", "mask": "itemId,gift.count"},
    {"extra": {"a": [1.5, None, {"b": True}], "c": "d"}, "anything": None, "list": [None, [], {}]},
    {"anything": {"x": [1.0]}, "nothing": {}, "values": [None, 1.0, "x"], "times": ["2025-01-31T12:00:00Z"]},
    {"packed": {"@type": "type.googleapis.com/game.v1.Item", "item_id": "sword", "count": 1}},
    {"packed": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "3s"}},
    {"packed": {"@type": "type.googleapis.com/google.protobuf.Any", "value": {"@type": "x/game.v1.Bare"}}},
    {"w64": "0", "wtext": "", "wraw": "", "wflag": False, "wtwice": 1.25},
    {"again": {"again": {"again": {"text": "deep"}}}},
    {"from": "a keyword", "Clear": "a method", "none": None},
]


@pytest.mark.parametrize("value", FITTING, ids=lambda value: ",".join(value) or "nothing")
def test_what_protobufs_own_json_takes_becomes_the_same_message_and_comes_back(
    value: dict[str, Any], codec: Codec, message_class: type[Any]
) -> None:
    message = encoded(codec, value)

    pool = message_class.DESCRIPTOR.file.pool
    expected = json_format.ParseDict(json.loads(json.dumps(value)), message_class(), descriptor_pool=pool)
    assert message_class.FromString(message) == expected
    answer = decoded(codec, message)
    shown = json_format.MessageToDict(
        expected, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, descriptor_pool=pool
    )
    assert answer.items() >= {name: shown[name] for name in value}.items()
    if "packed" not in value:
        assert answer == shown


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ({"byName": {"a": 1}, "playerId": "p"}, {"by_name": {"a": 1}, "player_id": "p"}),
        ({"i64": 7, "u64": 2**64 - 1, "numbers": [1, "2"]}, {"i64": "7", "u64": str(2**64 - 1), "numbers": ["1", "2"]}),
        ({"i32": 5.0, "i64": 1e3, "rank": 2, "ranks": [1]}, {"i32": 5, "i64": "1000", "rank": "GOLD", "ranks": ["SILVER"]}),
        ({"i32": "5", "twice": "1.5e3"}, {"i32": 5, "twice": 1500.0}),
        ({"raw": "-_8"}, {"raw": "+/8="}),
        ({"i32": None, "item": None, "items": None, "by_name": None, "w64": None, "player_id": None, "guild_id": 1}, {"guild_id": "1"}),
        ({"at": "2025-01-31T13:00:00+01:00"}, {"at": "2025-01-31T12:00:00Z"}),
    ],
)  # fmt: skip
def test_every_spelling_of_a_value_is_taken(spelled: dict[str, Any], meant: dict[str, Any], codec: Codec) -> None:
    assert encoded(codec, spelled) == encoded(codec, meant)


@pytest.mark.parametrize(
    ("value", "path", "says"),
    [
        ([], "", "must be an object"),
        ({"unheard_of": 1}, "/unheard_of", "is not a field of game.v1.Everything, which has: i32, i64"),
        ({"item": {"id": 1}}, "/item/id", "is not a field of game.v1.Item, which has: item_id, count"),
        ({"items": [{}, {"count": "many"}]}, "/items/1/count", "must be a whole number from -2147483648 to 2147483647"),
        ({"i32": 2**31}, "/i32", "must be a whole number"),
        ({"i32": True}, "/i32", "must be a whole number"),
        ({"i32": 1.5}, "/i32", "must be a whole number"),
        ({"i64": "1e3"}, "/i64", "must be a whole number"),
        ({"u64": -1}, "/u64", "must be a whole number"),
        ({"u64": "9" * 5000}, "/u64", "must be a whole number"),
        ({"single": 1e39}, "/single", "32 bits"),
        ({"twice": "1e999"}, "/twice", "must be a number"),
        ({"twice": " 1"}, "/twice", "must be a number"),
        ({"flag": "true"}, "/flag", "must be true or false"),
        ({"flag": 1}, "/flag", "must be true or false"),
        ({"text": 5}, "/text", "must be a text"),
        ({"raw": "no base64!"}, "/raw", "must be base64"),
        ({"rank": "PLATINUM"}, "/rank", "must be one of RANK_UNKNOWN, GOLD, SILVER"),
        ({"rank": 2**31}, "/rank", "must be one of"),
        ({"ranks": "GOLD"}, "/ranks", "must be a list"),
        ({"numbers": [None]}, "/numbers/0", "must be a whole number"),
        ({"items": [None]}, "/items/0", "must be an object"),
        ({"by_name": [1]}, "/by_name", "must be an object"),
        ({"by_name": {"a/b~": "x"}}, "/by_name/a~1b~0", "must be a whole number"),
        ({"by_number": {"07": {}}}, "/by_number/07", "must be a whole number"),
        ({"by_flag": {"True": "x"}}, "/by_flag/True", "must be named true or false"),
        ({"player_id": "p", "guild_id": 1}, "/guild_id", "excludes the other fields of target"),
        ({"player_id": "p", "playerId": "q"}, "/playerId", "is given twice, as player_id too"),
        ({"at": "tomorrow"}, "/at", "must be a time like"),
        ({"at": "9999999-01-01T00:00:00Z"}, "/at", "must be a time like"),
        ({"lasts": 5}, "/lasts", "must be a duration"),
        ({"nothing": 0}, "/nothing", "must be {}"),
        ({"extra": {"a": {"b": []}}, "list": {}}, "/list", "must be a list"),
        ({"packed": {"@type": "x/game.v1.Unknown"}}, "/packed/@type", "is not the name of a message that the pack knows"),
        ({"packed": {"item_id": "x"}}, "/packed", "@type"),
        ({"packed": {"@type": "x/game.v1.Item", "count": "x"}}, "/packed/count", "must be a whole number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_its_path(value: object, path: str, says: str, codec: Codec) -> None:
    with pytest.raises(InvalidArgument) as refused:
        encoded(codec, value)

    assert says in refused.value.details[path]
    assert "game.v1.Everything" in refused.value.message


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ({"playerId": "p"}, {"player_id": "p"}),
        ({"byName": {"playerId": 1}}, {"by_name": {"playerId": 1}}),
        ({"items": [{"itemId": "a"}, {"item_id": "b"}]}, {"items": [{"item_id": "a"}, {"item_id": "b"}]}),
        ({"byNumber": {"7": {"itemId": "a"}}}, {"by_number": {"7": {"item_id": "a"}}}),
        ({"again": {"again": {"wText": "x", "wtext": "y"}}}, {"again": {"again": {"wText": "x", "wtext": "y"}}}),
        ({"packed": {"@type": "x/game.v1.Item", "itemId": "a"}}, {"packed": {"@type": "x/game.v1.Item", "item_id": "a"}}),
        ({"extra": {"playerId": 1}, "anything": {"itemId": 1}}, {"extra": {"playerId": 1}, "anything": {"itemId": 1}}),
        ({"playerId": "p", "player_id": "q"}, {"playerId": "p", "player_id": "q"}),
        ({"item": [{"itemId": 1}], "items": {"itemId": 1}}, {"item": [{"itemId": 1}], "items": {"itemId": 1}}),
    ],
)  # fmt: skip
def test_fields_are_put_under_their_names_in_the_proto(given: object, spelled: object, codec: Codec) -> None:
    assert json.loads(codec.respelled(json.dumps(given).encode())) == spelled


def test_a_name_in_escapes_is_found_too(types: bytes) -> None:
    codec = TypeRegistry.build({"types.pb": types}).codec("game.v1.Item", "")

    assert codec.respelled(rb'{"item\u0049d": "a"}') == b'{"item_id":"a"}'


@pytest.mark.parametrize("payload", [b'{ "item_id": "a" }', b"", b"{", b"\xff", b'{"itemId"', b"[[]]", b"null"])
def test_what_is_spelled_so_already_or_is_no_json_stays_as_it_is(payload: bytes, types: bytes) -> None:
    codec = TypeRegistry.build({"types.pb": types}).codec("game.v1.Item", "")

    assert codec.respelled(payload) is payload


def test_an_error_never_shows_a_value(codec: Codec) -> None:
    for value in ({"i32": "hunter2"}, {"rank": "hunter2"}, {"raw": "hunter2!"}, {"at": "hunter2"}, {"flag": "hunter2"}):
        with pytest.raises(InvalidArgument) as refused:
            encoded(codec, value)
        assert "hunter2" not in refused.value.message


def test_no_payload_at_all_is_an_empty_message(codec: Codec) -> None:
    assert codec.encode(b"") == b""


def test_the_same_json_always_gives_the_same_bytes(codec: Codec) -> None:
    names = [f"n{number}" for number in range(50)]
    one = {"by_name": dict.fromkeys(names, 1)}
    other = {"by_name": dict.fromkeys(reversed(names), 1)}

    assert encoded(codec, one) == encoded(codec, other)


def test_zero_and_false_are_answered_too_and_what_is_not_set_is_not(types: bytes) -> None:
    codec = TypeRegistry.build({"types.pb": types}).codec("game.v1.Item", "game.v1.Item")

    assert codec.decode(b"") == b'{"item_id":"","count":0}'


def test_what_is_nested_too_deeply_is_refused_both_ways(codec: Codec) -> None:
    value: dict[str, Any] = {}
    message = b""
    for _ in range(70):
        value = {"again": value}
        length = len(message)
        message = (
            b"\xca\x02" + (bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])) + message
        )

    with pytest.raises(InvalidArgument, match="nested deeper than 64 levels"):
        encoded(codec, value)
    with pytest.raises(HandlerFailed, match="nested deeper than 64 levels"):
        codec.decode(message)


@pytest.mark.parametrize("kind", ["extra", "anything", "list"])
def test_free_json_that_is_nested_too_deeply_is_refused(kind: str, codec: Codec) -> None:
    open_, close = ('{"a":', "}") if kind == "extra" else ("[", "]")
    payload = f'{{"{kind}":{open_ * 60}{"1" if kind == "extra" else ""}{close * 60}}}'.encode()

    with pytest.raises(InvalidArgument, match="nested"):
        codec.encode(payload)


@pytest.mark.parametrize(
    "answer",
    [b'{"ok":true}', b"\xff\xff\xff", b"\x08", b"\x72\x05ab", b"\x72\x02\xff\xfe", b"null", b'"fine"', b"123456789"],
    ids=["an object", "rubbish", "cut short", "a short text", "no UTF-8", "null", "a text", "unknown fields only"],
)
def test_an_answer_that_is_no_such_message_is_never_a_success(answer: bytes, codec: Codec) -> None:
    with pytest.raises(HandlerFailed) as failed:
        codec.decode(answer)

    assert "not a game.v1.Everything" in failed.value.message
    assert "may have acted" in failed.value.message


def test_a_field_of_a_newer_game_server_is_left_out(types: bytes) -> None:
    codec = TypeRegistry.build({"types.pb": types}).codec("", "game.v1.Item")

    assert codec.decode(b"\x10\x05" + b"\x98\x06\x01") == b'{"item_id":"","count":5}'


def test_a_side_without_a_type_is_left_as_it_is(types: bytes) -> None:
    codec = TypeRegistry.build({"types.pb": types}).codec("", "")

    assert codec.encode(b"\x00\x01") == b"\x00\x01"
    assert codec.decode(b"\x00\x01") == b"\x00\x01"


def test_a_type_may_be_a_well_known_one() -> None:
    codec = TypeRegistry.build({}).codec("google.protobuf.Struct", "google.protobuf.Int64Value")

    assert codec.decode(b"\x08\x05") == b'"5"'
    assert codec.encode(b'{"a":1}') != b""


def test_a_small_answer_cannot_fill_the_memory(types: bytes) -> None:
    """Ten megabytes of two-byte items would be hundreds of megabytes of JSON."""
    codec = TypeRegistry.build({"types.pb": types}).codec("", "game.v1.Everything")

    with pytest.raises(PayloadTooLarge, match="larger than 10000000 bytes as JSON"):
        codec.decode(b"\x92\x01\x00" * 3_000_000)


def test_a_payload_beyond_the_limits_is_refused(codec: Codec) -> None:
    with pytest.raises(PayloadTooLarge):
        codec.encode(b'{"text":"' + b"x" * 10_000_000 + b'"}')
    with pytest.raises(PayloadTooLarge):
        codec.encode(b'{"items":[' + b"{}," * 1_000_001 + b"{}]}")
    with pytest.raises(PayloadTooLarge):
        codec.decode(b"\x72" + b"\x00" * 10_000_000)


@pytest.mark.parametrize("payload", [b"{", b"\xff", b'{"text":"\\ud800"}', b"[" * 100_000, b'{"i32":NaN}'])
def test_what_is_no_json_is_refused(payload: bytes, codec: Codec) -> None:
    with pytest.raises(InvalidArgument, match="not JSON"):
        codec.encode(payload)


def test_a_field_that_must_be_there_is_asked_for() -> None:
    source = 'syntax = "proto2"; package old; message Ban { required string player_id = 1; }'
    codec = TypeRegistry.build({"old.pb": compiled(old=source)}).codec("old.Ban", "old.Ban")

    with pytest.raises(InvalidArgument, match="lacks player_id"):
        codec.encode(b"{}")
    with pytest.raises(HandlerFailed):
        codec.decode(b"")


def test_a_closed_enum_takes_only_its_own_values() -> None:
    source = (
        'syntax = "proto2"; package old; enum Rank { A = 1; } message Ban { optional Rank rank = 1 [default = A]; }'
    )
    codec = TypeRegistry.build({"old.pb": compiled(old=source)}).codec("old.Ban", "old.Ban")

    assert codec.encode(b'{"rank":1}') == b"\x08\x01"
    with pytest.raises(InvalidArgument, match="must be one of A"):
        codec.encode(b'{"rank":2}')


def test_an_unknown_type_is_named(types: bytes) -> None:
    with pytest.raises(NotFound, match=r"game\.v1\.Nothing"):
        TypeRegistry.build({"types.pb": types}).codec("game.v1.Nothing", "")


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=some.data())
def test_any_values_in_its_fields_become_the_message_that_protobuf_makes_of_them_or_are_refused(
    data: some.DataObject, codec: Codec, message_class: type[Any]
) -> None:
    """Where protobuf's own JSON takes more than ours (or less), ours must be an error and nothing else."""
    names = some.sampled_from(sorted(message_class.DESCRIPTOR.fields_by_name))
    value = data.draw(some.dictionaries(names, JSON, max_size=3))
    if value.get("values", 0) is None:  # over which protobuf's own stumbles
        del value["values"]
    try:
        message = encoded(codec, value)
    except InvalidArgument:
        return
    expected = json_format.ParseDict(value, message_class(), descriptor_pool=message_class.DESCRIPTOR.file.pool)
    assert message_class.FromString(message) == expected


@given(data=some.data())
def test_a_damaged_answer_is_json_or_an_error_of_ours(data: some.DataObject, codec: Codec) -> None:
    message = bytearray(encoded(codec, data.draw(some.sampled_from(FITTING))))
    for at in data.draw(some.lists(some.integers(0, max(0, len(message) - 1)), max_size=4)):
        if message:
            message[at] = data.draw(some.integers(0, 255))
    del message[data.draw(some.integers(0, len(message))) :]
    try:
        answer = codec.decode(bytes(message))
    except CroupierError:
        return
    json.loads(answer)
