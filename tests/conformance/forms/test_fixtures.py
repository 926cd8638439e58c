"""The form engine against the fixtures that it shares with the browser."""

import copy
import json
from typing import Any

import pytest
from tests.conformance.forms.fixtures import cases

from croupier.descriptors import compile_schema
from croupier.errors import InvalidArgument
from croupier.forms import Condition, FaultyForm, Form, Transform, derive
from croupier.forms.form import pointer


def same_json(one: Any, other: Any) -> bool:
    """Also tells 1 from true, and 1 from 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize("case", cases("conditions"))
def test_a_condition_holds_as_the_fixture_says(case: dict[str, Any]) -> None:
    around = (case["around"],) if "around" in case else ()
    if case.get("error"):
        with pytest.raises(InvalidArgument):
            Condition.read(case["expr"]).holds(case["context"], *around)
    else:
        assert Condition.read(case["expr"]).holds(case["context"], *around) is case["result"]


@pytest.mark.parametrize("case", cases("transforms"))
def test_a_transform_makes_what_the_fixture_says(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(FaultyForm) as refused:
            Transform.read(case["transform"])
        assert sorted(pointer(path) for path, _ in refused.value.faults) == sorted(case["refused"])
    elif case.get("error"):
        transform = Transform.read(case["transform"])
        with pytest.raises(InvalidArgument):
            transform.apply(case["value"])
    else:
        before = copy.deepcopy(case["value"])
        assert same_json(Transform.read(case["transform"]).apply(case["value"]), case["result"])
        assert same_json(case["value"], before)


@pytest.mark.parametrize("case", cases("forms"))
def test_a_form_checks_as_the_fixture_says(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(FaultyForm) as refused:
            Form.compile(case["schema"], case["ui"])
        assert sorted(pointer(path) for path, _ in refused.value.faults) == sorted(case["refused"])
        return
    expected, before = case["expect"], copy.deepcopy(case["data"])
    checked = Form.compile(case["schema"], case["ui"]).check(case["data"])
    assert same_json(checked.value, expected["pruned"])
    assert sorted(map(pointer, checked.hidden)) == sorted(expected["hidden"])
    assert sorted((fault.path, fault.keyword) for fault in checked.faults) == sorted(
        (fault["path"], fault["keyword"]) for fault in expected["faults"]
    )
    assert same_json(case["data"], before)


@pytest.mark.parametrize("case", [each for each in cases("forms") if "expect" in each.values[0]])
def test_the_schema_in_force_finds_the_faults_that_the_form_finds(case: dict[str, Any]) -> None:
    derived = derive(case["schema"], case["ui"] or {}, case["data"])
    expected = case["expect"]
    assert sorted(map(pointer, derived.hidden)) == sorted(expected["hidden"])
    assert sorted(map(pointer, derived.required)) == sorted(expected["required"])
    assert sorted(map(pointer, derived.disabled)) == sorted(expected.get("disabled", []))
    if derived.schema is not None:
        found = {(fault.path, fault.keyword) for fault in compile_schema(derived.schema).faults(expected["pruned"])}
        assert found == {(fault["path"], fault["keyword"]) for fault in expected["faults"]}
