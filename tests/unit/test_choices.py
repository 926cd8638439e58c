"""Why somebody receives a call is kept in words; whoever shows it in another language reads it back by name."""

import pytest

from croupier.codes import Code
from croupier.domain import choices
from croupier.domain.choices import among, by_canary, choice_of, failed_of, recorded_choice, to_everyone


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (choices.ONLY, Code.CHOSEN_ONLY),
        (choices.LESS_BUSY, Code.CHOSEN_LESS_BUSY),
        (choices.NAMED, Code.CHOSEN_NAMED),
        (choices.HASHED, Code.CHOSEN_HASH),
        (choices.EVERYONE, Code.CHOSEN_ALL),
        (choices.DISCONNECTED, Code.AGENT_DISCONNECTED),
        (choices.DRAINS, Code.AGENT_DRAINS),
        (choices.ILL, Code.GAME_SERVER_ILL),
        (choices.ANOTHER, Code.NOT_CHOSEN),
        ("the moon said so", None),
    ],
)
def test_a_reason_is_read_back_by_name(words, code):
    found = choice_of(words)
    assert (found.code, found.detail, dict(found.parameters)) == (code, words, {})


@pytest.mark.parametrize("how", [choices.DRAWN, choices.HASHED])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_a_canary_is_read_back_whatever_its_version_is_called(how, inside, empty):
    found = choice_of(by_canary(2.5, "2.0: (3 could)", how, inside=inside, empty=empty))
    assert found.code is Code.CHOSEN_CANARY
    assert found.parameters == {
        "percent": "2.5",
        "version": "2.0: (3 could)",
        "side": "inside" if inside else "outside",
        "empty": "true" if empty else "",
        "by": "hash" if how == choices.HASHED else "load",
    }


def test_a_record_says_among_how_many_it_was_chosen():
    words = among(choices.LESS_BUSY, 3)
    found = recorded_choice(words)
    assert (found.code, found.detail, found.parameters) == (Code.CHOSEN_LESS_BUSY, words, {"candidates": "3"})


def test_a_record_of_a_broadcast_says_how_many_failed():
    whole, part = to_everyone(4), to_everyone(4, 1)
    assert (failed_of(whole), failed_of(part), failed_of("the moon said so")) == (0, 1, 0)
    assert recorded_choice(whole).parameters == {"chosen": "4", "failed": ""}
    assert recorded_choice(part).parameters == {"chosen": "4", "failed": "1"}
    assert recorded_choice(part).code is Code.CHOSEN_ALL


@pytest.mark.parametrize("words", ["", "hash of p1", "語 (two could)"])
def test_what_an_earlier_version_recorded_stays_in_its_words(words):
    found = recorded_choice(words)
    assert (found.code, found.detail) == (None, words)
