"""The life of a bulk and of its rows, and the pace, without a clock and without a store."""

from dataclasses import replace

import pytest

from croupier.domain import bulk as life
from croupier.domain.bulk import RECORD_KEPT_MS, Bulk, BulkRow, BulkState, Plan, RowState
from croupier.domain.call import CallState, Result
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import BY_REASON, FailedPrecondition, OutcomeUnknown, RateLimited, Unavailable
from croupier.server.bulk_pace import Pace, Speed, pause_before

READY = Bulk(id="b1", function_id="f", scope=Scope("demo", "dev"), state=BulkState.READY, rows=10)
ROW = BulkRow(row=1, line=2, state=RowState.RUNNING, call_id="c1", started_ms=1000)


def in_state(state, **changes):
    return replace(READY, state=state, **changes)


@pytest.mark.parametrize(
    ("move", "allowed"),
    [
        (lambda bulk: life.start(bulk, Plan(), by=Principal(name="ann"), now_ms=5), {BulkState.READY}),
        (life.confirm, {BulkState.CANARY_DONE}),
        (life.pause, {BulkState.RUNNING, BulkState.PAUSED}),
        (life.resume, {BulkState.RUNNING, BulkState.PAUSED}),
        (life.cancel, set(BulkState) - {BulkState.UPLOADING}),
    ],
    ids=["start", "confirm", "pause", "resume", "cancel"],
)
def test_each_move_is_possible_in_its_states_only(move, allowed):
    for state in BulkState:
        bulk = in_state(state)
        if state in allowed:
            assert move(bulk).id == "b1"
        else:
            with pytest.raises(FailedPrecondition):
                move(bulk)


def test_an_ended_bulk_stays_as_it_is():
    for state in (BulkState.DONE, BulkState.CANCELED):
        assert life.cancel(in_state(state)) == in_state(state)
        assert life.conclude(in_state(state), {}, 9) == in_state(state)


def test_a_bulk_without_a_valid_row_is_not_started():
    with pytest.raises(FailedPrecondition, match="no row is valid"):
        life.start(in_state(BulkState.INVALID, invalid=10), Plan(skip_invalid=True), by=Principal(name="a"), now_ms=1)


def test_the_canary_counts_every_row_that_was_begun():
    running = in_state(BulkState.RUNNING, plan=Plan(canary=3))
    assert life.allowance(running, {RowState.PENDING: 10}) == 3
    assert life.allowance(running, {RowState.RUNNING: 1, RowState.FAILED: 1, RowState.UNKNOWN: 1}) == 0
    assert life.allowance(life.confirm(replace(running, state=BulkState.CANARY_DONE)), {RowState.SUCCEEDED: 3}) == 10
    assert life.allowance(replace(running, state=BulkState.PAUSED), {}) == 0


@pytest.mark.parametrize("reason", BY_REASON)
def test_a_row_counts_as_unknown_wherever_the_game_may_have_changed(reason):
    row = life.ended(ROW, BY_REASON[reason]("why"), 9)
    may_have_run = {"outcome_unknown", "deadline_exceeded", "canceled", "conflict", "internal", "payload_too_large"}
    assert row.state is (RowState.UNKNOWN if reason in may_have_run else RowState.FAILED)
    assert (row.reason, row.message, row.finished_ms) == (reason, "why", 9)


def test_a_large_answer_is_left_in_the_record_of_its_call():
    row = life.ended(ROW, Result(payload=b"x" * 5000, service_id="game-1"), 9)
    assert (row.state, row.result, row.result_bytes, row.service_id) == (RowState.SUCCEEDED, b"", 5000, "game-1")


def test_a_row_that_ran_when_the_server_died_is_told_by_its_record():
    def settled(state, outcome, now_ms=2000):
        return life.settled(ROW, state, outcome, now_ms).state

    assert settled(CallState.SUCCEEDED, Result(payload=b"1")) is RowState.SUCCEEDED
    assert settled(CallState.OUTCOME_UNKNOWN, OutcomeUnknown("died")) is RowState.UNKNOWN
    assert settled(CallState.FAILED, Unavailable("nobody")) is RowState.PENDING
    assert settled(CallState.FAILED, RateLimited("busy")) is RowState.PENDING
    assert settled(CallState.RUNNING, None) is RowState.UNKNOWN
    assert settled(None, None) is RowState.PENDING
    assert settled(None, None, 1000 + RECORD_KEPT_MS) is RowState.UNKNOWN


def test_a_released_row_is_as_if_it_had_never_begun():
    assert life.released(ROW) == BulkRow(row=1, line=2)


def test_every_row_of_every_bulk_has_a_key_of_its_own():
    keys = {
        life.call_of(replace(READY, id=bulk), replace(ROW, row=row), "c").idempotency_key
        for bulk in ("b1", "b11")
        for row in (1, 11, 111)
    }
    assert len(keys) == 6


def test_turns_come_evenly_and_are_not_saved_up():
    pace = Pace(10)
    pace.take(100.0)
    assert pace.wait(100.0) == pytest.approx(0.1)
    assert pace.wait(100.1) == pytest.approx(0.0)
    pace.take(200.0)
    assert pace.wait(200.0) == pytest.approx(0.1)


def test_a_waker_that_is_a_little_late_keeps_the_rate():
    pace, now, taken = Pace(100), 0.0, 0
    while now < 1.0:
        if not pace.wait(now):
            pace.take(now)
            taken += 1
        now += 0.0035
    assert 98 <= taken <= 102


def test_the_speed_is_that_of_the_last_ten_seconds():
    speed = Speed()
    assert speed.per_second(5.0) == 0
    for number in range(200):
        speed.note(100 + number / 20)
    assert speed.per_second(110.0) == pytest.approx(20, rel=0.1)
    assert speed.per_second(130.0) == 0


def test_pauses_double_up_to_half_a_minute():
    assert [0.8 <= pause_before(attempt) / wait <= 1.2 for attempt, wait in ((1, 0.1), (4, 0.8), (50, 30.0))] == [
        True
    ] * 3
