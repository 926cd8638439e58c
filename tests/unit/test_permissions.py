"""Permissions as text: one spelling, what a pattern covers, and anything else refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.permission import PAGE, PERMISSION_BYTES, Permissions, read_pattern, read_permission
from croupier.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("packs.read", "packs:read"),
        ("packs:read", "packs:read"),
        ("player.ban.now", "player:ban:now"),
        ("player:ban.now", "player:ban:now"),
        ("function:player.ban", "function:player.ban"),
        ("function.player.ban", "function:player.ban"),
        ("function:a:b", "function:a:b"),
        ("玩家.封禁", "玩家:封禁"),
    ],
)
def test_a_permission_has_one_spelling(text, spelled):
    assert read_permission(text) == spelled
    assert read_permission(spelled) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "", "packs", ".", ":", "a:", ":a", "a..b", "packs: read", "packs:re ad", "packs:*", "*", "a:b|c", "a:b,c", "a\n:b",
        "function:", "function:*", "function:a b", "function:a\x00", "packs:'read'", "a:" + "b" * PERMISSION_BYTES,
    ],
)  # fmt: skip
def test_what_is_no_permission_is_refused(text):
    with pytest.raises(InvalidArgument):
        read_permission(text)


@pytest.mark.parametrize("text", ["a*", "*:read", "a:*:b", "**", "function:pl*ayer", "function:player*", "a:b*", "*."])
def test_a_star_stands_for_whole_parts_at_the_end_only(text):
    with pytest.raises(InvalidArgument):
        read_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "permission"),
    [
        ("*", "packs:read"), ("*", "function:player.ban"), ("packs:*", "packs:read"), ("packs.*", "packs:read"),
        ("packs:read", "packs:read"), ("function:*", "function:player.ban"), ("function:player.*", "function:player.ban"),
        ("function:player.*", "function:player.ban.now"), ("player:*", "player:ban"), ("player.ban", "player:ban"),
    ],
)  # fmt: skip
def test_a_pattern_covers_what_begins_with_it(pattern, permission):
    assert Permissions([pattern]).covering(permission)


@pytest.mark.parametrize(
    ("pattern", "permission"),
    [
        ("packs:read", "packs:change"), ("packs:*", "packets:read"), ("function:player.*", "function:playerban"),
        ("function:player.*", "function:player"), ("player:*", "function:player.ban"), ("function:*", "player:ban"),
        ("packs:read", "packs:read:all"),
    ],
)  # fmt: skip
def test_a_pattern_covers_nothing_else(pattern, permission):
    assert not Permissions([pattern]).covering(permission)


def test_who_may_manage_something_may_read_it_and_not_the_other_way_round():
    assert Permissions(["limits:manage"]).covering("limits:read") == "limits:manage"
    assert not Permissions(["limits:read"]).covering("limits:manage")
    assert not Permissions(["function:x:manage"]).covering("function:x:read")


def test_no_patterns_cover_nothing():
    assert not any(map(Permissions(()).covering, PAGE))


def test_every_permission_of_the_page_is_in_its_one_spelling():
    assert all(read_permission(each) == each for each in PAGE)


def test_a_set_is_within_another_that_covers_each_of_its_patterns():
    some = Permissions(["function:player.*", "packs:read"])
    assert some.within(Permissions(["function:*", "packs:*"]))
    assert not some.within(Permissions(["function:*"]))
    assert not Permissions(["*"]).within(some)


def test_too_many_patterns_are_refused():
    with pytest.raises(InvalidArgument):
        Permissions(f"function:f{number}" for number in range(1_001))


@given(st.text(max_size=400))
def test_any_text_is_a_permission_or_refused_and_never_means_more(text):
    try:
        found = read_permission(text)
    except InvalidArgument:
        return
    assert read_permission(found) == found
    assert "*" not in found
    assert Permissions([text]).covering(found) == found
    assert not Permissions([text]).covering("packs:change") or found == "packs:change"


@given(st.text(max_size=60))
def test_any_pattern_covers_only_what_begins_like_it(text):
    try:
        pattern = read_pattern(text)
    except InvalidArgument:
        return
    for permission in ("packs:read", "function:player.ban", "users:manage"):
        if Permissions([text]).covering(permission):
            assert permission.startswith(pattern.removesuffix("*"))
