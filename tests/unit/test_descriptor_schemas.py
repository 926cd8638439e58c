"""Which schemas can be used, and what is wrong with a value in words that give nothing away."""

import json
from typing import Any

import pytest

from croupier.descriptors import FaultyDescriptor, SchemaFault, compile_schema, read_descriptor
from croupier.errors import InvalidArgument

BAN = {
    "type": "object",
    "properties": {
        "player_id": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "minimum": 1},
        "reason": {"enum": ["cheat", "abuse"]},
        "secret": {"type": "string", "format": "password", "writeOnly": True, "maxLength": 3},
        "at": {"type": "string", "format": "time"},
    },
    "required": ["player_id"],
    "additionalProperties": False,
}


def faults(schema: Any, value: Any) -> list[SchemaFault]:
    return compile_schema(schema).faults(value)


def said(schema: Any, value: Any) -> dict[str, str]:
    return {fault.path: fault.message.en for fault in faults(schema, value)}


def test_a_value_that_fits_has_no_faults() -> None:
    assert not faults(BAN, {"player_id": "p", "days": 3, "reason": "cheat", "at": "08:00:00Z"})


def test_every_fault_of_a_value_is_told_at_its_field() -> None:
    assert said(BAN, {"days": 0, "reason": "x", "more": 1, "at": "08:00"}) == {
        "/player_id": "is missing",
        "/days": "must be at least 1",
        "/reason": "must be one of cheat, abuse",
        "/more": "is not a field of it",
        "/at": "must be a time with seconds and a zone, such as 08:00:00Z",
    }


def test_a_fault_is_told_in_two_languages_with_its_keyword() -> None:
    (fault,) = faults(BAN, {"player_id": ""})
    assert fault.document() == {
        "path": "/player_id",
        "keyword": "minLength",
        "message": {"en": "needs at least 1 character", "zh": "至少 1 个字符"},
    }


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": ["integer", "null"]}, "x", "must be null or a whole number"),
        ({"const": {"a": 1}}, 3, 'must be {"a":1}'),
        ({"maximum": 3}, 4, "must be at most 3"),
        ({"exclusiveMinimum": 3}, 3, "must be more than 3"),
        ({"exclusiveMaximum": 3}, 3, "must be less than 3"),
        ({"multipleOf": 5}, 3, "must be a multiple of 5"),
        ({"maxLength": 2}, "abc", "has more than 2 characters"),
        ({"minItems": 1}, [], "needs at least 1 item"),
        ({"maxItems": 1}, [1, 2], "has more than 1 item"),
        ({"minProperties": 2}, {}, "needs at least 2 fields"),
        ({"maxProperties": 0}, {"a": 1}, "has more than 0 fields"),
        ({"uniqueItems": True}, [1, 1], "holds the same item twice"),
        ({"contains": {"type": "null"}}, [1], "lacks an item that it needs"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "has a field whose name is not allowed"),
        ({"not": {"const": 3}}, 3, "is what is not allowed here"),
        ({"pattern": "^z$"}, "a", "does not match the pattern ^z$"),
        ({"format": "email"}, "x", "must be an e-mail address"),
        ({"format": "uri-template"}, "{", "must be a valid uri-template"),
        ({"anyOf": [{"type": "null"}, {"type": "array"}]}, 3, "fits none of the alternatives"),
        ({"oneOf": [{}, {}]}, 3, "must fit exactly one of the alternatives"),
        ({"properties": {"a": False}}, {"a": 1}, "is not allowed here"),
        ({"additionalProperties": False}, {"a": 1, "b": 2}, "may have no fields"),
        ({"unevaluatedItems": False}, [1], "has items that are not allowed"),
    ],
)
def test_keywords_have_sentences_of_their_own(schema: Any, value: Any, message: str) -> None:
    (fault,) = faults(schema, value)
    assert fault.message.en == message
    assert fault.message.zh


def test_of_alternatives_with_a_mark_the_one_that_was_meant_is_told() -> None:
    schema = {
        "oneOf": [
            {"properties": {"kind": {"const": "item"}, "count": {"type": "integer"}}, "required": ["kind", "count"]},
            {"properties": {"kind": {"const": "gold"}, "amount": {"type": "integer"}}, "required": ["kind", "amount"]},
        ]
    }
    assert said(schema, {"kind": "gold", "amount": "x"}) == {"/amount": "must be a whole number"}
    assert said(schema, {"kind": "item"}) == {"/count": "is missing"}
    assert said(schema, {"kind": "none"}) == {"": "must fit exactly one of the alternatives"}


@pytest.mark.parametrize("field", [{"type": "integer"}, {"maxLength": 3}, {"pattern": "^z"}, {"enum": ["a"]}, {"const": 1},
    {"format": "email"}, {"not": {}}, {"anyOf": [{"type": "null"}]}, {"uniqueItems": True, "type": "null"}, False,
    {"contentEncoding": "base64", "type": "array"}])  # fmt: skip
def test_no_fault_repeats_a_value(field: Any) -> None:
    found = faults({"properties": {"password": field}}, {"password": "hunter2-hunter2"})
    assert found
    assert "hunter2" not in repr(found)


def test_faults_are_bounded() -> None:
    schema = {"properties": {f"p{n}": {"type": "integer"} for n in range(50)}}
    assert len(faults(schema, {f"p{n}": "x" for n in range(50)})) == 10
    assert len(faults(BAN, {f"p{n}": "x" for n in range(50)})) == 10
    (fault,) = faults({"enum": ["x" * 10_000]}, 1)
    assert len(fault.message.en) < 300


@pytest.mark.parametrize(
    ("schema", "path", "why"),
    [
        ({"type": "nothing"}, "$.params.type", "must be string, integer"),
        ({"minLength": -1}, "$.params.minLength", "must be at least 0"),
        ({"properties": {"a": 3}}, "$.params.properties.a", "must be true or false or an object"),
        ({"$ref": "http://elsewhere.example/schema"}, "$.params['$ref']", "leads out of this document"),
        ({"$ref": "file:///etc/passwd"}, "$.params['$ref']", "leads out of this document"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "$.params['$ref']", "leads out of this document"),
        ({"$ref": "#/nowhere"}, "$.params['$ref']", "leads to nothing"),
        ({"$ref": "#nowhere"}, "$.params['$ref']", "leads to nothing"),
        ({"$ref": "#/required/0", "required": ["a"]}, "$.params['$ref']", "leads to nothing"),
        ({"$dynamicRef": "#a"}, "$.params['$dynamicRef']", "decided while checking"),
        ({"$defs": {"a": {"$dynamicAnchor": "a"}}}, "$.params['$defs'].a['$dynamicAnchor']", "decided while checking"),
        ({"$ref": "#"}, "$.params", "never end"),
        ({"allOf": [{"anyOf": [{"$ref": "#"}]}]}, "$.params", "never end"),
        ({"pattern": "("}, "$.params.pattern", "cannot run"),
        ({"pattern": "(?=a)"}, "$.params.pattern", "cannot run"),
        ({"pattern": r"(a)\1"}, "$.params.pattern", "cannot run"),
        ({"pattern": "a{1000}{1000}"}, "$.params.pattern", "cannot run"),
        ({"pattern": "a" * 5_000}, "$.params.pattern", "at most 4096"),
        ({"patternProperties": {"(": {}}}, "$.params.patternProperties['(']", "cannot run"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_fault_of_its_descriptor(schema: Any, path: str, why: str) -> None:
    with pytest.raises(FaultyDescriptor) as caught:
        read_descriptor(json.dumps({"id": "f", "params": schema}).encode(), "f.json")
    found = {fault.path: fault.message.en for fault in caught.value.faults}
    assert why in found[path]
    with pytest.raises(InvalidArgument, match="not a usable JSON Schema"):
        compile_schema(schema)


def test_references_that_lead_each_to_the_next_and_back_never_end() -> None:
    circle = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    with pytest.raises(InvalidArgument, match="never end"):
        compile_schema(circle)


def test_references_that_multiply_are_refused() -> None:
    doubling: dict[str, Any] = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
    with pytest.raises(InvalidArgument, match="more than 10000 times"):
        compile_schema({"$defs": {**doubling, "a40": {}}, "$ref": "#/$defs/a0"})


def test_a_long_chain_of_references_is_followed_without_recursion() -> None:
    chain: dict[str, Any] = {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(3_000)}
    with pytest.raises(InvalidArgument, match="never end"):
        compile_schema({"$defs": {**chain, "a3000": {"$ref": "#/$defs/a0"}}})


@pytest.mark.parametrize(
    "schema",
    [
        {
            "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "integer"}}}},
            "$ref": "#/$defs/n",
        },
        {"properties": {"next": {"$ref": "#"}, "v": {"type": "integer"}}},
        {"$anchor": "n", "properties": {"next": {"$ref": "#n"}, "v": {"type": "integer"}}},
        {"$id": "https://a.example/n", "properties": {"next": {"$ref": "n"}, "v": {"type": "integer"}}},
        {"properties": {"next": {"$ref": "#/x/n"}}, "x": {"n": {"properties": {"v": {"type": "integer"}}}}},
    ],
)
def test_a_schema_that_refers_to_itself_through_data_ends(schema: Any) -> None:
    tree = compile_schema(schema)
    assert tree.is_valid({"next": {"v": 2}})
    assert not tree.is_valid({"next": {"v": "2"}})


def test_what_looks_like_a_keyword_but_is_data_is_left_alone() -> None:
    compile_schema(
        {"properties": {"$ref": {"type": "string"}, "pattern": {}}, "const": {"$ref": "nowhere", "pattern": "("}}
    )


def test_a_pattern_that_would_backtrack_for_ever_ends() -> None:
    evil = compile_schema({"pattern": "^(a+)+$"})
    assert not evil.is_valid("a" * 100_000 + "b")


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(300):
        schema = {"properties": {"a": schema}}
    with pytest.raises(InvalidArgument, match="not a usable JSON Schema"):
        compile_schema(schema)


def test_text_is_counted_in_code_points() -> None:
    assert compile_schema({"maxLength": 1}).is_valid("😀")


TREE = {
    "oneOf": [
        {"properties": {"op": {"const": "not"}, "of": {"$ref": "#"}}, "required": ["op", "of"]},
        {"properties": {"op": {"const": "same"}, "of": {"$ref": "#"}}, "required": ["op", "of"]},
        {"properties": {"op": {"const": "leaf"}, "v": {"type": "integer"}}, "required": ["op", "v"]},
    ]
}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"op": "leaf", "v": "x"}
    for _ in range(levels):
        value = {"op": "not", "of": value}
    return value


def test_a_tree_of_alternatives_is_told_where_it_is_wrong_as_long_as_that_can_be_waited_for() -> None:
    assert said(TREE, nested(3)) == {"/of/of/of/v": "must be a whole number"}
    (fault,) = faults(TREE, nested(60))
    assert (fault.path, fault.keyword) == ("", "$ref")
    assert "nested too deep to say where" in fault.message.en


def test_alternatives_that_multiply_without_coming_back_are_bounded_too() -> None:
    links: dict[str, Any] = {
        f"a{n}": {
            "oneOf": [{"properties": {"n": {"$ref": f"#/$defs/a{n + 1}"}}, "required": [f"x{way}"]} for way in (1, 2)]
        }
        for n in range(40)
    }
    value: dict[str, Any] = {}
    for _ in range(40):
        value = {"n": value}
    (fault,) = faults({"$defs": {**links, "a40": {}}, "$ref": "#/$defs/a0"}, value)
    assert "nested too deep" in fault.message.en


def test_a_list_that_refers_to_itself_in_one_way_is_told_at_any_depth() -> None:
    value: dict[str, Any] = {"v": "x"}
    for _ in range(60):
        value = {"next": value}
    chain = {"properties": {"next": {"$ref": "#"}, "v": {"type": "integer"}}}
    assert said(chain, value) == {"/next" * 60 + "/v": "must be a whole number"}
