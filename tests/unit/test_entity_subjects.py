"""Which entities a call is about."""

from typing import Any

import pytest

from croupier.domain.entity import SUBJECTS, Subject, SubjectKey, subjects_in, type_name

PLAYER = SubjectKey("player", ("player_id",))


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({"player_id": "p1"}, ["p1"]),
        ({"player_id": 7}, ["7"]),
        ({"player_id": ["p1", 2, "p1", None, ""]}, ["p1", "2"]),
        ({"player_id": ""}, []),
        ({"player_id": None}, []),
        ({"player_id": True}, []),
        ({"player_id": 1.5}, []),
        ({"player_id": {"id": "p1"}}, []),
        ({"player_id": "x" * 257}, []),
        ({"player_id": "é" * 129}, []),
        ({"player_id": "a\nb"}, []),
        ({}, []),
        ([], []),
        (None, []),
        ("player_id", []),
    ],
)
def test_an_argument_names_an_entity_by_text_or_number(arguments: Any, ids: list[str]) -> None:
    assert [subject.id for subject in subjects_in([PLAYER], arguments)] == ids


def test_a_key_may_lie_deeper_and_in_lists() -> None:
    deep = SubjectKey("player", ("targets", 0, "id"))

    assert subjects_in([deep], {"targets": [{"id": "p1"}]}) == (Subject("player", "p1"),)
    for arguments in ({"targets": []}, {"targets": {}}, {"targets": "x"}, {"targets": [["id"]]}):
        assert subjects_in([deep], arguments) == ()
    assert str(deep) == "$.targets[0].id"


def test_one_call_may_be_about_several_entities_each_once() -> None:
    keys = [PLAYER, SubjectKey("player", ("to",)), SubjectKey("guild", ("guild_id",))]

    found = subjects_in(keys, {"player_id": "p1", "to": "p1", "guild_id": 3})

    assert found == (Subject("player", "p1"), Subject("guild", "3"))


def test_a_call_is_remembered_under_a_bounded_number_of_entities() -> None:
    assert len(subjects_in([PLAYER], {"player_id": [f"p{n}" for n in range(1_000)]})) == SUBJECTS


@pytest.mark.parametrize(
    ("entity_id", "name"), [("wallet.entity", "wallet"), ("wallet", "wallet"), ("a.resource", "a")]
)
def test_a_type_goes_by_its_plain_name(entity_id: str, name: str) -> None:
    assert type_name(entity_id) == name
