"""Names of refusals are kept in three places beside each other: the program, its description of the API, and the reference."""

import json
import re
from pathlib import Path

import pytest

from croupier.codes import Code
from croupier.domain.account import checked_groups, checked_name, checked_text
from croupier.domain.approval import text
from croupier.domain.assignment import Assignment, read_assignments
from croupier.domain.bulk import Plan
from croupier.domain.causes import DESCRIPTION, TWO_PERSON, by_limit, by_risk, by_rule, cause_of
from croupier.domain.limit import Limit, Rate, check_limit
from croupier.domain.machine import check_hosts
from croupier.domain.maintenance import Window, check_window
from croupier.domain.permission import Permissions
from croupier.domain.policy import read_binding, read_place, read_role
from croupier.domain.scope import parse_scope
from croupier.domain.secret import SecretPlace, check_place, check_value
from croupier.errors import BY_REASON, InvalidArgument
from croupier.server.access.passwords import check_new
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


def a_limit(**changes):
    return Limit(**{"id": "bans", "functions": "player.*", "game_id": "demo", "env": "dev"} | changes)


def a_window(**changes):
    given = {"id": "m1", "game_id": "demo", "env": "dev", "reason": "new season", "starts_ms": 0, "ends_ms": 0}
    return Window(**given | {"created_by": "ann", "created_ms": 0} | changes)


@pytest.mark.parametrize(
    ("wrong", "code", "parameters"),
    [
        (lambda: checked_name("ann b"), Code.NAME_WRONG, {"field": "account"}),
        (lambda: checked_text("a" * 1_000, "a text", field="email"), Code.FIELD_TOO_LONG, {"field": "email"}),
        (lambda: checked_groups(frozenset({" "})), Code.NAME_WRONG, {"field": "group"}),
        (lambda: text("comment", " ", required="say why"), Code.FIELD_MISSING, {"field": "comment"}),
        (lambda: text("ticket", "abc", most=2), Code.FIELD_TOO_LONG, {"field": "ticket", "most": "2"}),
        (lambda: Assignment(["a*b"]), Code.FUNCTION_PATTERN_WRONG, {"given": "a*b"}),
        (lambda: read_assignments({"demo|dev": ["a*b"]}), Code.FUNCTION_PATTERN_WRONG, {"given": "a*b"}),
        (lambda: Plan(canary=-1), Code.OUT_OF_RANGE, {"field": "canary", "least": "0", "most": "100000"}),
        (lambda: check_limit(a_limit(id="Bans")), Code.NAME_WRONG, {"field": "limit"}),
        (lambda: check_limit(a_limit()), Code.LIMIT_EMPTY, {}),
        (lambda: check_limit(a_limit(rate=Rate(calls=0, seconds=1))), Code.LIMIT_RATE_WRONG, {}),
        (lambda: check_limit(a_limit(concurrency=-1)), Code.OUT_OF_RANGE, {"field": "concurrency"}),
        (lambda: check_hosts(("*.example.org",)), Code.HOST_WRONG, {"given": "*.example.org"}),
        (lambda: check_window(a_window(reason=""), 0), Code.WINDOW_REASON_WRONG, {"most": "1000"}),
        (lambda: check_window(a_window(ends_ms=1), 2), Code.WINDOW_ENDS_EARLY, {}),
        (lambda: check_window(a_window(starts_ms=10**12), 0), Code.WINDOW_TOO_FAR, {}),
        (lambda: Permissions(["x"]), Code.PERMISSION_WRONG, {"given": "x"}),
        (lambda: read_role("Ops", []), Code.NAME_WRONG, {"field": "role"}),
        (lambda: read_binding("bob", "ops"), Code.SUBJECT_WRONG, {"given": "bob"}),
        (lambda: read_place("demo"), Code.SCOPE_WRONG, {"given": "demo"}),
        (lambda: parse_scope("demo", ""), Code.SCOPE_MISSING, {"field": "env"}),
        (lambda: parse_scope("de mo", "dev"), Code.NAME_WRONG, {"field": "game_id"}),
        (lambda: check_place(SecretPlace(name="", game_id="*", env="*")), Code.NAME_WRONG, {"field": "secret"}),
        (lambda: check_value(b""), Code.SECRET_EMPTY, {}),
        (lambda: check_new("short", "ann"), Code.PASSWORD_SHORT, {}),
        (lambda: check_new("aaaaaaaaaaaaaaaa", "ann"), Code.PASSWORD_EASY, {}),
    ],
)
def test_what_people_fill_in_wrongly_is_told_by_name(wrong, code, parameters):
    with pytest.raises(InvalidArgument) as refused:
        wrong()
    assert refused.value.code is code
    assert parameters.items() <= refused.value.details.items()
    assert all(isinstance(each, str) for each in refused.value.details.values())
