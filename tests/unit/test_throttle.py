"""Guessing is slow, and keeps nobody out who does not guess."""

import pytest

from croupier.errors import RateLimited
from croupier.server.access.throttle import ACCOUNT_TRIES, ADDRESS_TRIES, KEPT, Throttle, network_of


class Turned:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Turned()


@pytest.fixture
def throttle(clock):
    return Throttle(clock)


def wait(throttle, account="ann", address="192.0.2.1", **known):
    """How long the next try must wait; 0 where it may be made, and then it fails."""
    try:
        throttle.enter(account, address, **known)
    except RateLimited as refused:
        return refused.retry_after
    return 0


def test_three_tries_are_free_then_waits_double_up_to_a_quarter_of_an_hour(throttle, clock):
    assert [wait(throttle) for _ in range(3)] == [0, 0, 0]
    waits = []
    for _ in range(14):
        waits.append(wait(throttle))
        clock.now += waits[-1]
        assert wait(throttle) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


def test_a_refused_try_does_not_make_the_wait_longer(throttle, clock):
    for _ in range(3):
        wait(throttle)
    assert {wait(throttle) for _ in range(100)} == {1}
    clock.now += 1
    assert wait(throttle) == 0


def test_who_succeeds_begins_anew(throttle):
    for _ in range(25):
        throttle.enter("ann", "192.0.2.1")
        throttle.enter("ann", "192.0.2.1").forgive()


def test_tries_are_forgotten_in_time(throttle, clock):
    for _ in range(3):
        wait(throttle)
    clock.now += 3601
    assert [wait(throttle) for _ in range(3)] == [0, 0, 0]


def test_an_address_has_a_budget_whatever_the_accounts(throttle, clock):
    assert {wait(throttle, f"user{number}") for number in range(ADDRESS_TRIES)} == {0}
    assert wait(throttle, "another") == 10
    assert wait(throttle, "another", "192.0.2.2") == 0
    clock.now += 10
    assert wait(throttle, "another") == 0


def test_addresses_of_one_ipv6_network_count_as_one(throttle):
    tries = [wait(throttle, f"user{n}", f"2001:db8::{n:x}") for n in range(ADDRESS_TRIES + 1)]
    assert tries[-1] > 0
    assert wait(throttle, "ann", "2001:db8:0:1::1") == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("a unix socket", "a unix socket"),
    ],
)
def test_what_one_caller_has_of_addresses(address, network):
    assert network_of(address) == network


def guess_from_everywhere(throttle, tries):
    return sum(wait(throttle, "ann", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") == 0 for n in range(tries))


def test_ten_thousand_tries_from_one_address_are_few_that_count(throttle, clock):
    tried = 0
    for _ in range(10_000):
        tried += wait(throttle) == 0
        clock.now += 1
    assert tried < 25


def test_ten_thousand_addresses_do_not_lock_the_owner_out(throttle):
    assert guess_from_everywhere(throttle, 10_000) == 10_000  # one each
    assert wait(throttle, "ann", "192.0.2.1") == 0, "the owner at a new address"
    assert [wait(throttle, "ann", "192.0.2.2", is_known=True) for _ in range(3)] == [0, 0, 0], "and at a known one"
    assert wait(throttle, "bob", "192.0.2.3") == 0, "and everybody else"


def test_where_an_account_is_guessed_at_strangers_get_one_try_and_then_wait_long(throttle):
    guess_from_everywhere(throttle, ACCOUNT_TRIES)
    assert [wait(throttle, "ann", "192.0.2.1") for _ in range(2)] == [0, 60]


def test_names_that_nobody_has_count_like_others(throttle):
    assert [wait(throttle, "nobody") for _ in range(4)] == [0, 0, 0, 1]


def test_what_is_remembered_is_bounded(throttle):
    for number in range(KEPT + 100):
        wait(throttle, f"user{number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    for kept in (throttle._pairs, throttle._addresses, throttle._accounts):
        assert len(kept._kept) == KEPT
