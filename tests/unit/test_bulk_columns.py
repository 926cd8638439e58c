"""A CSV's header and cells under the schema of a function."""

import pytest

from croupier.errors import InvalidArgument
from croupier.server.bulk_columns import COLUMNS, arguments, read_header

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "force": {"type": "boolean"},
        "tags": {"type": "array"},
        "until": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "kind": {"enum": [1, 2]},
        "either": {"type": ["string", "integer"]},
        "item": {"$ref": "#/$defs/Item"},
        "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "$defs": {
        "Item": {"type": "object", "properties": {"level": {"type": "integer"}, "next": {"$ref": "#/$defs/Item"}}}
    },
    "additionalProperties": False,
}


def one(column, cell, schema=SCHEMA):
    return arguments(read_header([column], schema), [cell])


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("id", "007", "007"),
        ("id", " null ", " null "),
        ("id", "null", "null"),
        ("count", " 42 ", 42),
        ("count", "-7", -7),
        ("count", "9223372036854775807", 9223372036854775807),
        ("count", "9223372036854775808", "9223372036854775808"),
        ("count", "1.5", "1.5"),
        ("count", "\u0661", 1),
        ("ratio", "1", 1),
        ("ratio", "-2.5e3", -2500.0),
        ("ratio", "1e999", "1e999"),
        ("ratio", "nan", "nan"),
        ("force", "TRUE", True),
        ("force", "false", False),
        ("force", "yes", "yes"),
        ("tags", '["a", 1]', ["a", 1]),
        ("tags", "a", "a"),
        ("until", "5", 5),
        ("kind", "2", 2),
        ("either", "5", "5"),
    ],
)
def test_a_cell_is_what_the_schema_says(column, cell, value):
    assert one(column, cell) == {column: value}


@pytest.mark.parametrize(
    ("column", "cell"), [("id", ""), ("count", ""), ("count", "null"), ("until", "null"), ("count", " ")]
)
def test_an_empty_cell_is_left_out(column, cell):
    assert one(column, cell) == {}


def test_dotted_columns_nest_through_references_and_free_names():
    columns = read_header(["item.level", "item.next.level", "labels.vip"], SCHEMA)
    assert arguments(columns, ["1", "2", "3"]) == {"item": {"level": 1, "next": {"level": 2}}, "labels": {"vip": 3}}
    assert arguments(columns, ["", "", ""]) == {}


def test_without_a_schema_every_cell_is_a_text():
    assert one("anything.at.all", "1", None) == {"anything": {"at": {"all": "1"}}}


def test_a_schema_that_allows_more_takes_other_columns_as_text():
    assert one("other", "1", {"properties": {"id": {}}, "additionalProperties": True}) == {"other": "1"}


def test_a_schema_that_refers_to_itself_is_read_all_the_same():
    looped = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#"}]}}}
    assert one("x", "1", looped) == {"x": "1"}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (["id", "id"], "comes twice"),
        (["id", " id "], "comes twice"),
        (["id", ""], "column 2 has no name"),
        (["item."], "empty part"),
        (["item", "item.level"], "cannot both"),
        (["nobody"], "knows no 'nobody'; it knows count, either, force"),
        (["item.nobody"], "knows no 'item.nobody'; it knows level, next"),
        (["x" * 129], "longer than 128"),
        ([f"c{number}" for number in range(COLUMNS + 1)], "at most 256"),
    ],
)
def test_a_wrong_header_is_refused(header, words):
    with pytest.raises(InvalidArgument, match=r"the header, line 1") as refused:
        read_header(header, SCHEMA)
    assert words in refused.value.message


def test_a_column_that_the_function_needs_must_be_there():
    needy = {"properties": {"id": {}, "item": {}}, "required": ["id", "item"]}
    assert len(read_header(["item.level", "id"], {**needy, "properties": {"id": {}, "item": {"type": "object"}}})) == 2
    with pytest.raises(InvalidArgument, match="needs item"):
        read_header(["id"], needy)
