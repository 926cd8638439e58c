"""What `croupier.store` promises of letting go."""

import pytest

from croupier.domain.call import Call, Result
from croupier.domain.job import JobEvent, JobState
from croupier.domain.listing import CallFilter, Cursor
from croupier.domain.scope import Scope
from croupier.errors import HandlerFailed
from croupier.store import KEY_WINDOW_MS, Store
from croupier.store.sql import forgetting

HOUR = 3_600_000


def a_call(call_id: str = "c1", **changes) -> Call:
    given = {"id": call_id, "function_id": "f", "scope": Scope("demo", "dev"), "payload": b"{}", "caller": "ann"}
    return Call(**given | changes)


async def ended(store: Store, *call_ids: str, **changes) -> None:
    for call_id in call_ids:
        await store.begin(a_call(call_id, **changes))
        await store.finish(call_id, Result(payload=b"r" * 3000))


async def a_job(store: Store, clock, job_id: str = "j1", events: int = 5, *, end: bool = True) -> None:
    await store.create(a_call(job_id))
    story = [
        JobEvent(job_id=job_id, seq=n, type="log", message=f"line {n}", time_ms=clock.now) for n in range(1, events)
    ]
    if end:
        story.append(JobEvent(job_id=job_id, seq=events, type="done", payload=b"[1]", time_ms=clock.now))
    await store.append(story)


async def test_keys_are_let_go_of_once_their_time_is_over_so_many_at_a_time(store: Store, clock):
    for number in range(5):
        await store.begin(a_call(f"c{number}", idempotency_key=f"k{number}"))
    await store.begin(a_call("unkeyed"))
    clock.now += KEY_WINDOW_MS
    await store.begin(a_call("young", idempotency_key="young"))

    assert [await store.expire_keys(2) for _ in range(4)] == [2, 2, 1, 0]
    assert await store.begin(a_call("again", idempotency_key="k3", payload=b"another")) is None
    assert (await store.begin(a_call("x", idempotency_key="young"))).call.id == "young"


async def test_old_calls_are_told_oldest_first_and_running_ones_not(store: Store, clock):
    for number in range(3):
        await ended(store, f"c{number}")
        await store.begin(a_call(f"running{number}"))
        clock.now += HOUR
    start = clock.now - 3 * HOUR

    assert await store.old_calls(clock.now, 2) == [Cursor(start, "c0"), Cursor(start + HOUR, "c1")]
    assert await store.old_calls(start + HOUR, 10) == [Cursor(start, "c0")]


async def test_forgotten_calls_are_gone_with_their_bodies_and_running_ones_stay(stores, clock):
    store = await stores.open()
    await ended(store, "c1", "c2", payload=b"p" * 3000)
    await store.begin(a_call("running", payload=b"p" * 3000))

    await store.forget_calls(["c1", "running", "unknown"])
    await store.close()

    store = await stores.open()
    kept = [record.call.id for record in (await store.calls(CallFilter(), 10)).items]
    assert sorted(kept) == ["c2", "running"]
    assert (await store.call("running")).call.payload == b"p" * 3000
    assert (await store.call("c2")).outcome.payload == b"r" * 3000
    assert await store.call("c1") is None
    await ended(store, "c1")
    assert (await store.call("c1")).call.payload == b"{}"
    await store.close()


async def test_a_forgotten_calls_key_is_free(store: Store):
    await ended(store, "c1", idempotency_key="k")

    await store.forget_calls(["c1"])

    assert await store.begin(a_call("c2", idempotency_key="k")) is None


async def test_old_jobs_are_those_that_ended_first(store: Store, clock):
    for name in ("j2", "j1"):
        await a_job(store, clock, name)
        clock.now += HOUR
    await a_job(store, clock, "running", end=False)
    await a_job(store, clock, "young")

    assert [job.id for job in await store.old_jobs(clock.now, 10)] == ["j2", "j1"]
    assert [job.id for job in await store.old_jobs(clock.now, 1)] == ["j2"]
    assert [job.id for job in await store.old_jobs(clock.now - HOUR, 10)] == ["j2"]


async def test_an_archived_job_keeps_its_state_and_loses_its_events_step_by_step(store: Store, clock):
    await a_job(store, clock, events=5)
    clock.now += HOUR

    await store.archive_job("j1")
    whole = await store.events("j1", 0, 10)
    more = [await store.forget_events("j1", 2) for _ in range(4)]

    job = await store.job("j1")
    assert len(whole) == 5
    assert more == [True, True, True, False]
    assert await store.events("j1", 0, 10) == []
    assert (job.state, job.last_seq, job.archived, job.payload) == (JobState.SUCCEEDED, 5, True, b"")
    assert await store.old_jobs(clock.now, 10) == []


async def test_events_are_let_go_of_by_weight_too(store: Store, clock, monkeypatch):
    monkeypatch.setattr(forgetting, "FORGOTTEN_BYTES", 2_000)
    await store.create(a_call("j1"))
    await store.append([JobEvent(job_id="j1", seq=n, type="log", payload=b"x" * 1_000) for n in range(1, 6)])
    await store.conclude("j1", reason="lost", message="")
    await store.archive_job("j1")

    await store.forget_events("j1", 100)

    assert [event.seq for event in await store.events("j1", 0, 10)] == [3, 4, 5, 6]


async def test_a_job_that_was_not_archived_keeps_its_events(store: Store, clock):
    await a_job(store, clock)

    assert not await store.forget_events("j1", 10)
    assert not await store.forget_events("unknown", 10)
    assert len(await store.events("j1", 0, 10)) == 5
    assert not (await store.job("j1")).archived


async def test_an_unfinished_job_is_never_archived(store: Store, clock):
    await a_job(store, clock, end=False)

    await store.archive_job("j1")

    assert not (await store.job("j1")).archived
    assert await store.append([JobEvent(job_id="j1", seq=5, type="log")]) == {"j1": 5}


@pytest.mark.parametrize("step", ["archived", "half", "cleared"])
async def test_an_archived_job_takes_no_events_and_survives_a_restart(stores, clock, step: str):
    store = await stores.open()
    await a_job(store, clock)
    clock.now += HOUR
    await store.archive_job("j1")
    steps = {"archived": 0, "half": 1, "cleared": 4}
    for _ in range(steps[step]):
        await store.forget_events("j1", 2)
    assert await store.append([JobEvent(job_id="j1", seq=6, type="log")]) == {"j1": 5}
    await store.close()

    store = await stores.open()
    assert (await store.job("j1")).archived
    assert [job.id for job in await store.old_jobs(clock.now, 10)] == ([] if step == "cleared" else ["j1"])
    await store.close()


async def test_calls_that_failed_are_let_go_of_too(store: Store, clock):
    await store.begin(a_call())
    await store.finish("c1", HandlerFailed("no"))
    clock.now += 1

    assert await store.old_calls(clock.now, 10) == [Cursor(clock.now - 1, "c1")]
