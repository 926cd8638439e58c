"""What limits mean: rates as buckets, budgets by the calendar, amounts exactly."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.limit import (
    MICRO,
    MOST_AMOUNT,
    Budget,
    Limit,
    Period,
    Rate,
    amount_of,
    amount_text,
    check_limit,
    span_at,
)
from croupier.domain.maintenance import Window, WindowState, check_window, end
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, InvalidArgument
from croupier.server.access.limits.rates import MOST_BUCKETS, Rates

HERE = Scope("demo", "dev")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


# ------------------------------------------------------------------------------------------------ rates


@given(
    st.sampled_from([Rate(calls=5, seconds=1), Rate(calls=0.5, seconds=1), Rate(calls=10, seconds=60)]),
    st.lists(st.floats(0, 3), max_size=200),
)
def test_no_window_takes_more_than_a_full_bucket_and_what_was_earned_meanwhile(rate, pauses):
    clock = Clock()
    rates = Rates(clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        if not rates.wait("f", rate, clock.now):
            rates.take("f", rate, clock.now)
            taken.append(clock.now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            earned = max(rate.calls, 1.0) + (taken[last] - taken[first]) / rate.interval
            assert last - first + 1 <= earned + 1e-6


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_who_waits_as_long_as_told_is_let_through(calls, seconds):
    rate, clock = Rate(calls=calls, seconds=seconds), Clock()
    rates = Rates(clock)
    for _ in range(20):
        clock.now += rates.wait("f", rate, clock.now)
        assert not rates.wait("f", rate, clock.now)
        rates.take("f", rate, clock.now)


def test_buckets_are_bounded_and_full_ones_go_first():
    clock, rate = Clock(), Rate(calls=1, seconds=1)
    rates = Rates(clock)
    rates.take("slow", Rate(calls=1, seconds=1e6), clock.now)
    for number in range(MOST_BUCKETS + 10):
        clock.now += 0.01
        rates.take(number, rate, clock.now)
    assert len(rates) <= MOST_BUCKETS + 1
    assert rates.wait("slow", Rate(calls=1, seconds=1e6), clock.now)
    assert rates.wait(MOST_BUCKETS + 9, rate, clock.now)


# ------------------------------------------------------------------------------------------------ budgets


@pytest.mark.parametrize(
    ("period", "zone", "now", "name", "ends"),
    [
        (Period.HOUR, "UTC", "2026-11-22T07:59:59", "2026-11-22T07", "2026-11-22T08:00:00"),
        (Period.HOUR, "Asia/Kolkata", "2026-11-22T07:45:00", "2026-11-22T13", "2026-11-22T08:30:00"),
        (Period.DAY, "UTC", "2026-11-22T00:00:00", "2026-11-22", "2026-11-23T00:00:00"),
        (Period.DAY, "Asia/Shanghai", "2026-11-22T16:00:00", "2026-11-23", "2026-11-23T16:00:00"),
        (Period.DAY, "Europe/Berlin", "2026-10-25T10:00:00", "2026-10-25", "2026-10-25T23:00:00"),
        (Period.DAY, "Europe/Berlin", "2026-03-29T10:00:00", "2026-03-29", "2026-03-29T22:00:00"),
        (Period.WEEK, "UTC", "2026-11-22T12:00:00", "2026-W47", "2026-11-23T00:00:00"),
        (Period.WEEK, "UTC", "2027-01-01T12:00:00", "2026-W53", "2027-01-04T00:00:00"),
        (Period.MONTH, "UTC", "2026-12-31T23:59:59", "2026-12", "2027-01-01T00:00:00"),
        (Period.MONTH, "America/New_York", "2026-12-01T04:59:59", "2026-11", "2026-12-01T05:00:00"),
    ],
)
def test_a_period_ends_by_the_clocks_of_its_zone(period, zone, now, name, ends):
    span = span_at(period, zone, at(now))
    assert (span.name, span.ends_ms) == (name, at(ends))


@given(st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
       st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]), st.integers(at("2020-01-01"), at("2035-01-01")))  # fmt: skip
def test_a_period_holds_until_its_end_and_no_longer(zone, period, now):
    span = span_at(period, zone, now)
    assert now < span.ends_ms
    assert span_at(period, zone, span.ends_ms - 1).name == span.name
    assert span_at(period, zone, span.ends_ms).name != span.name


@given(st.lists(st.decimals(0, 10_000, places=6), max_size=50))
def test_sums_of_amounts_are_exact(amounts):
    assert sum(amount_of(float(each)) for each in amounts) == int(sum(amounts) * MICRO)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (10_000, "10000"), (2.5, "2.5"), (0.1, "0.1"), (1e-6, "0.000001"), (1e-7, "0.000001")],
)
def test_an_amount_reads_as_it_was_written(number, text):
    assert amount_text(amount_of(number)) == text


@pytest.mark.parametrize("value", [True, "5", None, -1, -0.5, MOST_AMOUNT + 1, 1e300, float("nan"), float("inf"), [1]])
def test_what_is_no_amount_is_not_counted(value):
    with pytest.raises(InvalidArgument):
        amount_of(value)


# ------------------------------------------------------------------------------------------------ what may be said


def a_limit(**changes) -> Limit:
    return Limit(**{"id": "coins", "functions": "player.*", "concurrency": 1} | changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": "Coins"}, "name"),
        ({"id": "x" * 65}, "name"),
        ({"functions": ""}, "functions"),
        ({"functions": "a*b"}, "functions"),
        ({"functions": "a\nb"}, "printable"),
        ({"game_id": "a b"}, "game_id"),
        ({"env": ""}, "env"),
        ({"concurrency": None}, "give one"),
        ({"concurrency": -1}, "concurrency"),
        ({"rate": Rate(calls=0, seconds=1)}, "rate"),
        ({"rate": Rate(calls=float("nan"), seconds=1)}, "rate"),
        ({"budget": Budget(path="$.a", most=-1, period=Period.DAY)}, "most"),
        ({"budget": Budget(path="$.a", most=1, period=Period.DAY, zone="Mars/Olympus")}, "time zone"),
        ({"budget": Budget(path="$.a", most=1, period=Period.DAY, zone="../../etc/passwd")}, "time zone"),
        ({"budget": Budget(path="$.a", most=1, period=Period.DAY, zone="")}, "time zone"),
        ({"note": "x" * 1001}, "note"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(changes, says):
    with pytest.raises(InvalidArgument, match=says):
        check_limit(a_limit(**changes))


@pytest.mark.parametrize(
    ("limit", "function_id", "scope", "covers"),
    [
        (a_limit(), "player.ban", HERE, True),
        (a_limit(), "mail.send", HERE, False),
        (a_limit(functions="*"), "mail.send", HERE, True),
        (a_limit(functions="player.ban"), "player.ban.all", HERE, False),
        (a_limit(game_id="demo"), "player.ban", HERE, True),
        (a_limit(game_id="other"), "player.ban", HERE, False),
        (a_limit(env="prod"), "player.ban", HERE, False),
    ],
)
def test_a_limit_covers_what_it_names(limit, function_id, scope, covers):
    assert limit.covers(scope, function_id) is covers


# ------------------------------------------------------------------------------------------------ maintenance windows


def a_window(**changes) -> Window:
    fields = {"id": "mw", "reason": "hardware", "starts_ms": 100, "created_by": "ann", "created_ms": 50}
    return Window(**fields | changes)


@pytest.mark.parametrize(
    ("ends_ms", "now", "state"),
    [
        (0, 99, "planned"),
        (0, 100, "open"),
        (0, 10**15, "open"),
        (200, 199, "open"),
        (200, 200, "over"),
        (90, 95, "over"),
    ],
)
def test_a_window_is_open_from_its_start_to_its_end(ends_ms, now, state):
    assert a_window(ends_ms=ends_ms).state(now) == state


@pytest.mark.parametrize("now", [50, 100, 5_000])
def test_a_window_that_is_ended_was_never_open_later(now):
    ended = end(a_window(), by="bob", now_ms=now)
    assert ended.state(now) is WindowState.OVER
    assert ended.ended_by == "bob"
    with pytest.raises(FailedPrecondition):
        end(ended, by="bob", now_ms=now)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": " "},
        {"reason": "x" * 1001},
        {"ends_ms": 100},
        {"ends_ms": 99},
        {"starts_ms": 10**15},
        {"game_id": ""},
    ],
)
def test_a_window_that_makes_no_sense_is_refused(changes):
    with pytest.raises(InvalidArgument):
        check_window(a_window(**changes), 50)
