"""Versions of packs, and ranges of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.errors import InvalidArgument
from croupier.packs.versions import parse_version, satisfies


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("^1.2", "1.2.0 1.2.3 1.9", "1.1.9 2.0.0 2.0.0-beta 1.2.0-rc.1"),
        ("^0.2.3", "0.2.3 0.2.5", "0.2.2 0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0", "0.0.1 0.9", "1.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.3.0"),
        ("~1", "1.0 1.9", "2"),
        (">=1.2 <2", "1.2 1.5", "1.1 2.0 2.0.0-rc1"),
        (">=1.2, <2", "1.5", "2.0"),
        ("1.2.3", "1.2.3 v1.2.3 1.2.3+build", "1.2.4 1.2.3-rc"),
        ("=1.2.3", "1.2.3", "1.2.4"),
        ("1.2", "1.2.0 1.2.4", "1.3"),
        ("1.x", "1.0 1.9.9", "2 0.9"),
        ("1.2.*", "1.2.7", "1.3"),
        (">1.2", "1.3.0", "1.2.0 1.2.3"),
        (">1.2.3", "1.2.4", "1.2.3"),
        ("<=1.2", "1.2.3 1.0", "1.3.0"),
        ("<=1.2.3", "1.2.3", "1.2.4"),
        ("^1 || ^3", "1.1 3.1", "2.1"),
        (">=1.0.0-alpha.1", "1.0.0-alpha.2 1.0.0-beta 1.0.0", "1.0.0-alpha.0"),
        ("*", "0.0.1 2024-spring", ""),
        ("", "1.0 whatever", ""),
        ("2024-spring", "2024-spring", "2024-autumn"),
    ],
)
def test_a_range_takes_what_npm_and_cargo_would(wanted: str, inside: str, outside: str):
    assert [version for version in inside.split() if not satisfies(version, wanted)] == []
    assert [version for version in outside.split() if satisfies(version, wanted)] == []


def test_versions_compare_as_semver_says():
    order = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1"
    versions = [parse_version(text) for text in order.split()]
    assert versions == sorted(versions)


@pytest.mark.parametrize("wanted", ["abc", ">>1", "1.2.3.4.5", "^", "1 2 b", "(", "1" * 101, ">=", "^1 ||| x"])
def test_what_is_no_range_is_refused(wanted: str):
    with pytest.raises(InvalidArgument, match="write for example"):
        satisfies("1.0.0", wanted)


@given(st.text(max_size=120), st.text(max_size=120))
def test_no_text_breaks_the_comparison(version: str, wanted: str):
    try:
        assert satisfies(version, wanted) in {True, False}
    except InvalidArgument as error:
        assert "range" in error.message  # noqa: PT017 — most texts are none


@given(st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.integers(0, 30)] * 3))
def test_a_caret_keeps_the_first_number_that_is_not_zero(base: tuple[int, ...], other: tuple[int, ...]):
    first = next((place for place in range(3) if base[place]), 2)
    expected = other >= base and other[: first + 1] == base[: first + 1]
    assert satisfies(".".join(map(str, other)), "^" + ".".join(map(str, base))) is expected
