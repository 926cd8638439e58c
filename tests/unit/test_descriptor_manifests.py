"""What providers and game servers say of all their functions at once."""

from typing import Any

import orjson
import pytest

from croupier.descriptors import FaultyDescriptor, Manifest, read_manifest


def read(value: Any) -> Manifest:
    return read_manifest(orjson.dumps(value), "provider go")


def faults(value: Any) -> dict[str, str]:
    return {fault.path: fault.message.en for fault in read(value).faults}


def test_a_manifest_of_a_provider_is_read() -> None:
    found = read(
        {
            "provider": {"id": "go", "version": "1.0.0", "lang": "go", "sdk": "croupier-go"},
            "functions": [{"id": "player.ban", "request": {"json_schema": {"type": "object"}}}],
            "entities": [{"id": "player", "title": "Player", "color": "blue", "schema": {"type": "object"}}],
        }
    )
    assert (found.provider.id, found.provider.lang) == ("go", "go")
    assert [each.id for each in found.functions] == ["player.ban"]
    assert found.functions[0].params == {"type": "object"}
    assert found.entities[0].title == {"en": "Player"}
    assert not found.faults


def test_a_manifest_may_be_the_array_of_functions_alone() -> None:
    found = read([{"id": "a"}, {"id": "b", "semantics": {"timeout": "soon"}}])
    assert [each.id for each in found.functions] == ["a"]
    assert [str(fault) for fault in found.faults] == [
        'provider go: $[1].semantics.timeout: write a duration like "30s", "500ms" or "2m", above 0 and at most a week'
    ]


def test_an_operation_that_says_what_a_function_says_is_its_description() -> None:
    ban = {
        "op": "ban",
        "target": {"field": "player_id", "jsonpath": "$.player_id"},
        "request": {"json_schema": {"required": ["player_id"]}},
        "auth": {"permission": "player.ban"},
        "label": {"en": "Ban", "zh": "封禁"},
    }
    found = read({"entities": [{"id": "player", "operations": [ban, {"op": "read"}]}]})
    assert [each.function for each in found.entities[0].operations["ban"]] == ["player.ban"]
    (function,) = found.functions
    assert (function.id, function.entity, function.operation) == ("player.ban", "player", "ban")
    assert (function.entity_key, function.auth.permission) == ("$.player_id", "player:ban")
    assert function.params == {"required": ["player_id"]}
    assert function.display_name["zh"] == "封禁"


def test_a_function_goes_before_an_operation_that_describes_it_too() -> None:
    found = read(
        {
            "functions": [{"id": "player.ban", "risk": "high"}],
            "entities": [{"id": "player", "operations": [{"op": "ban", "risk": "low"}]}],
        }
    )
    assert [each.risk for each in found.functions] == ["high"]


def test_operations_may_stand_apart_from_their_entity() -> None:
    found = read({"operations": [{"op": "kick", "entity": "player", "semantics": {"timeout": "1s"}}]})
    assert (found.operations[0].function, found.operations[0].op) == ("player.kick", "kick")
    assert found.functions[0].semantics.timeout == 1.0


def test_faults_name_the_entry_and_the_rest_is_read() -> None:
    value = {
        "provider": {"id": 7},
        "functions": [7, {"id": "a"}, {"id": "a"}, {"request": {"json_schema": "any"}}],
        "entities": "many",
        "operations": [{"op": "x"}, {"op": 3}],
    }
    assert faults(value).keys() == {
        "$.provider.id",
        "$.functions[0]",
        "$.functions[2].id",
        "$.functions[3].id",
        "$.functions[3].request.json_schema",
        "$.entities",
        "$.operations[0].function",
        "$.operations[1].op",
        "$.operations[1].function",
    }
    assert [each.id for each in read(value).functions] == ["a"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"rubbish", "not JSON at line 1, column 1"),
        (b"7", "an object or an array"),
        (b'{"functions": [{"id": "a", "id": "b"}]}', r"\$.functions\[0\].id: this name stands twice"),
        (b" " * 4_000_001, "larger than 4000000 bytes"),
        (b"[NaN]", "NaN is not JSON"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(FaultyDescriptor, match=why):
        read_manifest(raw)


def test_a_manifest_is_bounded() -> None:
    assert "at most 10000 entries" in faults({"functions": [{"id": "f"}] * 10_001})["$.functions"]
