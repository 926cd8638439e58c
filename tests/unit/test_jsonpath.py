"""Singular JSONPath queries: what they select, and that anything else is refused with its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.jsonpath import LONGEST, parse_path, select
from croupier.errors import InvalidArgument

PLAYER = {
    "player": {"id": "p1", "a b": 2, "it's": 3, 'say "hi"': 4, "名字": 5},
    "teams": [{"name": "red"}, {"name": "blue"}],
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$", PLAYER),
        ("$.player.id", "p1"),
        ("$['player']['id']", "p1"),
        ('$["player"].id', "p1"),
        ("$[ 'player' ]['a b']", 2),
        (r"$.player['it\'s']", 3),
        ("""$.player['say "hi"']""", 4),
        (r'$.player["say \"hi\""]', 4),
        ("$.player.名字", 5),
        (r"$.player['\u540d\u5b57']", 5),
        ("$.teams[0].name", "red"),
        ("$.teams[-1].name", "blue"),
        ("$.teams[2].name", None),
        ("$.teams[-3]", None),
        ("$.teams.name", None),
        ("$.player[0]", None),
        ("$.player.id.more", None),
        ("$.nobody", None),
    ],
)
def test_a_query_names_one_value_at_most(query: str, found: Any) -> None:
    assert select(parse_path(query), PLAYER) == found


@pytest.mark.parametrize(
    "query",
    ["", "player.id", "$.", "$..id", "$.*", "$[*]", "$.teams[0:1]", "$[?@.id]", "$['a", "$[01]", "$[-0]", "$[1,2]", "$ .a", "$.a-b", "$.1"],
)  # fmt: skip
def test_whatever_could_name_more_than_one_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument, match="JSONPath"):
        parse_path(query)


def test_an_unknown_escape_and_an_endless_query_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="escape"):
        parse_path(r"$['\x41']")
    with pytest.raises(InvalidArgument, match=str(LONGEST)):
        parse_path("$" + ".a" * LONGEST)


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused_with_words(text: str) -> None:
    try:
        path = parse_path("$" + text)
    except InvalidArgument:
        return
    select(path, PLAYER)
    assert len(path) <= len(text)


@given(st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=8), max_size=5))
def test_every_name_can_be_written_in_single_quotes(names: list[str]) -> None:
    quoted = "".join("['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']" for name in names)
    assert parse_path("$" + quoted) == tuple(names)
