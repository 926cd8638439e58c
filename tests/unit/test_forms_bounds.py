"""What a form, a condition or a transform may cost, whoever wrote it and whatever is sent."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.errors import InvalidArgument
from croupier.forms import Condition, FaultyForm, Form, Transform, derive, prune
from croupier.forms.nodes import Budget
from croupier.forms.patterns import matcher, searcher
from croupier.forms.queries import read_query

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


def test_a_condition_stops_at_its_steps() -> None:
    rows = {"rows": [[0] * 200 for _ in range(100)]}
    with pytest.raises(InvalidArgument, match="too many steps"):
        Condition.read("$.rows[?count(@[*]) > 0]").holds(rows)


def test_a_filter_in_a_filter_is_paid_for_too() -> None:
    rows = {"rows": [{"cells": list(range(100))} for _ in range(200)]}
    with pytest.raises(InvalidArgument, match="too many steps"):
        Condition.read("$.rows[?@.cells[?@ > 1000]]").holds(rows)


def test_a_filter_that_finds_nothing_is_paid_for_too() -> None:
    with pytest.raises(InvalidArgument, match="too many steps"):
        Condition.read("$..[?$..[?@ > 9]]").holds([[0] * 500 for _ in range(40)])


def test_comparing_large_values_again_and_again_is_paid_for() -> None:
    big = {"one": list(range(5_000)), "other": list(range(5_000)), "rows": [0] * 1_000}
    with pytest.raises(InvalidArgument, match="too many steps"):
        Condition.read("$.rows[?$.one == $.other]").holds(big)


def test_what_a_filter_asks_of_the_whole_value_is_looked_for_once() -> None:
    rows = {"rows": [{"n": 5_000}] * 1_000}
    assert not Condition.read("$.rows[?@.n < count($.rows[*])]").holds(rows)


@pytest.mark.parametrize("where", [{"eq": ["$$.one", "$$.other"]}, {"contains": ["$$.one", -1]}])
def test_a_transform_that_looks_through_large_values_again_and_again_is_stopped(where: Any) -> None:
    big = {"one": list(range(5_000)), "other": list(range(5_000)), "rows": [0] * 1_000}
    with pytest.raises(InvalidArgument, match="too many steps"):
        Transform.read({"template": {"forEach": {"path": "$.rows", "where": where}}}).apply(big)


def test_deep_values_are_refused_by_a_transform_that_compares_them() -> None:
    one: list[Any] = []
    other: list[Any] = []
    for _ in range(1_000):
        one, other = [one], [other]
    transform = Transform.read({"template": {"forEach": {"path": "$.l", "where": {"eq": ["$[0]", "$[1]"]}}}})
    with pytest.raises(InvalidArgument, match="nested too deep"):
        transform.apply({"l": [[one, other]]})


def test_the_conditions_of_one_form_share_their_steps() -> None:
    form = Form.compile(None, {"fields": {"rows[].x": {"show_if": "@.on"}}})
    assert form.check({"rows": [{"on": True}] * 9_000}).faults == ()
    with pytest.raises(InvalidArgument, match="too many steps"):
        form.check({"rows": [{"on": True}] * 11_000})


@pytest.mark.parametrize("rows", [[0] * 11_000, [[]] * 11_000])
def test_elements_that_are_no_objects_are_paid_for_too(rows: list[Any]) -> None:
    form = Form.compile(None, {"fields": {"rows[].x": {"show_if": "@.on"}}})
    with pytest.raises(InvalidArgument, match="too many steps"):
        form.check({"rows": rows})


@pytest.mark.parametrize("hidden", [[("a",), ("a", "b")], [("a", "b"), ("a",)]])
def test_what_is_inside_a_hidden_field_goes_with_it(hidden: list[tuple[str, ...]]) -> None:
    assert prune({"a": {"b": 1, "c": 2}, "d": 3}, hidden) == {"d": 3}


def test_a_condition_of_deep_data_is_refused_not_followed_for_ever() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = {"a": deep}
    with pytest.raises(InvalidArgument, match="cannot be evaluated"):
        Condition.read("$..b").holds(deep)


def test_a_transform_stops_at_its_steps() -> None:
    transform = Transform.read({"expr": "$[?count(@[*]) < 0]"})
    with pytest.raises(InvalidArgument, match="too many steps"):
        transform.apply([[0] * 1000 for _ in range(200)])


def test_a_plain_path_may_find_the_largest_answer() -> None:
    answer = {"data": ["x" * 1000] * 10_000}
    assert Transform.read({"expr": "$.data"}).apply(answer) is answer["data"]


def test_a_text_is_not_read_as_json() -> None:
    assert Condition.read("count($.a) == 0").holds('{"a": 1}')


def test_a_budget_is_spent_once() -> None:
    budget = Budget(3)
    budget.spend(3)
    with pytest.raises(InvalidArgument):
        budget.spend()


def test_too_many_fields_with_conditions_are_a_fault() -> None:
    with pytest.raises(FaultyForm, match="1000 fields"):
        Form.compile(None, {"fields": {f"f{number}": {"required_if": "$.a"} for number in range(1_001)}})


def test_a_form_of_a_thousand_fields_in_one_chain_is_read_and_checked() -> None:
    form = Form.compile(None, {"fields": {f"f{number}": {"show_if": f"$.f{number - 1}"} for number in range(1, 1_000)}})
    assert form.check({f"f{number}": number for number in range(1_000)}).value == {"f0": 0}


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(a*)*b", "([a-z]+)*!", "(.*a){12}"])
def test_a_pattern_ends_whatever_the_text(pattern: str) -> None:
    assert searcher(pattern)("a" * 50_000 + "?") in {True, False}
    assert not matcher(pattern)("a" * 50_000 + "?")


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused_with_words(text: str) -> None:
    try:
        condition = Condition.read(text)
    except InvalidArgument:
        return
    assert condition.holds({"a": 1}) in {True, False}


@given(st.text(alphabet="$@.[]'\"abc019*?!&|=<> ()-,:\\", max_size=40), JSON)
def test_whatever_looks_like_a_condition_holds_or_not_or_is_refused(text: str, value: Any) -> None:
    try:
        condition = Condition.read(text)
    except InvalidArgument:
        return
    assert condition.holds(value) in {True, False}


@given(st.text(alphabet="ab.*+?()[]{}|^$\\dwsp1,-", max_size=20), st.text(alphabet="ab1 \n", max_size=20))
def test_any_pattern_is_run_or_refused_with_words(pattern: str, text: str) -> None:
    try:
        found = searcher(pattern)
    except InvalidArgument:
        return
    assert found(text) in {True, False}


@given(JSON, JSON)
def test_any_value_is_a_transform_or_refused_with_words(spec: Any, value: Any) -> None:
    try:
        transform = Transform.read({"template": spec})
    except FaultyForm:
        return
    transform.apply(value)


@given(JSON, st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3).map(tuple), max_size=5))
def test_pruning_changes_nothing_of_what_was_given(value: Any, hidden: list[tuple[str | int, ...]]) -> None:
    objects_only = [path for path in hidden if not _meets_a_list(value, path)]
    before = copy.deepcopy(value)
    pruned = prune(value, objects_only)
    assert value == before
    assert (pruned is value) == (pruned == value)


def _meets_a_list(value: Any, path: tuple[str | int, ...]) -> bool:
    for step in path:
        if not isinstance(value, dict):
            return True
        value = value.get(step, {})
    return False


@given(JSON)
def test_the_same_value_has_the_same_state_a_second_time(value: Any) -> None:
    ui = {"fields": {"a": {"show_if": "$.b"}, "b": {"show_if": "$.c != 1"}, "d": {"required_if": "@.a"}}}
    form = Form.compile(None, ui)
    once = form.check(value)
    again = form.check(once.value)
    assert again.value is once.value
    assert (again.hidden, again.faults) == (once.hidden, once.faults)
    assert derive({}, ui, value).hidden == once.hidden


def test_a_query_is_bounded_in_length() -> None:
    with pytest.raises(InvalidArgument, match="2000 characters"):
        read_query("$" + ".a" * 1_000)
