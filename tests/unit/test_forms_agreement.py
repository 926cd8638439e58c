"""Random forms and values: the form, the schema in force and the plain reading of the rules must agree."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from croupier.descriptors import compile_schema
from croupier.forms import Condition, Form, derive
from croupier.forms.form import pointer

NAMES = "abcdef"
VALUES = st.sampled_from([True, False, 0, 1, 2, "x", "", None, [], ["x"]])
TESTS = st.sampled_from(
    ["{0}", "!{0}", "{0} == 1", "{0} === 'x'", "{0} != {1}", "{0} || {1}", "!{0} && {1}", "length({0}) > 0"]
)
MEMBER = st.sampled_from([{}, {"type": "integer"}, {"type": ["string", "null"]}, {"enum": [1, "x", True]}])


@st.composite
def conditions(draw: st.DrawFn, known: list[str]) -> str:
    """Over fields that come before, so that there is no circle."""
    one, other = draw(st.sampled_from(known)), draw(st.sampled_from(known))
    return draw(TESTS).format(one, other)


@st.composite
def forms(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A form whose `a` holds an object and whose `f` holds a list, both with fields of their own."""
    fields: dict[str, Any] = {}
    for index, name in enumerate(NAMES[1:], start=1):
        known = [f"$.{each}" for each in NAMES[1:index]] or ["$.other"]
        said = {key: draw(conditions(known)) for key in ("show_if", "required_if") if draw(st.booleans())}
        if name == "f" and draw(st.booleans()):
            said["fields"] = {"x": {"show_if": draw(conditions(["@.y", "$.b"]))}}
        fields[name] = said
    fields["a"] = {
        "fields": {"x": {"show_if": draw(conditions(["@.y", "$.c"])), "required_if": draw(conditions(["$.b"]))}}
    }
    inner = {"type": "object", "properties": {"x": draw(MEMBER), "y": {}}, "required": ["x"]}
    schema = {
        "type": "object",
        "properties": {name: draw(MEMBER) for name in "bcde"}
        | {"a": {"$ref": "#/$defs/inner"}, "f": {"type": "array", "items": {"$ref": "#/$defs/inner"}}},
        "required": draw(st.lists(st.sampled_from(NAMES), unique=True)),
        "additionalProperties": draw(st.booleans()),
        "$defs": {"inner": inner},
    }
    return schema, {"fields": fields}


OBJECTS = st.dictionaries(st.sampled_from("xy"), VALUES)
DATA = st.fixed_dictionaries(
    {}, optional=dict.fromkeys("bcde", VALUES) | {"a": OBJECTS, "f": st.lists(OBJECTS, max_size=3)}
)


@given(forms(), DATA)
@settings(max_examples=400)
def test_the_form_and_the_schema_in_force_agree(
    form: tuple[dict[str, Any], dict[str, Any]], data: dict[str, Any]
) -> None:
    schema, ui = form
    checked = Form.compile(schema, ui).check(data)
    derived = derive(schema, ui, data)
    assert derived.hidden == checked.hidden
    in_force = {(fault.path, fault.keyword) for fault in compile_schema(derived.schema).faults(checked.value, 100)}
    found = {(fault.path, fault.keyword) for fault in checked.faults}
    assert found <= in_force
    assert found == in_force or len(checked.faults) == 10


@given(forms(), DATA)
@settings(max_examples=400)
def test_what_is_hidden_is_what_the_rules_say_of_what_is_left(
    form: tuple[dict[str, Any], dict[str, Any]], data: dict[str, Any]
) -> None:
    """There is one answer, and it holds of itself: every condition, asked of the pruned value, says what was done."""
    schema, ui = form
    checked = Form.compile(schema, ui).check(data)
    hidden = set(map(pointer, checked.hidden))
    for path, around, said in places(ui["fields"], checked.value, checked.value, ""):
        shown = "show_if" not in said or Condition.read(said["show_if"]).holds(checked.value, around)
        assert shown is (path not in hidden)


def places(fields: dict[str, Any], value: Any, around: Any, at: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for name, said in fields.items():
        yield f"{at}/{name}", around, said
        inner = around.get(name)
        if isinstance(inner, dict):
            yield from places(said.get("fields", {}), value, inner, f"{at}/{name}")
        elif isinstance(inner, list):
            for index, element in enumerate(inner):
                yield from places(said.get("fields", {}), value, element, f"{at}/{name}/{index}")
