"""The official JSONPath Compliance Suite against the environment of every condition, path and transform."""

from typing import Any

import pytest
from tests.conformance.forms.fixtures import suite

from croupier.errors import InvalidArgument
from croupier.forms.queries import read_query

TESTS = suite("suites/jsonpath")["tests"]


def test_the_suite_is_whole() -> None:
    assert len(TESTS) == 687


@pytest.mark.parametrize("test", [pytest.param(test, id=test["name"]) for test in TESTS])
def test_a_query_of_the_suite_finds_what_rfc_9535_says(test: dict[str, Any]) -> None:
    if test.get("invalid_selector"):
        with pytest.raises(InvalidArgument):
            read_query(test["selector"])
        return
    found = list(read_query(test["selector"]).finditer(test["document"]))
    assert [node.obj for node in found] in test.get("results", [test.get("result")])
    assert [node.path for node in found] in test.get("results_paths", [test.get("result_paths")])
