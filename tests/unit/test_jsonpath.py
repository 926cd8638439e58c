"""Where a hash key is found in a payload: JSONPath that names one value, and anything else is refused with its place."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.descriptors.paths import PATH_CHARACTERS, single_value_path
from croupier.domain.call import Call, Route
from croupier.domain.function import Function
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.server.dispatch.hashing import with_hash_key

PLAYER = {
    "player": {"id": "p1", "a b": "2", "it's": "3", 'say "hi"': "4", "名字": "5"},
    "teams": [{"name": "red"}, {"name": "blue"}],
}


def key_at(query: str, payload: Any = PLAYER) -> str:
    call = Call(
        id="c",
        function_id="f",
        scope=Scope("demo", "dev"),
        payload=orjson.dumps(payload),
        caller="x",
        route=Route.HASH,
    )
    return with_hash_key(call, Function(id="f", hash_path=query)).hash_key


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$.player.id", "p1"),
        ("$['player']['id']", "p1"),
        ('$["player"].id', "p1"),
        ("$[ 'player' ]['a b']", "2"),
        (r"$.player['it\'s']", "3"),
        ("""$.player['say "hi"']""", "4"),
        ("$.player.名字", "5"),
        (r"$.player['\u540d\u5b57']", "5"),
        ("$.teams[0].name", "red"),
        ("$.teams[-1].name", "blue"),
    ],
)
def test_a_path_finds_the_key_in_the_payload(query: str, found: str) -> None:
    assert key_at(query) == found


@pytest.mark.parametrize(
    "query", ["$", "$.teams[2].name", "$.teams.name", "$.player[0]", "$.player.id.more", "$.nobody"]
)
def test_a_payload_without_a_key_at_the_path_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument, match="route hash needs a text or number"):
        key_at(query)


@pytest.mark.parametrize("payload", ["p1", 7, None, True])
def test_a_payload_that_is_no_object_has_no_key(payload: Any) -> None:
    with pytest.raises(InvalidArgument, match="route hash needs a text or number"):
        key_at("$.player.id", payload)


@pytest.mark.parametrize(
    "query",
    ["", "player.id", "$.", "$..id", "$.*", "$[*]", "$.teams[0:1]", "$[?@.id]", "$['a", "$[01]", "$[-0]", "$[1,2]", "$.1", "$.a | $.b"],
)  # fmt: skip
def test_whatever_could_name_more_than_one_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument, match="JSONPath"):
        single_value_path(query)


def test_an_endless_path_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=str(PATH_CHARACTERS)):
        single_value_path("$" + ".a" * PATH_CHARACTERS)


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused_with_words(text: str) -> None:
    try:
        path = single_value_path("$" + text)
    except InvalidArgument:
        return
    path.match(PLAYER)
