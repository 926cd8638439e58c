"""protoc-gen-croupier: from an annotated .proto to a pack, or to everything that is wrong with it."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from tests.protoc import compiled

from croupier.descriptors import FunctionDescriptor, read_descriptor
from croupier.packs.tar import read_archive
from croupier.protogen.main import include_folder
from croupier.protogen.plugin import Response, respond
from croupier.transcoding import TypeRegistry

ARENA = Path(__file__).parents[2] / "examples" / "protobuf" / "arena.proto"


def asked(parameter: str = "", **sources: str) -> bytes:
    """The request that protoc makes for these files."""
    files = FileDescriptorSet.FromString(compiled(**sources)).file
    request = plugin_pb2.CodeGeneratorRequest(
        file_to_generate=[f"{name}.proto" for name in sources], parameter=parameter, proto_file=files
    )
    return request.SerializeToString()


def generated(request: bytes) -> dict[str, bytes]:
    """The files by name. protoc takes their content for text, whatever it is; only this reads it as bytes."""
    answer = Response()
    answer.ParseFromString(respond(request))
    assert not answer.error, answer.error
    return {file.name: file.content for file in answer.file}


def refused(**sources: str) -> list[str]:
    return plugin_pb2.CodeGeneratorResponse.FromString(respond(asked(**sources))).error.splitlines()


@pytest.fixture(scope="module")
def pack() -> dict[str, bytes]:
    return generated(asked(arena=ARENA.read_text()))


def parsed(pack: dict[str, bytes], name: str) -> Any:
    return json.loads(pack[name])


def service(method: str, rest: str = "", *, request: str = "string id = 1;") -> str:
    """A .proto with one annotated method, for what is wrong with it; the method stands in line 6."""
    return f"""syntax = "proto3";
package bad;
import "croupier_wire/options/v1/options.proto";
service S {{

  {method}
}}
message Req {{ {request} }}
message Res {{}}
{rest}
"""


def test_a_pack_has_descriptions_forms_types_and_a_manifest(pack: dict[str, bytes]) -> None:
    assert sorted(pack) == [
        "descriptors/arena.ban.json",
        "descriptors/arena.find.json",
        "descriptors/player.send_gift.json",
        "manifest.json",
        "types.pb",
        "ui/arena.ban.uischema.json",
    ]
    assert parsed(pack, "manifest.json") == {
        "id": "arena.v1",
        "version": "1.0.0",
        "functions": [
            {"id": "arena.ban", "version": "1.2.0", "category": "player"},
            {"id": "arena.find", "version": "1.0.0", "category": "arena"},
            {"id": "player.send_gift", "version": "1.0.0", "category": "player"},
        ],
        "web_plugins": [],
    }


def test_a_description_says_what_the_options_and_comments_say(pack: dict[str, bytes]) -> None:
    description = parsed(pack, "descriptors/arena.ban.json")
    del description["params"], description["response"]

    assert description == {
        "id": "arena.ban",
        "version": "1.2.0",
        "type": "function",
        "category": "player",
        "risk": "high",
        "display_name": {"en": "Ban a player", "zh": "封禁玩家"},
        "summary": {"en": "Keep a player out of the arena."},
        "description": {"en": "Keep a player out of the arena. The player is told why."},
        "tags": ["player"],
        "menu": {"section": "GM", "group": "Players", "order": 10},
        "auth": {"risk": "high"},
        "permissions": {
            "verbs": ["invoke"],
            "scopes": ["game"],
            "defaults": [{"role": "gm", "verbs": ["invoke"]}],
        },
        "semantics": {"timeout": "10s", "idempotency_key": True},
        "transport": {
            "proto": {
                "request_fqn": "arena.v1.BanRequest",
                "response_fqn": "arena.v1.BanResponse",
                "encoding": "pb-json",
            }
        },
        "outputs": {"views": [{"id": "json", "type": "json", "renderer": "json.view"}]},
    }


def test_a_form_says_what_the_fields_say(pack: dict[str, bytes]) -> None:
    assert parsed(pack, "ui/arena.ban.uischema.json") == {
        "fields": {
            "player_id": {"label": "Player", "placeholder": "p-1001"},
            "kind": {"widget": "select", "enum_map": {"BAN_KIND_FOREVER": "For ever"}},
            "lasts": {
                "show_if": "$.kind == 'BAN_KIND_TEMPORARY'",
                "required_if": "$.kind == 'BAN_KIND_TEMPORARY'",
            },
            "reason": {"widget": "textarea"},
            "evidence": {"sensitive": True},
        }
    }


def test_the_schema_of_the_arguments_describes_every_field(pack: dict[str, bytes]) -> None:
    assert parsed(pack, "descriptors/arena.ban.json")["params"] == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "player_id": {"type": "string", "description": "Who is banned."},
            "kind": {
                "type": "string",
                "enum": ["BAN_KIND_UNSPECIFIED", "BAN_KIND_FOREVER", "BAN_KIND_TEMPORARY"],
                "x-enum-labels": {"BAN_KIND_FOREVER": "For ever", "BAN_KIND_TEMPORARY": "For a while"},
            },
            "lasts": {
                "type": "string",
                "pattern": "^-?[0-9]+([.][0-9]{1,9})?s$",
                "description": "How long, as in 3600s.",
            },
            "reason": {"type": "string"},
            "evidence": {"type": "string", "description": "What the player said in private.", "writeOnly": True},
        },
        "additionalProperties": False,
    }


def test_a_stream_of_answers_is_a_job_and_a_query_says_so(pack: dict[str, bytes]) -> None:
    assert parsed(pack, "descriptors/player.send_gift.json")["semantics"] == {"returns": "job"}
    assert parsed(pack, "descriptors/arena.find.json")["semantics"] == {"mode": "query"}


def test_messages_in_messages_and_those_that_hold_themselves_are_definitions(pack: dict[str, bytes]) -> None:
    schema = parsed(pack, "descriptors/arena.find.json")["response"]["json_schema"]

    assert sorted(schema["$defs"]) == ["arena.v1.Item", "arena.v1.Player"]
    assert schema["properties"]["friends"] == {
        "type": "array",
        "items": {"$ref": "#/$defs/arena.v1.Player"},
        "description": "Friends, who have friends.",
    }
    assert schema["properties"]["guild"] == {"type": ["string", "null"]}
    assert schema["properties"]["scores"]["additionalProperties"]["maximum"] == 2**31 - 1


EVERYTHING = """
syntax = "proto3";
package all;
import "croupier_wire/options/v1/options.proto";
import "google/protobuf/any.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
service S { rpc Do(Req) returns (google.protobuf.Empty) { option (croupier.options.v1.function) = { function_id: "all.do" }; } }
message Req {
  int32 i32 = 1; sint64 i64 = 2; fixed32 u32 = 3; uint64 u64 = 4; float single = 5; double twice = 6; bool flag = 7; bytes raw = 8;
  google.protobuf.Timestamp at = 9; google.protobuf.FieldMask mask = 10; google.protobuf.Struct free = 11;
  google.protobuf.Value any_value = 12; google.protobuf.ListValue list = 13; google.protobuf.Any packed = 14;
  google.protobuf.Int64Value w64 = 15; google.protobuf.BoolValue wflag = 16; google.protobuf.NullValue none = 17;
  map<int32, Inner> by_number = 18; map<bool, string> by_flag = 19; repeated Kind kinds = 20; optional string maybe = 21;
  oneof one { string a = 22; Inner b = 23; } oneof two { string c = 24; string d = 25; }
  string old = 26 [deprecated = true];
  message Inner { Kind kind = 1; Req back = 2; }
  enum Kind { NONE = 0; SOME = 1; }
}
"""


@pytest.fixture(scope="module")
def everything() -> dict[str, bytes]:
    return generated(asked(all=EVERYTHING))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"i32": -5, "i64": "-9223372036854775808", "u32": 1, "u64": 18446744073709551615, "single": 1.5, "twice": 2},
        {"i64": 5, "flag": True, "raw": "AA==", "at": "2025-01-31T12:00:00Z", "mask": "a,b"},
        {"free": {"x": [1]}, "any_value": None, "list": [1, "x"], "packed": {"@type": "x/all.Req", "i32": 1}},
        {"w64": "5", "wflag": None, "none": None, "by_number": {"-7": {"kind": "SOME"}}, "by_flag": {"true": "x"}},
        {"kinds": ["SOME", "NONE"], "maybe": "", "a": "x", "c": "y", "by_number": {"1": {"back": {"b": {}}}}},
    ],
)
def test_what_the_schema_takes_the_codec_takes(value: dict[str, Any], everything: dict[str, bytes]) -> None:
    schema = parsed(everything, "descriptors/all.do.json")["params"]
    codec = TypeRegistry.build({"types.pb": everything["types.pb"]}).codec("all.Req", "all.Req")

    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(value)
    answer = json.loads(codec.decode(codec.encode(json.dumps(value).encode())))

    if "packed" not in value:
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(answer)


@pytest.mark.parametrize(
    "value",
    [
        {"i32": 2**31},
        {"i64": "x"},
        {"i64": 2**63},
        {"u64": "-1"},
        {"flag": 1},
        {"kinds": ["OTHER"]},
        {"a": "x", "b": {}},
        {"by_number": {"x": {}}},
        {"by_flag": {"yes": "x"}},
        {"packed": {}},
        {"at": "tomorrow"},
        {"unknown": 1},
        {"anyValue": 1},
        {"by_number": {"1": {"back": {"i32": "x"}}}},
    ],
)
def test_what_the_schema_refuses_is_no_such_message_or_not_in_its_one_spelling(
    value: dict[str, Any], everything: dict[str, bytes]
) -> None:
    schema = parsed(everything, "descriptors/all.do.json")["params"]

    assert not jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(value)


def test_what_is_generated_is_read_as_a_description_with_its_schema(everything: dict[str, bytes]) -> None:
    described = read_descriptor(everything["descriptors/all.do.json"], "all.do.json")

    assert isinstance(described, FunctionDescriptor)
    assert described.transport.proto is not None
    assert described.transport.proto.request_fqn == "all.Req"
    assert described.result == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
    }


def test_the_same_input_gives_the_same_bytes(pack: dict[str, bytes]) -> None:
    assert generated(asked(arena=ARENA.read_text())) == pack
    archives = [generated(asked("archive=arena.tgz", arena=ARENA.read_text()))["arena.tgz"] for _ in range(2)]
    assert archives[0] == archives[1]
    assert read_archive(archives[0]) == pack


def test_name_and_version_of_the_pack_may_be_chosen() -> None:
    pack = generated(asked("name=arena,version=3.1.4", arena=ARENA.read_text()))

    assert parsed(pack, "manifest.json")["id"] == "arena"
    assert parsed(pack, "manifest.json")["version"] == "3.1.4"


@pytest.mark.parametrize(
    ("parameter", "says"),
    [
        ("nmae=x", "the parameter 'nmae' is not known"),
        ("archive", "the parameter 'archive' is not known, or has no value"),
        ("archive=../x.tgz", "archive=: write the name of a .tgz, without a folder"),
        ("archive=x.zip", "archive=: write the name of a .tgz"),
        ("name=a/b", "name=: 1 to 64 letters"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(parameter: str, says: str) -> None:
    answer = plugin_pb2.CodeGeneratorResponse.FromString(respond(asked(parameter, arena=ARENA.read_text())))

    assert says in answer.error


OPTION = "option (croupier.options.v1.function)"


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ('rpc A(Req) returns (Res) { %s = { function_id: "a b" }; }', "bad.proto:6: function_id must be 1 to 128"),
        ('rpc A(Req) returns (Res) { %s = { function_id: "../x" }; }', "bad.proto:6: function_id must be 1 to 128"),
        ('rpc A(Req) returns (Res) { %s = { risk: "terrible" }; }', "bad.proto:6: s.a: $.risk"),
        ('rpc A(Req) returns (Res) { %s = { timeout: "soon" }; }', "bad.proto:6: s.a: $.semantics.timeout"),
        ('rpc A(Req) returns (Res) { %s = { mode: "sing" }; }', "bad.proto:6: s.a: $.semantics.mode"),
        ("rpc A(stream Req) returns (Res) { %s = {}; }", "bad.proto:6: A takes a stream"),
        ("rpc A(Req) returns (Res);", "bad.proto: no method here has the option"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(method: str, says: str) -> None:
    (told,) = refused(bad=service(method.replace("%s", OPTION)))

    assert told.startswith(says)


def test_two_functions_of_one_name_are_refused_and_all_faults_are_told() -> None:
    methods = f"""rpc A(Req) returns (Res) {{ {OPTION} = {{ function_id: "x.y" }}; }}
  rpc B(Req) returns (Res) {{ {OPTION} = {{ function_id: "X.y" }}; }}
  rpc C(Req) returns (Res) {{ {OPTION} = {{ risk: "terrible" }}; }}"""

    told = refused(bad=service(methods))

    assert told[0] == "bad.proto:7: function_id X.y is taken by bad.S.A (bad.proto:6): choose another"
    assert told[1].startswith("bad.proto:8: s.c: $.risk")
    assert len(told) == 2


def test_a_condition_that_cannot_be_read_is_told_at_its_field() -> None:
    rest = 'message In {\n  string a = 1 [(croupier.options.v1.ui) = { show_if: "$.b ==" }];\n}'
    told = refused(bad=service(f"rpc A(Req) returns (Res) {{ {OPTION} = {{}}; }}", rest, request="In in = 1;"))

    assert len(told) == 1
    assert told[0].startswith("bad.proto:11: show_if: ")


def test_what_is_no_request_is_refused() -> None:
    assert "no CodeGeneratorRequest" in plugin_pb2.CodeGeneratorResponse.FromString(respond(b"\xff")).error


def test_a_form_follows_messages_in_messages_and_stops_where_they_hold_themselves() -> None:
    request = "repeated Tree trees = 1;"
    rest = 'message Tree { string name = 1 [(croupier.options.v1.ui) = { label: "Name" }]; Tree left = 2; Tree right = 3; }'
    pack = generated(asked(bad=service(f"rpc A(Req) returns (Res) {{ {OPTION} = {{}}; }}", rest, request=request)))

    assert parsed(pack, "ui/s.a.uischema.json") == {"fields": {"trees": {"fields": {"name": {"label": "Name"}}}}}


def test_our_options_are_found_where_it_says() -> None:
    assert (include_folder() / "croupier_wire" / "options" / "v1" / "options.proto").is_file()
