"""The official JSON-Schema-Test-Suite (2020-12) against the validators that calls are checked with, formats asserted.

Every exception is named here, with its reason; a test that no longer needs to be one fails until it is taken off the list.
"""

import json
from typing import Any

import pytest
from tests.conformance.forms.fixtures import suite

from croupier.descriptors import compile_schema
from croupier.errors import InvalidArgument

GROUPS = suite("suites/json-schema-2020-12")["tests"]

# References stay inside the document: a schema of a pack must mean the same wherever it is, and fetches nothing.
LEADS_OUTSIDE = {
    "defs: validate definition against metaschema",
    "dynamicRef: $ref to $dynamicRef finds detached $dynamicAnchor",
    "optional/cross-draft: refs to historic drafts are processed as historic drafts",
    "ref: remote ref, containing refs itself",
    "refRemote: remote ref",
    "refRemote: fragment within remote ref",
    "refRemote: anchor within remote ref",
    "refRemote: ref within remote ref",
    "refRemote: base URI change",
    "refRemote: base URI change - change folder",
    "refRemote: base URI change - change folder in subschema",
    "refRemote: root ref in remote ref",
    "refRemote: remote ref with ref to defs",
    "refRemote: Location-independent identifier in remote ref",
    "refRemote: retrieved nested refs resolve relative to their URI not $id",
    "refRemote: remote HTTP ref with different $id",
    "refRemote: remote HTTP ref with different URN $id",
    "refRemote: remote HTTP ref with nested absolute ref",
    "refRemote: $ref to $ref finds detached $anchor",
}

# Python's urljoin does not join a fragment to a URN. Refused, not misread.
UNJOINED = {"ref: URN ref with nested pointer ref"}

# A vocabulary of the writer's own is not heeded: the meta schema is always that of 2020-12, and all of it is asserted.
OWN_VOCABULARY = {
    "vocabulary: schema that uses custom metaschema with with no validation vocabulary: no validation: invalid number, but it still validates"
}


def name(group: dict[str, Any]) -> str:
    return f"{group['file']}: {group['description']}"


def schema_of(group: dict[str, Any]) -> dict[str, Any]:
    """A schema of ours is an object: `true` and `false` are wrapped."""
    schema = group["schema"]
    return schema if isinstance(schema, dict) else {"allOf": [schema]}


def is_decided_while_checking(group: dict[str, Any]) -> bool:
    """`$dynamicRef` and `$dynamicAnchor` are refused: two languages would have to agree on them."""
    return '"$dynamic' in json.dumps(group["schema"])


def is_refused(group: dict[str, Any]) -> bool:
    return is_decided_while_checking(group) or name(group) in LEADS_OUTSIDE | UNJOINED


def is_asserted(group: dict[str, Any], test: dict[str, Any]) -> bool:
    """The suite's `format.json` says what holds where formats are remarks; here they are asserted."""
    return group["file"] == "format" and test["description"].endswith("is only an annotation by default")


def test_the_suite_is_whole_and_its_exceptions_are_these() -> None:
    refused = [group for group in GROUPS if is_refused(group)]
    assert sum(len(group["tests"]) for group in GROUPS) == 1906
    assert (len(refused), sum(len(group["tests"]) for group in refused)) == (42, 86)
    assert sum(is_asserted(group, test) for group in GROUPS for test in group["tests"]) == 19


@pytest.mark.parametrize("group", [pytest.param(group, id=name(group)) for group in GROUPS])
def test_values_fit_as_json_schema_2020_12_says(group: dict[str, Any]) -> None:
    if is_refused(group):
        with pytest.raises(InvalidArgument):
            compile_schema(schema_of(group))
        return
    schema = compile_schema(schema_of(group))
    for test in group["tests"]:
        excepted = is_asserted(group, test) or f"{name(group)}: {test['description']}" in OWN_VOCABULARY
        assert schema.is_valid(test["data"]) is (not test["valid"] if excepted else test["valid"]), test["description"]
