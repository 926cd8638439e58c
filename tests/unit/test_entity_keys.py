"""Which argument of a function is the id of an entity."""

from typing import Any

import orjson
import pytest

from croupier.descriptors import EntityDescriptor, FunctionDescriptor, Operation, read_descriptor
from croupier.domain.entity import SubjectKey
from croupier.server.catalog.entity_keys import acting, key_argument, subject_keys

TEXT = {"type": "string"}


def function(*properties: str, required: tuple[str, ...] = (), **said: Any) -> FunctionDescriptor:
    params = {"type": "object", "properties": dict.fromkeys(properties, TEXT), "required": list(required)}
    read = read_descriptor(orjson.dumps({"id": "f", "entity": "player", "params": params, **said}), "f.json")
    assert isinstance(read, FunctionDescriptor)
    return read


def described(key: str = "") -> EntityDescriptor:
    read = read_descriptor(orjson.dumps({"id": "player.entity", "type": "entity", "key": key}), "player.json")
    assert isinstance(read, EntityDescriptor)
    return read


def described_as(entity_id: str, **said: Any) -> EntityDescriptor:
    read = read_descriptor(orjson.dumps({"id": entity_id, "type": "entity", **said}), "e.json")
    assert isinstance(read, EntityDescriptor)
    return read


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (function("player_id", "x"), ("player_id",)),
        (function("id", "x"), ("id",)),
        (function("id", "player_id"), ("player_id",)),
        (function("x", "y", required=("y",)), ("y",)),
        (function("x", "y", required=("x", "y")), None),
        (function("x", "y"), None),
        (function("player_id", "who", entity_key="who"), ("who",)),
        (function("player_id", entity_key="$.target.ids[0]"), ("target", "ids", 0)),
        (function("player_id", entity_key="$..x"), None),
        (function("a", "b", ui={"fields": {"b": {"entity": "player"}}}), ("b",)),
        (function("a", "b", routing={"hash_key": "a"}), ("a",)),
        (function("a", "b", routing={"jsonpath": "$.b.c"}), ("b", "c")),
        (function("guild_id", "player_id", routing={"hash_key": "guild_id"}), ("player_id",)),
        (function("name", required=("name",), operation="create"), None),
        (function("q", required=("q",), operation="list"), None),
    ],
)
def test_what_is_said_goes_before_what_is_usual(given: FunctionDescriptor, path: tuple[str | int, ...] | None) -> None:
    assert key_argument(given, "player", verb=given.operation) == path


def test_an_operations_target_goes_before_everything() -> None:
    given = function("player_id", "x", entity_key="player_id")

    for target, path in (({"field": "x"}, ("x",)), ({"jsonpath": "$.a.b"}, ("a", "b")), ({}, ("player_id",))):
        operation = Operation.model_validate({"function": "f", "target": target})
        assert key_argument(given, "player", operation=operation) == path


def test_an_entitys_key_is_looked_for_among_the_arguments() -> None:
    assert key_argument(function("uid", "player_id"), "player", described=described("uid")) == ("uid",)
    assert key_argument(function("player_id"), "player", described=described("uid")) == ("player_id",)


def test_of_unknown_arguments_the_usual_one_is_taken() -> None:
    raw = read_descriptor(b'{"id": "f", "entity": "player"}', "f.json")
    assert isinstance(raw, FunctionDescriptor)

    assert key_argument(raw, "player") == ("player_id",)


def test_what_a_function_says_of_its_own_entity_holds_for_no_other() -> None:
    given = function("a", "b", entity_key="a", routing={"hash_key": "b"})

    assert key_argument(given, "guild") is None


def test_a_call_may_be_about_every_entity_that_its_fields_name() -> None:
    given = function(
        "source",
        "target",
        "guild",
        ui={"fields": {"source": {"entity": "player"}, "target": {"entity": "player.entity"}}},
    )

    assert subject_keys(given) == (SubjectKey("player", ("source",)), SubjectKey("player", ("target",)))
    mixed = function("player_id", "guild", ui={"fields": {"guild": {"entity": "guild"}}})
    assert set(subject_keys(mixed)) == {SubjectKey("guild", ("guild",)), SubjectKey("player", ("player_id",))}


def test_an_entity_may_name_functions_that_say_nothing_of_it() -> None:
    wallet = described_as(
        "wallet.entity", operations={"burn": {"function": "f", "target": {"field": "to"}}, "read": "g"}
    )
    given = function("to", "player_id")

    acts = acting([wallet])

    assert set(acts) == {"f", "g"}
    assert subject_keys(given, acts["f"]) == (SubjectKey("wallet", ("to",)), SubjectKey("player", ("player_id",)))


def test_an_operations_target_replaces_the_usual_argument_and_not_the_marked_ones() -> None:
    targeted = described_as("player", operations={"move": [{"function": "f", "target": {"field": "x"}}]})
    plain = described_as("player", operations={"move": "f"})
    marked = function("a", "b", "x", ui={"fields": {"a": {"entity": "player"}}})

    assert subject_keys(function("player_id", "x"), acting([plain, targeted])["f"]) == (SubjectKey("player", ("x",)),)
    assert subject_keys(marked, acting([plain])["f"]) == (SubjectKey("player", ("a",)),)
    assert [key.path for key in subject_keys(marked, acting([targeted])["f"])] == [("a",), ("x",)]


def test_an_entitys_key_holds_for_functions_that_it_does_not_name() -> None:
    keys = subject_keys(function("uid", "id"), (), {"player": described("uid")})

    assert keys == (SubjectKey("player", ("uid",)),)


def test_a_function_about_nothing_has_no_keys() -> None:
    assert subject_keys(function("player_id", entity="")) == ()
