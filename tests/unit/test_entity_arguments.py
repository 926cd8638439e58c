"""From an id and a query to the arguments of a function."""

from typing import Any

import pytest

from croupier.domain.entity import SubjectKey
from croupier.errors import InvalidArgument
from croupier.server.entity_arguments import arguments_of, as_argument, with_id

SCHEMA = {
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "score": {"type": "number"},
        "open": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "integer"}},
        "where": {"type": "object"},
        "any": {},
        "mixed": {"type": ["integer", "string"]},
        "target": {"properties": {"id": {"type": "integer"}}},
    }
}


@pytest.mark.parametrize(
    ("pairs", "arguments"),
    [
        ([("name", "7")], {"name": "7"}),
        ([("id", "7")], {"id": 7}),
        ([("id", "-7")], {"id": -7}),
        ([("id", "seven")], {"id": "seven"}),
        ([("id", "9" * 400)], {"id": "9" * 400}),
        ([("score", "1.5")], {"score": 1.5}),
        ([("score", "NaN")], {"score": "NaN"}),
        ([("open", "true")], {"open": True}),
        ([("open", "No")], {"open": False}),
        ([("open", "")], {"open": None}),
        ([("open", "maybe")], {"open": "maybe"}),
        ([("tags", "1"), ("tags", "2")], {"tags": [1, 2]}),
        ([("tags", "1")], {"tags": [1]}),
        ([("where", '{"a":1}')], {"where": {"a": 1}}),
        ([("where", "{")], {"where": "{"}),
        ([("any", "7")], {"any": "7"}),
        ([("mixed", "7"), ("unknown", "x")], {"mixed": 7, "unknown": "x"}),
        ([], {}),
    ],
)
def test_a_query_is_read_as_the_types_of_the_schema(pairs: list[tuple[str, str]], arguments: dict[str, Any]) -> None:
    assert arguments_of(pairs, SCHEMA) == arguments


def test_without_a_schema_everything_is_text() -> None:
    assert arguments_of([("id", "7")], None) == {"id": "7"}


def test_a_name_that_comes_twice_is_refused_where_one_is_asked_for() -> None:
    with pytest.raises(InvalidArgument, match="query parameter name came twice"):
        arguments_of([("name", "a"), ("name", "b")], SCHEMA)


def test_a_schema_that_makes_no_sense_is_passed_over() -> None:
    for schema in ({"type": 7}, {"type": [7]}, {"anyOf": 7}, {"anyOf": [7]}, {"type": "array", "items": 7}):
        assert as_argument("7", schema) in ("7", ["7"])


@pytest.mark.parametrize(
    ("path", "given", "made"),
    [
        (("id",), {"name": "x"}, {"name": "x", "id": 7}),
        (("id",), {"id": 7}, {"id": 7}),
        (("id",), {"id": "7"}, {"id": 7}),
        (("name",), {}, {"name": "7"}),
        (("tags",), {}, {"tags": [7]}),
        (("target", "id"), {}, {"target": {"id": 7}}),
        (("target", "id"), {"target": {"x": 1}}, {"target": {"x": 1, "id": 7}}),
        (("ids", 0), {}, {"ids": ["7"]}),
        (("ids", 0, "id"), {"ids": [{"x": 1}, {}]}, {"ids": [{"x": 1, "id": "7"}, {}]}),
        (("ids", -1), {"ids": []}, {"ids": ["7"]}),
    ],
)
def test_an_id_is_put_where_the_function_takes_it(
    path: tuple[Any, ...], given: dict[str, Any], made: dict[str, Any]
) -> None:
    before = repr(given)

    assert with_id(given, SubjectKey("thing", path), "7", SCHEMA) == made
    assert repr(given) == before


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        (("id",), {"id": 8}, r"the argument \$.id and the address name two different ids"),
        (("target", "id"), {"target": {"id": 8}}, "two different ids"),
        (("target", "id"), {"target": "x"}, r"cannot be put at \$.target.id"),
        (("ids", 0), {"ids": {}}, "cannot be put"),
        (("ids", 3), {}, "cannot be put"),
        (("ids", 1), {"ids": ["a"]}, "cannot be put"),
    ],
)
def test_an_id_that_does_not_fit_the_arguments_is_refused(
    path: tuple[Any, ...], given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidArgument, match=words):
        with_id(given, SubjectKey("thing", path), "7", SCHEMA)
