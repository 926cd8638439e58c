"""Names of refusals are kept in three places beside each other: the program, its description of the API, and the reference."""

import json
import re
from pathlib import Path

import pytest

from croupier.codes import Code
from croupier.domain.causes import DESCRIPTION, TWO_PERSON, by_limit, by_risk, by_rule, cause_of
from croupier.errors import BY_REASON
from croupier.server.http.problems import STATUS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def schemas():
    return json.loads((REFERENCE / "openapi.json").read_text())["components"]["schemas"]


def test_every_code_stands_in_the_reference_and_no_other():
    listed = re.findall(r"^\| `(\w+)` \|", (REFERENCE / "refusals.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(Code)


def test_the_page_gets_every_code_and_every_reason_as_a_type():
    described = schemas()
    assert sorted(described["Code"]["enum"]) == sorted(Code)
    assert described["Problem"]["properties"]["reason"]["enum"] == list(STATUS)
    assert set(STATUS) >= set(BY_REASON)


@pytest.mark.parametrize(
    ("words", "code", "parameters"),
    [
        (TWO_PERSON, Code.TWO_PERSON_RULE, {}),
        (DESCRIPTION, Code.DESCRIPTION_ASKS, {}),
        (by_rule("bans: twice"), Code.RULE, {"rule": "bans: twice"}),
        (by_risk("high"), Code.RISK, {"risk": "high"}),
        (by_limit("gold", "too much: 7"), Code.OVER_LIMIT, {"limit": "gold", "message": "too much: 7"}),
        ("the arguments changed", Code.CHANGED, {"what": "arguments_sha256"}),
        ("the moon changed", None, {}),
        ("an older reason", None, {}),
    ],
)
def test_what_a_request_keeps_in_words_is_read_back_by_name(words, code, parameters):
    cause = cause_of(words)
    assert (cause.code, dict(cause.parameters), cause.detail) == (code, parameters, words)
