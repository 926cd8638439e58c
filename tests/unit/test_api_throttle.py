"""One caller does not take the server for itself; health is answered however many ask."""

import pytest
from tests.planes.http_testbed import TOKEN, Testbed

from croupier.domain.principal import Principal
from croupier.errors import RateLimited
from croupier.server.access.limits import Throttle

ANN, BOB = Principal(name="ann", credential="s1"), Principal(name="bob", credential="s2")


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def served(throttle: Throttle, caller: Principal, times: int) -> int:
    found = 0
    for _ in range(times):
        try:
            throttle.admit(caller)
        except RateLimited:
            continue
        found += 1
    return found


def test_a_credential_has_its_share_and_another_one_has_its_own():
    clock = Clock()
    throttle = Throttle(credential=10, clock=clock)
    assert served(throttle, ANN, 100) == 20
    assert served(throttle, BOB, 100) == 20
    clock.now += 1
    assert served(throttle, ANN, 100) == 10


def test_who_is_held_back_is_told_for_how_long():
    clock = Clock()
    throttle = Throttle(address=0.5, clock=clock)
    for _ in range(4):
        throttle.stranger("10.0.0.1")
    with pytest.raises(RateLimited, match="rate limited") as refusal:
        throttle.stranger("10.0.0.1")
    assert refusal.value.retry_after == pytest.approx(2.0)
    throttle.stranger("10.0.0.2")
    clock.now += refusal.value.retry_after
    throttle.stranger("10.0.0.1")


def test_addresses_of_one_ipv6_network_are_one():
    throttle = Throttle(address=1, clock=Clock())
    for number in range(8):
        throttle.stranger(f"2001:db8::{number:x}")
    with pytest.raises(RateLimited):
        throttle.stranger("2001:db8::ffff")


def test_the_token_of_the_settings_and_zero_hold_nobody_back():
    assert served(Throttle(credential=1, clock=Clock()), Principal(name="ci", root=True), 100) == 100
    assert served(Throttle(clock=Clock()), ANN, 100) == 100


async def test_strangers_get_a_429_and_health_goes_on():
    bed = Testbed(throttle=Throttle(address=1, clock=Clock()))
    replies = [await bed.request("GET", "/api/registry", token="guess") for _ in range(10)]
    assert [reply.status for reply in replies] == [401] * 8 + [429] * 2
    assert replies[-1].json["reason"] == "rate_limited"
    assert int(replies[-1].headers["retry-after"]) >= 1
    assert (await bed.request("POST", "/api/login", token=None, json={})).status == 429
    assert (await bed.request("GET", "/healthz", token=None)).status == 200
    assert (await bed.request("GET", "/api/registry", token=TOKEN)).status == 200
