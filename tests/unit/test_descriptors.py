"""What is said of functions and objects, in every spelling of the wild."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.descriptors import (
    Descriptor,
    EntityDescriptor,
    Fault,
    FaultyDescriptor,
    FunctionDescriptor,
    compile_schema,
    read_descriptor,
)

PROM_QUERY = {
    "id": "prom.query",
    "version": "1.0.0",
    "category": "prom",
    "risk": "low",
    "auth": {"permission": "prom.query"},
    "params": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"expr": {"type": "string"}, "time": {"type": "string", "format": "date-time"}},
        "required": ["expr"],
    },
    "semantics": {"mode": "query", "route": "lb", "timeout": "30s"},
    "outputs": {
        "views": [
            {"id": "json", "type": "json", "renderer": "json.view"},
            {"id": "table", "type": "table", "renderer": "table.basic", "show_if": "$.data.result", "transform": {}},
        ]
    },
}


SPELLINGS: list[tuple[Any, str, Any]] = [
    ({}, "auth.permission", "function:player.ban"),
    ({"auth": {"permission": "player:ban"}}, "auth.permission", "player:ban"),
    ({"auth": {"permission": "player.ban"}}, "auth.permission", "player:ban"),
    ({"auth": {"permission": "function:player.ban"}}, "auth.permission", "function:player.ban"),
    ({"auth": []}, "auth.permission", "function:player.ban"),
    ({"risk": "HIGH"}, "risk", "high"),
    ({"risk": "critical"}, "risk", "high"),
    ({"risk": {"level": "medium"}}, "risk", "medium"),
    ({"auth": {"risk": "high"}}, "risk", "high"),
    ({"auth": {"risk": {"level": "high", "requires_mfa": True}}}, "auth.risk.requires_mfa", True),
    ({"risk": "low", "auth": {"risk": "high"}}, "risk", "high"),
    ({"auth": {"two_person_rule": True}}, "needs_approval", True),
    ({"auth": {"two_person_rule": False}}, "needs_approval", False),
    ({"auth": {"two_person_rule": {"approvers": 2}}}, "auth.two_person_rule.threshold", 2),
    ({"auth": {"two_person_rule": {"approvers": ["lead"], "expiry_time": "24h"}}}, "needs_approval", True),
    ({"auth": {"two_person_rule": {"required": False, "threshold": 2}}}, "needs_approval", False),
    ({"semantics": {"approval_required": True}}, "needs_approval", True),
    ({"semantics": {"timeout": "500ms"}}, "semantics.timeout", 0.5),
    ({"semantics": {"timeout": "2m"}}, "semantics.timeout", 120.0),
    ({"semantics": {"timeout": 7}}, "semantics.timeout", 7.0),
    ({"semantics": {"timeout": ""}}, "semantics.timeout", None),
    ({"semantics": None}, "semantics.mode", "command"),
    ({"semantics": {"rate_limit": "5rps"}}, "semantics.rate_limit.value", 5.0),
    ({"semantics": {"rate_limit": "100/s"}}, "semantics.rate_limit.value", 100.0),
    ({"semantics": {"rate_limit": "10/m"}}, "semantics.rate_limit.window", 60.0),
    ({"semantics": {"rate_limit": "10/min"}}, "semantics.rate_limit.window", 60.0),
    ({"semantics": {"rate_limit": {"value": 3, "window": "10s"}}}, "semantics.rate_limit.window", 10.0),
    ({"semantics": {"concurrency": 0}}, "semantics.concurrency", None),
    ({"semantics": {"dry_run": "preview"}}, "semantics.dry_run", "preview"),
    ({"routing": {"hash_key": "player_id"}}, "hash_path", '$["player_id"]'),
    ({"routing": {"hash_key": "$.p.id"}}, "hash_path", "$.p.id"),
    ({"routing": {"jsonpath": "$.a", "hash_key": "b"}}, "hash_path", "$.a"),
    ({"request": {"json_schema": {"type": "object"}}}, "params", {"type": "object"}),
    ({"response": {"json_schema": {"type": "array"}}}, "result", {"type": "array"}),
    ({"request": {"proto_fqn": ".game.v1.Ban"}}, "transport.proto.request_fqn", "game.v1.Ban"),
    ({"transport": {"proto": {"request_fqn": "a.B"}}}, "transport.proto.encoding", "pb-json"),
    ({"outputs": {"layout": "grid"}}, "outputs.layout.type", "grid"),
    ({"ui": {"ui:fields": {"a": {}}}}, "ui.fields", {"a": {}}),
    ({"ui": {"fields": {"a": {}}}}, "ui.fields", {"a": {}}),
    ({"ui": {"ui:layout": {"type": "grid", "cols": 2}}}, "ui.layout.cols", 2),
    ({"display_name": "Ban"}, "display_name", {"en": "Ban"}),
    ({"display_name": {"zh-CN": "封禁", "en_US": "Ban"}}, "display_name", {"zh": "封禁", "en": "Ban"}),
    ({"tags": "a, b"}, "tags", ("a", "b")),
    ({"labels": {"tier": 1, "hot": True}}, "labels", {"tier": "1", "hot": "true"}),
    ({"entity": {"type": "player", "key": "player_id"}}, "entity_key", "player_id"),
    ({"undo": "player.unban"}, "inverse.function", "player.unban"),
    ({"menu": {"section": "gm", "order": 3}}, "menu.order", 3),
    ({"permissions": {"verbs": ["invoke"], "defaults": [{"role": "gm"}]}}, "permissions.verbs", ("invoke",)),
]
OPERATIONS: list[Any] = [
    {"ban": "player.ban"},
    {"ban": ["player.ban"]},
    {"ban": {"function": "player.ban"}},
    {"ban": [{"function_id": "player.ban"}]},
    [{"op": "ban", "function": "player.ban"}],
    [{"op": "ban"}],
    ["ban"],
]


def read(value: Any) -> Descriptor:
    return read_descriptor(json.dumps(value).encode(), "f.json")


def function(**said: Any) -> FunctionDescriptor:
    found = read({"id": "player.ban", **said})
    assert isinstance(found, FunctionDescriptor)
    return found


def entity(**said: Any) -> EntityDescriptor:
    found = read({"id": "player", "type": "entity", **said})
    assert isinstance(found, EntityDescriptor)
    return found


def read_or_faults(value: Any) -> tuple[Descriptor | None, tuple[Fault, ...]]:
    try:
        return read(value), ()
    except FaultyDescriptor as error:
        return None, error.faults


def faults(value: Any) -> dict[str, str]:
    """By path, in English."""
    with pytest.raises(FaultyDescriptor) as caught:
        read(value)
    return {fault.path: fault.message.en for fault in caught.value.faults}


def test_the_descriptor_of_the_seed_is_read() -> None:
    found = read(PROM_QUERY)
    assert isinstance(found, FunctionDescriptor)
    assert found.auth.permission == "prom:query"
    assert [view.renderer for view in found.outputs.views] == ["json.view", "table.view"]
    called = found.function()
    assert (called.id, called.mode, called.timeout, called.schema) == (
        "prom.query",
        "query",
        30.0,
        PROM_QUERY["params"],
    )
    assert found.original == PROM_QUERY


@pytest.mark.parametrize(("said", "path", "value"), SPELLINGS)
def test_a_function_is_read_in_every_spelling(said: Any, path: str, value: Any) -> None:
    found: Any = function(**said)
    for name in path.split("."):
        found = getattr(found, name)
    assert found == value


@pytest.mark.parametrize("operations", OPERATIONS)
def test_an_operation_is_read_in_every_spelling(operations: Any) -> None:
    (operation,) = entity(operations=operations).operations["ban"]
    assert operation.function == "player.ban"


def test_an_entity_is_read() -> None:
    found = entity(
        title={"zh": "玩家"},
        schema={"type": "object"},
        operations={"list": ["player.list", {"function": "player.find", "label": "Find", "danger": True}]},
        relationships={"guild": {"type": "belongs_to", "entity": "guild", "foreign_key": "guild_id"}},
        ui={"columns": ["id"]},
    )
    assert [(each.function, each.danger) for each in found.operations["list"]] == [
        ("player.list", False),
        ("player.find", True),
    ]
    assert found.relationships["guild"].foreign_key == "guild_id"
    assert found.object_schema == {"type": "object"}


def test_what_nobody_knows_is_kept() -> None:
    found = function(_comment="why", x={"y": [1]}, semantics={"retries": 3})
    document = found.document()
    assert (document["_comment"], document["x"], document["semantics"]["retries"]) == ("why", {"y": [1]}, 3)


@pytest.mark.parametrize("nothing", [None, False, "", [], {}])
def test_a_function_that_says_nothing_of_access_needs_its_own_permission(nothing: Any) -> None:
    assert function(auth=nothing).auth.permission == "function:player.ban"


def test_a_view_that_says_nothing_has_a_name_too() -> None:
    found = function(outputs=[None, False, "", [], {}, "table"])
    assert [view.id for view in found.outputs.views] == ["view1", "view2", "view3", "view4", "view5", "table6"]
    assert read(found.document()) == found


def test_every_fault_of_a_file_is_told_at_once_where_its_writer_finds_it() -> None:
    found = faults(
        {
            "version": 1,
            "auth": {"risk": {"level": "awful"}},
            "semantics": {"timeout": "soon", "rate_limit": "fast", "mode": "maybe"},
            "request": {"json_schema": {"properties": {"a": {"type": "nothing", "minLength": -1}}}},
            "outputs": {"views": [{"options": 3}]},
        }
    )
    assert set(found) == {
        "$.id",
        "$.version",
        "$.auth.risk.level",
        "$.semantics.timeout",
        "$.semantics.rate_limit",
        "$.semantics.mode",
        "$.outputs.views[0].options",
        "$.request.json_schema.properties.a.minLength",
        "$.request.json_schema.properties.a.type",
    }
    assert "needs an id" in found["$.id"]


def test_a_fault_names_its_file_in_two_languages() -> None:
    with pytest.raises(FaultyDescriptor, match=r"f.json: \$.id: every description needs an id") as caught:
        read({})
    assert caught.value.faults[0].document() == {
        "file": "f.json",
        "path": "$.id",
        "message": {
            "en": "every description needs an id, such as player.ban",
            "zh": "每个描述都需要 id，如 player.ban",
        },
    }


@pytest.mark.parametrize("value", [[], "x", 7, None, True])
def test_a_description_is_an_object(value: Any) -> None:
    assert faults(value) == {"$": "a description is a JSON object"}


@pytest.mark.parametrize("said", [said for said, _, _ in SPELLINGS])
def test_what_was_read_is_read_again_from_its_document(said: Any) -> None:
    first = function(**said)
    second = read(first.document())
    assert second == first
    assert second.document() == first.document()


@pytest.mark.parametrize("operations", OPERATIONS)
def test_an_entity_is_read_again_from_its_document(operations: Any) -> None:
    first = entity(operations=operations, relationships={"guild": "guild"}, title="Player")
    assert read(first.document()) == first


def test_a_field_that_says_nothing_gives_way_to_its_other_spelling() -> None:
    assert function(display_name={}, title="Ban").display_name == {"en": "Ban"}
    assert function(params={}, input_schema={"type": "object"}).params == {"type": "object"}


def test_a_field_counts_before_its_other_spelling() -> None:
    found = function(display_name="Ban", title="Old name")
    assert found.display_name == {"en": "Ban"}
    assert "title" not in found.document()
    assert found.original["title"] == "Old name"


PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "descriptor.schema.json"


def test_the_published_schema_takes_every_spelling() -> None:
    published = compile_schema(json.loads(PUBLISHED.read_text()))
    functions = [{"id": "player.ban", **said} for said, _, _ in SPELLINGS if [] not in said.values()]
    entities = [{"id": "player", "type": "entity", "operations": operations} for operations in OPERATIONS]
    for written in [PROM_QUERY, *functions, *entities]:
        given = {name: part for name, part in written.items() if part is not None and part != {"timeout": ""}}
        assert not published.faults(given), given
        assert not published.faults(read(written).document())


def test_the_published_schema_names_the_field_at_fault() -> None:
    published = compile_schema(json.loads(PUBLISHED.read_text()))
    assert [fault.path for fault in published.faults({"id": "a", "semantics": {"route": "far"}})] == [
        "/semantics/route"
    ]
    assert [fault.path for fault in published.faults({"type": "entity"})] == ["/id"]


# ------------------------------------------------------------------------------------------- whatever comes

_scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8)
)
_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
_known = st.sampled_from(
    sorted({*FunctionDescriptor.model_fields, *EntityDescriptor.model_fields, "schema", "request"})
)
_spelled = st.sampled_from([said for said, _, _ in SPELLINGS])


@given(st.dictionaries(_known, _json, max_size=5), _spelled, _spelled)
def test_a_description_is_read_and_stays_the_same_or_is_refused_with_faults(odd: Any, one: Any, other: Any) -> None:
    written = {"id": "f", **one, **other, **odd}
    first, told = read_or_faults(written)
    if first is None:
        assert told
        assert all(fault.message.en and fault.message.zh for fault in told)
        return
    assert first.original == written
    second = read(first.document())
    assert second == first
    assert second.document() == first.document()


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    with pytest.raises(FaultyDescriptor):
        read_descriptor(raw, "f.json")
