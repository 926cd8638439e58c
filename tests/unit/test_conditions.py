"""`allow_if`: what holds, what denies, and what is refused before it could take long."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.codes import Code
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.server.access.policy.conditions import (
    ARGUMENT_BYTES,
    MACRO_BYTES,
    TEXT_CHARACTERS,
    Facts,
    compile_condition,
    denial,
    why_not,
)
from croupier.server.access.policy.hours import is_between, is_day

MONDAY_NOON = 1_763_985_600_000
"""2025-11-24 12:00 UTC, which is 20:00 in Shanghai."""


def facts(payload=b'{"amount": 5, "owner": "ann", "deep": {"owner": "bob"}, "items": [{"n": 1}, {"n": 2}]}', **changes):
    fields = {
        "user": "ann",
        "user_id": "u1",
        "roles": ["support", "viewer"],
        "scope": Scope("game1", "prod"),
        "function_id": "player.ban",
        "risk": "high",
        "payload": payload,
        "now_ms": MONDAY_NOON,
        "has_permission": lambda name: name == "player:ban",
    }
    return Facts(**fields | changes)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "has_role('admin') || (user == 'ann' && game_id != 'y')",
        'has_role("support")',
        "!has_role('admin')",
        "has_permission('player:ban')",
        "is_owner('owner')",
        "is_owner('$.owner')",
        "time_between('09:00','18:00')",
        "time_between('22:00','13:00')",
        "time_between('19:59', '20:01', 'Asia/Shanghai')",
        "day_of_week('mon')",
        "day_of_week('Monday', 'tue')",
        "game_id == 'game1' && env == 'prod' && function_id == 'player.ban' && risk == 'high'",
        "args.amount <= 100 && has(args.owner)",
        "args.items.all(item, item.n < 3)",
        "args.items.exists(item, item.n == 2) && size(args.items) == 2",
        "'viewer' in roles",
        "roles.exists(role, role.startsWith('sup'))",
        "now < timestamp('2030-01-01T00:00:00Z') && now.getHours() == 12",
        "user.matches('^[a-z]+$')",
        "args.amount > 10 ? has_role('admin') : true",
        "\n  user == 'ann'\n  && env == 'prod'\n",
    ],
)
def test_a_condition_that_is_true_allows(text):
    assert why_not(text, facts()) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("false", "does not hold"),
        ("has_role('admin')", "does not hold"),
        ("is_owner('deep.owner')", "does not hold"),
        ("is_owner('nothing')", "does not hold"),
        ("time_between('13:00','18:00')", "does not hold"),
        ("day_of_week('tue')", "does not hold"),
        ("1", "neither true nor false"),
        ("'true'", "neither true nor false"),
        ("null", "neither true nor false"),
        ("args", "neither true nor false"),
        ("args.nothing == 1", "failed"),
        ("user > 5", "failed"),
        ("args.amount == args", "does not hold"),
        ("1 / 0 == 1", "failed"),
        ("true || nope", "unknown name 'nope'"),
        ("true || nope('x')", "unknown function 'nope'"),
        ("user.nope()", "unknown function 'nope'"),
        ("has_role(5) || true", "texts are expected"),
        ("has_role() || true", "texts are expected"),
        ("is_owner(args) || true", "texts are expected"),
        ("time_between('9', '18:00') || true", "no time of day"),
        ("time_between('09:00') || true", "time_between"),
        ("time_between('09:00', '18:00', 'Moon/Base') || true", "no time zone"),
        ("time_between('09:00', '18:00', '../../etc/passwd') || true", "no time zone"),
        ("day_of_week('someday') || true", "no day"),
        ("user === 'ann'", "Syntax error"),
        ("user == ", "Syntax error"),
        ("Foo{a: 1} == 1", "failed"),
        ("", "1 to"),
        ("   ", "1 to"),
        ("user == 'ann' // who else", "no comments"),
        ("user == 'a\x00'", "no control characters"),
        ("cel.bind(x, 1, true)", "unknown name"),
        ("user.matches(args.owner)", "written out"),
        ("args.items.all(user, true)", "has a meaning already"),
    ],
)
def test_anything_else_denies_and_says_why(text, reason):
    assert reason in (why_not(text, facts()) or "it was allowed")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "true" + ")" * 500,
        "[" * 300 + "]" * 300 + " == []",
        "true" + " && true" * 1_000,
        "'" + "x" * 5_000 + "' == user",
        "args.items.all(a, args.items.all(b, args.items.all(c, true)))",
        "args.items.map(a, [a, a]).map(b, [b, b]).size() > 0",
        "[args.items.map(a, [a, a, a])][0].all(b, b == b)",
        "args.items.all(a, args.items == args.items)",
        "args.items.all(a, a.s.matches('(x+x+)+y'))",
        "args.items . all (a, args.items\n.\nall(b, true))",
        "user.matches('(\\\\pL{100}){100}')",
        "user.matches('" + "[a-z]" * 100 + "')",
        "args.a.all(x, true) && args.b.all(x, true) && args.c.all(x, true)",
        "size(" + "+".join(["args.s"] * 10) + ") > 5",
        "args.l.all(x, 'operator' in roles)",
        "args.l.all(x, time_between('09:00', '10:00', 'Asia/Shanghai'))",
        "args.s.matches(r'" + r"\w*" * 35 + "')",
        r"args.s.matches(r'\pL\pN\pL\pN\pL')",
        "args.s.matches('(?i)abc')",
    ],
)
def test_what_could_take_long_is_refused_before_it_runs(text):
    with pytest.raises(InvalidArgument):
        compile_condition(text)
    assert "nobody may call it" in why_not(text, facts())


@pytest.mark.parametrize(("text", "limit"), [("args.s != ''", ARGUMENT_BYTES), ("args.l.all(x, x == 1)", MACRO_BYTES)])
def test_a_condition_looks_at_arguments_of_a_bounded_size_only(text, limit):
    payload = b'{"l": [1], "s": "' + b"x" * limit + b'"}'
    assert "looks at arguments of at most" in why_not(text, facts(payload))
    assert why_not("user == 'ann'", facts(payload)) == ""


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("args.l != []", {"l": [{}] * 2_600}),
        ("args.l != []", {"l": [[]] * 2_600}),
        ("args.l.all(x, x != 5)", {"l": [1] * 1_001}),
        ("size(args.l.map(x, x)) > 0", {"l": [1] * 101}),
        ("size(args.l.filter(x, x > 0)) > 0", {"l": [1] * 101}),
        ("size([" + ",".join(["args"] * 250) + "]) > 0", {"l": [1] * 200}),
        (" || ".join(f"{number} in args.l" for number in range(2, 100)), {"l": [1] * 250}),
        ("args" + ".a" * 600 + " == 1", {"l": [1] * 100}),
        ("size([" + ",".join(["args"] * 250) + "]) > 0", {"s": "x" * 20_000}),
    ],
)
def test_the_more_often_a_condition_names_arguments_the_smaller_they_must_be(text, payload):
    assert "looks at arguments of at most" in why_not(text, facts(orjson.dumps(payload)))


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("args.amount <= 100", {"amount": 5, "players": list(range(9_000))}),
        ("args.amount <= 100 && args.kind != 'gold'", {"amount": 5, "kind": "x", "items": [{"id": "p1"}] * 2_000}),
        ("args.l.all(x, x.n + 1 < 9)", {"l": [{"n": 1}] * 400}),
        ("size(args.l.filter(x, x > 0)) == 90", {"l": [1] * 90}),
    ],
)
def test_arguments_as_they_are_used_to_be_are_looked_at(text, payload):
    assert why_not(text, facts(orjson.dumps(payload))) == ""


@pytest.mark.parametrize("payload", [b"\xff", b"[1", b"{", b'{"a": NaN}'])
def test_arguments_that_are_not_json_deny_where_they_are_looked_at(payload):
    assert "not JSON" in why_not("args.a == 1", facts(payload))
    assert "not JSON" in why_not("is_owner('a')", facts(payload))


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"1", b"null", b'"text"', b'{"a": 1e400}', b'{"a": 99999999999999999999}']
)
def test_arguments_of_another_shape_deny(payload):
    assert why_not("args.a == 1", facts(payload))
    assert why_not("is_owner('a')", facts(payload))


def test_deep_arguments_are_looked_at_without_harm():
    assert why_not("args.a == 1", facts(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"))


@given(st.text(max_size=200))
def test_any_text_allows_only_by_being_a_condition_that_is_true(text):
    assert isinstance(why_not(text, facts()), str)


WORDS = st.sampled_from(
    [
        "user",
        "args",
        "args.items",
        "has_role",
        "(",
        ")",
        "'ann'",
        "==",
        "||",
        "&&",
        "!",
        ".all(",
        "x",
        ",",
        "1",
        "[",
        "]",
        "true",
        "+",
        "?",
        ":",
        "matches",
        ".",
        "is_owner('owner')",
        "nope",
        "{",
        "}",
        "\\",
        '"',
        "-",
    ]
)


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_no_heap_of_words_breaks_the_evaluation(text):
    assert isinstance(why_not(text, facts()), str)
    assert len(text) <= TEXT_CHARACTERS


@given(st.binary(max_size=60))
def test_no_arguments_break_the_evaluation(payload):
    assert isinstance(why_not("args.a.b[0] == 'x' || is_owner('a.b')", facts(payload)), str)


@pytest.mark.parametrize(
    ("begin", "end", "holds"),
    [
        ("12:00", "12:01", True),
        ("11:00", "12:00", False),
        ("12:00", "12:00", False),
        ("00:00", "24:00", True),
        ("18:00", "12:01", True),
        ("12:01", "12:00", False),
    ],
)
def test_a_time_of_day_begins_with_its_first_minute_and_ends_before_its_last(begin, end, holds):
    assert is_between(MONDAY_NOON, begin, end) is holds


def test_days_follow_the_zone_that_is_named_last():
    late = MONDAY_NOON + 6 * 3_600_000
    assert is_day(late, "mon")
    assert is_day(late, "tue", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "code", "parameter"),
    [
        ("user == 'bob'", Code.CONDITION_FAILS, "condition"),
        ("user ==", Code.CONDITION_UNUSABLE, "fault"),
        ("args.missing == 1", None, ""),
        ("args.amount", None, ""),
    ],
)
def test_a_denial_is_named_for_what_it_is(text, code, parameter):
    found = denial(text, facts())
    assert found is not None
    assert (found.code, list(found.parameters)) == (code, [parameter] if parameter else [])
    assert denial("true", facts()) is None


def test_a_long_condition_is_named_in_part():
    found = denial(f"user == '{'x' * 1_000}'", facts())
    assert found is not None
    assert len(found.parameters["condition"]) == 300
