"""What is sealed opens in its own place with its own key, and nowhere else."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.scope import Scope
from croupier.domain.secret import MOST_VERSIONS, Secret, SecretPlace, SecretVersion, VersionState, add, move, nearest
from croupier.errors import CroupierError, FailedPrecondition, NotFound
from croupier.server.access.secrets import Envelope

PLACE = SecretPlace("db.password", "demo", "dev")
KEY, OTHER = os.urandom(32), os.urandom(32)


def version(envelope: Envelope, value: bytes, number: int = 1, place: SecretPlace = PLACE) -> SecretVersion:
    wrapped, sealed = envelope.close(place, number, value)
    return SecretVersion(
        number=number, key_id=envelope.key_id, wrapped=wrapped, sealed=sealed, created_by="ann", created_ms=1
    )


@given(st.binary(min_size=1, max_size=2000))
def test_a_value_comes_out_as_it_went_in_and_is_never_sealed_alike(value):
    envelope = Envelope(KEY)
    first, second = version(envelope, value), version(envelope, value)
    assert envelope.open(PLACE, first) == envelope.open(PLACE, second) == value
    assert first.sealed != second.sealed
    assert first.wrapped != second.wrapped


@pytest.mark.parametrize(
    "place",
    [SecretPlace("other", "demo", "dev"), SecretPlace("db.password", "demo", "prod"), SecretPlace("db.password")],
)
def test_a_version_does_not_open_in_another_place(place):
    envelope = Envelope(KEY)
    with pytest.raises(FailedPrecondition, match="changed in the database"):
        envelope.open(place, version(envelope, b"value"))


def test_a_version_does_not_open_under_another_number_nor_with_parts_of_another():
    envelope = Envelope(KEY)
    one, two = version(envelope, b"one"), version(envelope, b"two", number=2)
    for bent in (replace(one, number=2), replace(two, wrapped=one.wrapped), replace(two, sealed=one.sealed)):
        with pytest.raises(FailedPrecondition):
            envelope.open(PLACE, bent)


@given(st.integers(0, 2**16), st.sampled_from(["wrapped", "sealed"]))
def test_any_bit_that_is_turned_is_noticed(at, part):
    envelope = Envelope(KEY)
    kept = version(envelope, b"value")
    raw = bytearray(getattr(kept, part))
    raw[at // 8 % len(raw)] ^= 1 << at % 8
    with pytest.raises(FailedPrecondition):
        envelope.open(PLACE, replace(kept, **{part: bytes(raw)}))


def test_another_key_opens_nothing_and_says_which_one_did():
    kept = version(Envelope(KEY), b"value")
    with pytest.raises(FailedPrecondition, match=kept.key_id):
        Envelope(OTHER).open(PLACE, kept)


def test_an_earlier_key_opens_and_is_replaced():
    kept = version(Envelope(KEY), b"value")
    envelope = Envelope(OTHER, [KEY])
    assert envelope.is_stale(kept)
    rewrapped = envelope.rewrap(PLACE, kept)
    assert not envelope.is_stale(rewrapped)
    assert rewrapped.sealed == kept.sealed
    assert Envelope(OTHER).open(PLACE, rewrapped) == b"value"


def test_a_renewed_version_has_another_data_key_and_the_same_value():
    envelope = Envelope(KEY)
    kept = version(envelope, b"value")
    renewed = envelope.renew(PLACE, kept)
    assert renewed.sealed != kept.sealed
    assert renewed.wrapped != kept.wrapped
    assert envelope.open(PLACE, renewed) == b"value"


def test_an_envelope_says_nothing_of_its_keys():
    told = repr(Envelope(KEY)) + str(vars(Envelope)) + Envelope(KEY).key_id
    assert KEY.hex() not in told
    assert repr(KEY)[2:-1] not in told


# ------------------------------------------------------------------------------------------------ versions


def a_secret(*states: VersionState) -> Secret:
    versions = tuple(
        SecretVersion(number=number, state=state, key_id="k", wrapped=b"w", sealed=b"s", created_by="ann", created_ms=1)
        for number, state in enumerate(states, start=1)
    )
    return Secret(place=PLACE, versions=versions, last=len(versions), changed_by="ann", changed_ms=1)


E, D, X = VersionState.ENABLED, VersionState.DISABLED, VersionState.DESTROYED


@pytest.mark.parametrize(("states", "current"), [((E, E), 2), ((E, D), 1), ((D, X), 0), ((), 0), ((E, X, D), 1)])
def test_the_newest_enabled_version_is_used(states, current):
    found = a_secret(*states).current
    assert (found.number if found else 0) == current


def test_a_destroyed_version_has_no_value_and_stays_destroyed():
    secret = move(a_secret(E, E), 1, X, by="bob", now_ms=9)
    assert (secret.version(1).wrapped, secret.version(1).sealed) == (b"", b"")
    assert secret.version(2).sealed == b"s"
    with pytest.raises(FailedPrecondition):
        move(secret, 1, E, by="bob", now_ms=9)
    with pytest.raises(NotFound):
        move(secret, 7, D, by="bob", now_ms=9)


def test_versions_are_bounded_and_numbers_never_given_twice():
    secret = a_secret()
    for number in range(1, 4 * MOST_VERSIONS):
        one = SecretVersion(number=secret.last + 1, key_id="k", wrapped=b"w", sealed=b"s", created_by="a", created_ms=1)
        secret = move(add(secret, one), one.number, X, by="a", now_ms=1)
        assert secret.last == number
    assert len(secret.versions) <= 2 * MOST_VERSIONS + 1
    with pytest.raises(CroupierError, match="destroy some"):
        add(a_secret(*[E] * MOST_VERSIONS), one)


def test_a_name_is_looked_for_near_before_far():
    assert nearest(Scope("demo", "dev"), "n") == [
        SecretPlace("n", "demo", "dev"),
        SecretPlace("n", "demo"),
        SecretPlace("n"),
    ]
    assert nearest(None, "n") == [SecretPlace("n")]
