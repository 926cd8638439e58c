"""Which functions a scope may use, by the patterns it was given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.assignment import Assignment, read_assignments
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument

NAMES = st.text("ab.", min_size=1, max_size=5)


@given(patterns=st.lists(st.builds(str.__add__, NAMES, st.sampled_from(["", "*"])), max_size=6), function_id=NAMES)
def test_a_function_is_admitted_if_it_is_named_or_begins_as_a_pattern_says(patterns, function_id):
    said = any(
        function_id == pattern or (pattern.endswith("*") and function_id.startswith(pattern[:-1]))
        for pattern in patterns
    )
    assert Assignment(patterns).admits(function_id) is said


@given(patterns=st.lists(NAMES, max_size=6), function_id=NAMES)
def test_a_star_alone_admits_everything(patterns, function_id):
    assert Assignment([*patterns, "*"]).admits(function_id)


def test_an_empty_assignment_admits_nothing():
    assert not Assignment([]).admits("player.ban")


def test_a_dot_star_does_not_admit_the_name_before_it():
    assert not Assignment(["player.*"]).admits("player")
    assert not Assignment(["player.*"]).admits("players.ban")


@pytest.mark.parametrize("pattern", ["", "pl*yer", "**", "*.ban", "é" * 200])
def test_a_pattern_that_cannot_be_kept_is_refused(pattern):
    with pytest.raises(InvalidArgument):
        Assignment([pattern])


def test_assignments_are_read_by_scope():
    found = read_assignments({"demo|dev": ["b", "a", "a"], "demo|prod": []})
    assert found == {Scope("demo", "dev"): Assignment(["a", "b"]), Scope("demo", "prod"): Assignment([])}
    assert found[Scope("demo", "dev")].patterns == ("a", "b")


@pytest.mark.parametrize("named", [{"demo": []}, {"|": []}, {"demo|": []}, {"a|b|c": []}, {"demo|dev": ["*x"]}])
def test_a_scope_or_pattern_at_fault_is_named(named):
    with pytest.raises(InvalidArgument, match=r"demo|a\|b|\|"):
        read_assignments(named)
