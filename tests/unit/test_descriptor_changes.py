"""Which changes of a description break whoever calls the function."""

import json
from typing import Any

import pytest

from croupier.descriptors import Comparison, compare, read_descriptor

OBJECT = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]}


def compared(old: Any, new: Any, **both: Any) -> Comparison:
    first, second = (read_descriptor(json.dumps({"id": "f", **both, **said}).encode(), "f.json") for said in (old, new))
    return compare(first, second)


def breaking(found: Comparison) -> dict[str, str]:
    return {change.path: change.what for change in found.changes if change.breaking}


def test_two_spellings_of_one_description_are_the_same() -> None:
    found = compared(
        {"auth": {"permission": "a.b"}, "semantics": {"timeout": "30s"}, "params": OBJECT},
        {"auth": {"permission": "a:b"}, "semantics": {"timeout": 30}, "request": {"json_schema": OBJECT}},
    )
    assert (found.verdict, found.changes) == ("same", ())


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ({}, {"id": "g"}, "$.id", "changed"),
        ({}, {"type": "entity"}, "$.type", "changed"),
        ({}, {"enabled": False}, "$.enabled", "changed"),
        ({}, {"risk": "high"}, "$.risk", "changed"),
        ({}, {"auth": {"permission": "x"}}, "$.auth.permission", "changed"),
        ({}, {"auth": {"allow_if": "has_role('a')"}}, "$.auth.allow_if", "changed"),
        ({}, {"auth": {"two_person_rule": True}}, "$.auth.two_person_rule", "changed"),
        ({}, {"semantics": {"approval_required": True}}, "$.auth.two_person_rule", "changed"),
        (
            {"auth": {"two_person_rule": {"threshold": 1}}},
            {"auth": {"two_person_rule": {"threshold": 2}}},
            "$.auth.two_person_rule",
            "changed",
        ),
        ({}, {"auth": {"risk": {"level": "low", "requires_mfa": True}}}, "$.auth.risk.requires_mfa", "changed"),
        ({}, {"auth": {"require": ["vpn"]}}, "$.auth.require", "changed"),
        ({"semantics": {"mode": "query"}}, {}, "$.semantics.mode", "changed"),
        ({}, {"semantics": {"returns": "job"}}, "$.semantics.returns", "changed"),
        ({}, {"semantics": {"route": "broadcast"}}, "$.semantics.route", "changed"),
        ({"semantics": {"idempotent": True}}, {}, "$.semantics.idempotent", "changed"),
        ({"semantics": {"dry_run": True}}, {}, "$.semantics.dry_run", "changed"),
        ({}, {"request": {"proto_fqn": "a.B"}}, "$.transport", "changed"),
    ],
)
def test_what_asks_more_of_callers_or_does_something_else_is_breaking(old: Any, new: Any, path: str, what: str) -> None:
    found = compared(old, new)
    assert found.verdict == "breaking"
    assert breaking(found)[path] == what


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ({"version": "1"}, {"version": "2"}, "$.version"),
        ({"risk": "high"}, {}, "$.risk"),
        ({"enabled": False}, {}, "$.enabled"),
        ({"auth": {"two_person_rule": True}}, {}, "$.auth.two_person_rule"),
        ({}, {"semantics": {"mode": "query"}}, "$.semantics.mode"),
        ({}, {"semantics": {"timeout": "1s"}}, "$.semantics.timeout"),
        ({}, {"semantics": {"rate_limit": "1/s"}}, "$.semantics.rate_limit"),
        ({}, {"semantics": {"cacheable": True}}, "$.semantics.cacheable"),
        ({}, {"semantics": {"retries": 3}}, "$.semantics.retries"),
        ({}, {"auth": {"risk": {"level": "low", "time_window": "9-18"}}}, "$.auth.risk"),
        ({}, {"summary": "x"}, "$.summary"),
        ({}, {"ui": {"fields": {"a": {}}}}, "$.ui"),
        ({}, {"unheard": 1}, "$.unheard"),
        ({}, {"routing": {"hash_key": "a"}}, "$.routing"),
        ({}, {"result": OBJECT}, "$.result"),
    ],
)
def test_what_nobody_fails_by_is_compatible(old: Any, new: Any, path: str) -> None:
    found = compared(old, new)
    assert found.verdict == "compatible"
    assert [change.path for change in found.changes] == [path]


A = "$.params.properties.a"


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ({}, {"required": ["a"]}, A, "narrowed"),
        ({"properties": {"a": {}}}, {"additionalProperties": False}, A, "removed"),
        ({}, {"additionalProperties": False}, "$.params.additionalProperties", "narrowed"),
        ({}, {"type": "object"}, "$.params.type", "narrowed"),
        ({"type": "number"}, {"type": "integer"}, "$.params.type", "narrowed"),
        ({"type": "string"}, {"type": "integer"}, "$.params.type", "changed"),
        ({"enum": [1, 2]}, {"enum": [1]}, "$.params.enum", "narrowed"),
        ({"const": 1}, {"const": True}, "$.params.const", "changed"),
        ({}, {"enum": [1]}, "$.params.enum", "narrowed"),
        ({"minimum": 1}, {"minimum": 2}, "$.params.minimum", "narrowed"),
        ({"maxLength": 9}, {"maxLength": 8}, "$.params.maxLength", "narrowed"),
        ({}, {"maxItems": 3}, "$.params.maxItems", "narrowed"),
        ({"pattern": "a"}, {"pattern": "b"}, "$.params.pattern", "changed"),
        ({}, {"format": "date"}, "$.params.format", "narrowed"),
        ({"items": {}}, {"items": {"type": "string"}}, "$.params.items.type", "narrowed"),
        ({"anyOf": [{}, {"type": "null"}]}, {"anyOf": [{}]}, "$.params.anyOf", "narrowed"),
        ({"allOf": [{}]}, {"allOf": [{}, {"type": "null"}]}, "$.params.allOf", "narrowed"),
        ({"not": {"const": 1}}, {"not": {"const": 2}}, "$.params.not", "changed"),
        ({"properties": {"a": True}}, {"properties": {"a": False}}, A, "narrowed"),
        (
            {"$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
            {"$defs": {"x": {"type": "string", "maxLength": 3}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
            A + ".maxLength",
            "narrowed",
        ),
    ],
)
def test_arguments_that_were_taken_and_are_not_any_more_break(old: Any, new: Any, path: str, what: str) -> None:
    found = compared({"params": old}, {"params": new})
    assert found.verdict == "breaking"
    assert breaking(found)[path] == what
    back = compared({"params": new}, {"params": old})
    assert (back.verdict == "breaking") == (what == "changed")


def test_results_break_the_other_way_round() -> None:
    narrow, wide = {"result": {"enum": [1]}}, {"result": {"enum": [1, 2]}}
    assert compared(wide, narrow).verdict == "compatible"
    assert compared(narrow, wide).verdict == "breaking"
    empty = {"result": {"type": "object"}}
    assert compared(empty, {"result": {"type": "object", "properties": {"a": {}}}}).verdict == "compatible"
    assert compared({"result": {"type": "object", "properties": {"a": {}}}}, empty).verdict == "breaking"


def test_a_reference_and_what_it_leads_to_are_the_same() -> None:
    inline = {"properties": {"a": {"type": "string"}}}
    referring = {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}}
    assert compared({"params": inline}, {"params": referring}).verdict == "same"


def test_schemas_that_refer_to_themselves_are_compared_to_an_end() -> None:
    def tree(**more: Any) -> dict[str, Any]:
        return {"params": {"minProperties": 1, "properties": {"next": {"$ref": "#", "maxProperties": 9}, **more}}}

    assert compared(tree(), tree(v={"type": "integer"})).verdict == "compatible"
    assert compared(tree(v={}), tree(v={"type": "integer"})).verdict == "breaking"


def test_a_chain_without_end_is_compared_as_far_as_it_goes() -> None:
    def chain(last: Any) -> dict[str, Any]:
        links = {f"a{n}": {"properties": {"x": {"$ref": f"#/$defs/a{n + 1}"}}} for n in range(2_000)}
        return {"params": {"$defs": {**links, "a2000": last}, "$ref": "#/$defs/a0"}}

    assert compared(chain({}), chain({"type": "null"})).verdict == "same"
    longer = chain({"type": "null"})
    longer["params"]["$defs"]["a50"]["properties"]["y"] = {}
    assert compared(chain({}), longer).verdict == "compatible"


def test_an_operation_that_is_gone_breaks_and_a_new_one_does_not() -> None:
    old, new = {"operations": {"ban": "a", "list": "l"}}, {"operations": {"ban": ["a", "b"]}}
    found = compared(old, new, type="entity")
    assert breaking(found) == {"$.operations.list": "removed"}
    assert [change.path for change in found.changes] == ["$.operations.list", "$.operations.ban"]
    assert found.changes[0].document()["why"] == {"en": "an operation is gone", "zh": "有操作被移除"}


def test_the_schema_of_an_object_is_read_by_callers() -> None:
    old = {"schema": {"properties": {"a": {}}}, "key": "a", "relationships": {"g": {"entity": "guild"}}}
    found = compared(old, {"schema": {}}, type="entity")
    assert breaking(found).keys() == {"$.schema.properties.a", "$.key", "$.relationships.g"}
