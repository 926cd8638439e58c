"""A job's state follows from its events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.job import ENDED, Job, JobEvent, JobState, advance
from croupier.domain.limits import JOB_MESSAGE_BYTES
from croupier.domain.scope import Scope, parse_scope
from croupier.errors import InvalidArgument
from croupier.server.job_events import bounded
from croupier.server.recent_events import ALL_BYTES, JOB_EVENTS, JOBS, RecentEvents

JOB = Job(id="j", function_id="f", scope=Scope("demo", "dev"), caller="x")

events = st.builds(
    JobEvent,
    job_id=st.just("j"),
    seq=st.integers(1, 12),
    type=st.sampled_from(["progress", "log", "done", "error"]),
    progress=st.integers(-200, 200),
    reason=st.sampled_from(["", "handler_failed", "canceled", "lost"]),
    payload=st.binary(max_size=3),
    time_ms=st.integers(1, 9),
)


def event(seq: int, kind: str = "log", **more: object) -> JobEvent:
    return JobEvent(job_id="j", seq=seq, type=kind, **more)  # type: ignore[arg-type]


@given(st.lists(events, max_size=20))
def test_an_ended_job_never_changes_and_a_seq_never_goes_back(told: list[JobEvent]) -> None:
    job = JOB
    for each in told:
        after = advance(job, each)
        if job.ended or each.seq <= job.last_seq:
            assert after == job
        else:
            assert after.last_seq == each.seq
            assert (after.state is not JobState.RUNNING) == (each.type in {"done", "error"})
        assert 0 <= after.progress <= 100
        assert (after.state in ENDED) == after.ended
        job = after


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("canceled", JobState.CANCELED),
        ("lost", JobState.LOST),
        ("handler_failed", JobState.FAILED),
        ("", JobState.FAILED),
    ],
)
def test_an_error_event_decides_the_last_state(reason: str, state: JobState) -> None:
    job = advance(advance(JOB, event(1)), event(2, "error", reason=reason, message="why", time_ms=7))
    assert (job.state, job.error, job.reason, job.finished_ms) == (state, "why", reason, 7)


def test_a_job_that_is_done_has_its_result() -> None:
    job = advance(JOB, event(1, "done", payload=b"7", time_ms=9))
    assert (job.state, job.payload, job.progress, job.finished_ms) == (JobState.SUCCEEDED, b"7", 100, 9)


# ------------------------------------------------------------------------------------------------ as they are kept


def test_an_event_is_kept_within_bounds() -> None:
    kept = bounded(event(1, "x\ny", message="é" * JOB_MESSAGE_BYTES, progress=101), 5)
    assert (kept.type, kept.progress, kept.time_ms) == ("log", 100, 5)
    assert len(kept.message.encode()) <= JOB_MESSAGE_BYTES
    assert kept.message.endswith("… (cut)")


@given(events)
def test_an_event_within_bounds_is_kept_as_it_is(told: JobEvent) -> None:
    kept = bounded(told, 99)
    if 0 <= told.progress <= 100:
        assert kept is told


def test_recent_events_follow_directly_or_not_at_all() -> None:
    recent = RecentEvents()
    for seq in (1, 2, 3, 3, 2):
        recent.add(event(seq))
    assert [each.seq for each in recent.after("j", 0, 10)] == [1, 2, 3]
    assert [each.seq for each in recent.after("j", 1, 1)] == [2]
    assert recent.after("j", 3, 10) == []
    assert recent.after("j", 9, 10) == []
    assert recent.after("other", 0, 10) == []
    recent.add(event(7))
    assert recent.after("j", 3, 10) == []
    assert [each.seq for each in recent.after("j", 6, 10)] == [7]


def test_recent_events_are_bounded_for_each_job_and_for_all() -> None:
    recent = RecentEvents()
    for seq in range(1, 3 * JOB_EVENTS):
        recent.add(event(seq))
    assert recent.after("j", 0, 10) == []
    assert len(recent.after("j", 2 * JOB_EVENTS, 10_000)) == JOB_EVENTS - 1
    for number in range(2 * JOBS):
        recent.add(JobEvent(job_id=f"j{number}", seq=1, type="log", payload=b"x" * (ALL_BYTES // 100)))
    held = [number for number in range(2 * JOBS) if recent.after(f"j{number}", 0, 1)]
    assert held == list(range(2 * JOBS - len(held), 2 * JOBS))
    assert 90 <= len(held) <= 100


# ------------------------------------------------------------------------------------------------ scopes


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "ä", "a" * 65, "a\n", "a|b", "."])
def test_a_scope_takes_plain_names_only(name: str) -> None:
    for game_id, env, label in ((name, "dev", "game_id"), ("demo", name, "env")):
        with pytest.raises(InvalidArgument, match=label):
            parse_scope(game_id, env)
    assert str(parse_scope("Demo_1.x-y", "d" * 64)) == f"Demo_1.x-y|{'d' * 64}"
