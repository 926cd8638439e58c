from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict
from uuid import UUID

import pytest

from croupier_sdk import Field
from croupier_sdk.functions.shapes import Mismatch, shape_of


class Rarity(Enum):
    COMMON = "common"
    RARE = "rare"


class Slot(IntEnum):
    HEAD = 1
    FEET = 2


@dataclass(frozen=True)
class Item:
    id: str
    count: Annotated[int, Field(ge=1)] = 1
    tags: list[str] = field(default_factory=list)


class Mail(TypedDict):
    text: str
    items: NotRequired[list[Item]]


PlayerId = NewType("PlayerId", str)


@dataclass
class Tree:
    children: "list[Tree]"


ITEM = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["id"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("annotation", "schema", "given", "made"),
    [
        (str, {"type": "string"}, "x", "x"),
        (int, {"type": "integer"}, 3.0, 3),
        (float, {"type": "number"}, 3, 3.0),
        (bool, {"type": "boolean"}, True, True),
        (None, {"type": "null"}, None, None),
        (Any, {}, {"a": [1]}, {"a": [1]}),
        (PlayerId, {"type": "string"}, "p", "p"),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}, "b", "b"),
        (Literal["a", 1], {"enum": ["a", 1]}, 1, 1),
        (Rarity, {"type": "string", "enum": ["common", "rare"]}, "rare", Rarity.RARE),
        (Slot, {"type": "integer", "enum": [1, 2]}, 2, Slot.FEET),
        (list, {"type": "array"}, [1, "a"], [1, "a"]),
        (list[int], {"type": "array", "items": {"type": "integer"}}, [1], [1]),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}, [1], (1,)),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": 1}),
        (dict, {"type": "object"}, {"a": 1}, {"a": 1}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}, None, None),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "1", "1"),
        (Item, ITEM, {"id": "sword", "count": 2}, Item("sword", 2)),
        (
            Mail,
            {
                "type": "object",
                "properties": {"text": {"type": "string"}, "items": {"type": "array", "items": ITEM}},
                "required": ["text"],
                "additionalProperties": False,
            },
            {"text": "hi", "items": [{"id": "x"}]},
            {"text": "hi", "items": [Item("x")]},
        ),
        (datetime, {"type": "string", "format": "date-time"}, "2025-01-31T12:00:00", datetime(2025, 1, 31, 12)),  # noqa: DTZ001 — as written
        (date, {"type": "string", "format": "date"}, "2025-01-31", date(2025, 1, 31)),
        (UUID, {"type": "string", "format": "uuid"}, "0" * 32, UUID(int=0)),
        (
            Annotated[
                str, Field(title="Name", description="who", min_length=1, max_length=3, pattern="^[a-z]+$", format="id")
            ],
            {
                "type": "string",
                "title": "Name",
                "description": "who",
                "format": "id",
                "minLength": 1,
                "maxLength": 3,
                "pattern": "^[a-z]+$",
            },
            "abc",
            "abc",
        ),
        (
            Annotated[float, Field(gt=0, lt=10, multiple_of=0.5)],
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10, "multipleOf": 0.5},
            1.5,
            1.5,
        ),
        (
            Annotated[list[int], Field(max_length=2)],
            {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
            [1],
            [1],
        ),
    ],
)
def test_a_type_becomes_schema_and_reader(annotation, schema, given, made):
    shape = shape_of(annotation)
    assert shape.schema == schema
    result = shape.read(given)
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("annotation", "given", "path", "says"),
    [
        (str, 1, "", "must be a string, not a number"),
        (int, True, "", "must be an integer, not a boolean"),
        (int, 1.5, "", "must be an integer, not a fraction"),
        (int, "1", "", "must be an integer, not a string"),
        (float, True, "", "must be a number, not a boolean"),
        (float, 10**400, "", "must be a number that a double can hold"),
        (bool, 1, "", "must be true or false, not a number"),
        (Literal["a"], "b", "", 'must be one of "a"'),
        (Literal[1], True, "", "must be one of 1"),
        (Rarity, [], "", 'must be one of "common", "rare"'),
        (list[int], {}, "", "must be a list, not an object"),
        (list[Item], [{"id": "x"}, {"id": "x", "count": 0}], "[1].count", "must be at least 1"),
        (Item, {"count": 1}, "id", "is missing"),
        (Item, {"id": "x", "cuont": 1}, "cuont", "is not known; known are: id, count, tags"),
        (dict[str, int], {"a": "b"}, "a", "must be an integer, not a string"),
        (str | None, 1, "", "must be a string or null, not a number"),
        (Item | None, {"id": 1}, "id", "must be a string, not a number"),
        (datetime, "yesterday", "", "must be a date and time like 2025-01-31T12:00:00Z"),
        (Annotated[str, Field(pattern="^a$")], "b", "", "must match the pattern ^a$"),
        (Annotated[str, Field(min_length=2)], "b", "", "must have a length of at least 2"),
        (Annotated[int, Field(le=5)], 6, "", "must be at most 5"),
        (Annotated[int, Field(le=5)] | None, 6, "", "must be at most 5"),
    ],
)
def test_a_value_of_another_shape_is_refused_by_its_path(annotation, given, path, says):
    with pytest.raises(Mismatch) as caught:
        shape_of(annotation).read(given)
    assert (caught.value.path, caught.value.says) == (path, says)


@pytest.mark.parametrize(
    "annotation", [complex, set[int], tuple[int, str], dict[int, str], Tree, Literal[b"x"], bytearray]
)
def test_a_type_without_schema_is_refused(annotation):
    with pytest.raises(TypeError):
        shape_of(annotation)


@pytest.mark.parametrize(
    "annotation",
    [Annotated[str, Field(ge=1)], Annotated[int, Field(pattern="a")], Annotated[bool, Field(max_length=1)]],
)
def test_a_bound_that_does_not_fit_its_type_is_refused(annotation):
    with pytest.raises(TypeError, match="does not fit"):
        shape_of(annotation)


def test_a_mismatch_never_shows_the_value():
    with pytest.raises(Mismatch) as caught:
        shape_of(list[Annotated[str, Field(max_length=3)]]).read(["hunter2-secret"])
    assert "hunter2" not in str(caught.value)
