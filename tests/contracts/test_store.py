"""The sentences of `croupier.store`, each a test, over every implementation."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests import programs

from croupier.domain.call import Call, CallState, Outcome, Result, Route
from croupier.domain.job import JobEvent, JobState
from croupier.domain.listing import JobFilter, Page
from croupier.domain.scope import Scope
from croupier.errors import (
    BY_REASON,
    Canceled,
    Conflict,
    CroupierError,
    DeadlineExceeded,
    FunctionRejected,
    HandlerFailed,
    InternalError,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    Unavailable,
)
from croupier.store import KEY_WINDOW_MS, Store

SCOPE = Scope("demo", "dev")
MEGABYTE = b"x" * 1_000_000


def a_call(call_id: str = "c1", **changes) -> Call:
    given = {"id": call_id, "function_id": "player.ban", "scope": SCOPE, "payload": b'{"id":7}', "caller": "ann"}
    return Call(**given | changes)


def unsent(error: CroupierError) -> CroupierError:
    error.unsent = True
    return error


def events(job_id: str, *seqs: int, **fields) -> list[JobEvent]:
    return [
        JobEvent(**{"job_id": job_id, "seq": seq, "type": "log", "message": f"line {seq}"} | fields) for seq in seqs
    ]


def done(job_id: str, seq: int, payload: bytes = b"{}") -> JobEvent:
    return JobEvent(job_id=job_id, seq=seq, type="done", payload=payload, time_ms=99)


async def until(look: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(90):
        while not await look():
            pass


async def ended(store: Store, call_id: str) -> bool:
    record = await store.call(call_id)
    return record is not None and record.state is not CallState.RUNNING


# calls


async def test_a_begun_call_is_kept_as_it_was(store: Store, clock):
    call = a_call(
        route=Route.HASH,
        target_service_id="game-7",
        hash_key="p-7",
        version="1.2",
        idempotency_key="k",
        metadata={"trace_id": "t", "語": "值"},
        timeout=2.5,
        traceparent="00-1-2-01",
    )

    assert await store.begin(call) is None

    record = await store.call("c1")
    assert record is not None
    assert record.call == call
    assert (record.kind, record.state, record.outcome) == ("invoke", CallState.RUNNING, None)
    assert (record.started_ms, record.finished_ms) == (clock.now, 0)


async def test_a_finished_call_has_its_result_and_its_time(store: Store, clock):
    await store.begin(a_call())
    began, clock.now = clock.now, clock.now + 40

    await store.finish("c1", Result(payload=b"ok", service_id="game-1", agent_id="agent-1"))

    record = await store.call("c1")
    assert record.state is CallState.SUCCEEDED
    assert record.outcome == Result(payload=b"ok", service_id="game-1", agent_id="agent-1")
    assert (record.started_ms, record.finished_ms) == (began, began + 40)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (HandlerFailed("ValueError: no", {"function": "player.ban"}), CallState.FAILED),
        (FunctionRejected("the player is online"), CallState.FAILED),
        (Canceled("stopped by ann"), CallState.CANCELED),
        (OutcomeUnknown("the connection was lost"), CallState.OUTCOME_UNKNOWN),
        (DeadlineExceeded("no answer in time"), CallState.OUTCOME_UNKNOWN),
        (InternalError("a fault of ours after it was sent"), CallState.OUTCOME_UNKNOWN),
        (PayloadTooLarge("its answer is too large"), CallState.OUTCOME_UNKNOWN),
        (unsent(DeadlineExceeded("too late to be sent")), CallState.FAILED),
        (unsent(InternalError("a fault of ours before it was sent")), CallState.FAILED),
    ],
)
async def test_a_failed_call_keeps_its_error(store: Store, error: CroupierError, state: CallState):
    await store.begin(a_call())

    await store.finish("c1", error)

    record = await store.call("c1")
    assert record.state is state
    assert type(record.outcome) is type(error)
    assert (record.outcome.message, record.outcome.details) == (error.message, error.details)


async def test_finishing_twice_keeps_the_first(store: Store):
    await store.begin(a_call())

    await asyncio.gather(*(store.finish("c1", Result(payload=bytes([n]))) for n in range(5)))
    await store.finish("c1", HandlerFailed("late"))

    assert (await store.call("c1")).outcome == Result(payload=b"\0")


@pytest.mark.parametrize("size", [0, 1, 1_000, 1_024, 1_025, 10_000, 1_000_000])
async def test_payloads_and_results_of_every_size_come_back_as_they_were(store: Store, size: int):
    payload, result = b"\0p" * size, b"\xffr" * size
    await store.begin(a_call(payload=payload, idempotency_key="k"))
    running = await store.call("c1")

    await store.finish("c1", Result(payload=result))

    assert (running.call.payload, running.outcome) == (payload, None)
    record = await store.call("c1")
    assert (record.call.payload, record.outcome) == (payload, Result(payload=result))
    assert await store.begin(a_call("c2", payload=payload, idempotency_key="k")) == record


async def test_finishing_twice_keeps_the_first_whatever_their_sizes(store: Store):
    for number, results in enumerate([(b"", MEGABYTE), (MEGABYTE, b""), (MEGABYTE, b"y" * 5_000)]):
        call_id = f"c{number}"
        await store.begin(a_call(call_id))

        await asyncio.gather(*(store.finish(call_id, Result(payload=result)) for result in results))
        await store.finish(call_id, Result(payload=b"z" * 9_000))

        assert (await store.call(call_id)).outcome == Result(payload=results[0])


async def test_a_late_result_does_not_undo_an_error(store: Store):
    await store.begin(a_call())
    await store.finish("c1", OutcomeUnknown("lost"))

    await store.finish("c1", Result(payload=MEGABYTE))
    await store.finish("nobody", Result(payload=MEGABYTE))

    assert isinstance((await store.call("c1")).outcome, OutcomeUnknown)
    assert await store.call("nobody") is None
    assert await store.begin(a_call("nobody")) is None
    await store.finish("nobody", Result(payload=MEGABYTE))
    assert (await store.call("nobody")).outcome == Result(payload=MEGABYTE)


async def test_an_unknown_call_is_none_and_cannot_be_finished(store: Store):
    await store.finish("nobody", Result(payload=b""))

    assert await store.call("nobody") is None


async def test_an_id_is_recorded_once(store: Store):
    await store.begin(a_call())

    with pytest.raises(Conflict, match="make a new id"):
        await store.begin(a_call(payload=b"other"))

    assert (await store.call("c1")).call.payload == b'{"id":7}'


async def test_what_nobody_waited_for_is_there_after_the_next_commit(store: Store):
    assert await store.begin(a_call("query"), durable=False) is None
    await store.finish("query", Result(payload=b"42"), durable=False)
    await store.begin(a_call("other"))

    assert (await store.call("query")).outcome == Result(payload=b"42")


async def test_what_nobody_waited_for_is_kept_without_another_change(stores):
    store = await stores.open()
    await store.begin(a_call("query"), durable=False)

    await until(lambda: store.call("query"))
    await store.finish("query", Result(payload=b"42"), durable=False)
    await until(lambda: ended(store, "query"))

    assert (await store.call("query")).outcome == Result(payload=b"42")
    await store.close()


async def test_a_change_never_comes_after_one_that_was_asked_for_later(store: Store):
    for number in range(50):
        await store.begin(a_call(f"c{number}"), durable=False)
        await store.finish(f"c{number}", Result(payload=b"first"), durable=False)
        await store.finish(f"c{number}", Result(payload=b"second"))

    assert {(await store.call(f"c{number}")).outcome.payload for number in range(50)} == {b"first"}


async def test_abandon_ends_what_still_runs_as_unknown_jobs_calls_too(stores):
    first = await stores.open()
    await first.begin(a_call("running"))
    await first.create(a_call("job"))
    await first.begin(a_call("ended"))
    await first.finish("ended", Result(payload=b"ok"))
    await first.close()
    second = await stores.open()

    assert await second.abandon() == 2
    assert await second.abandon() == 0

    for call_id in ("running", "job"):
        record = await second.call(call_id)
        assert record.state is CallState.OUTCOME_UNKNOWN
        assert isinstance(record.outcome, OutcomeUnknown)
        assert record.finished_ms == stores.clock.now
    assert (await second.call("ended")).state is CallState.SUCCEEDED
    await second.close()


# idempotency keys


async def test_a_used_key_returns_the_earlier_record_running_or_ended(store: Store):
    await store.begin(a_call(idempotency_key="k"))

    running = await store.begin(a_call("c2", idempotency_key="k"))
    await store.finish("c1", Result(payload=b"ok"))
    ended = await store.begin(a_call("c3", idempotency_key="k"))

    assert (running.call.id, running.state) == ("c1", CallState.RUNNING)
    assert (ended.call.id, ended.outcome) == ("c1", Result(payload=b"ok"))
    assert await store.call("c2") is None
    assert await store.call("c3") is None


async def test_a_key_with_another_payload_is_a_conflict(store: Store):
    await store.begin(a_call(idempotency_key="k"))

    with pytest.raises(Conflict, match="another payload") as caught:
        await store.begin(a_call("c2", idempotency_key="k", payload=b"secret of the player"))

    assert "secret" not in str(caught.value)
    assert await store.call("c2") is None


async def test_a_call_repeats_another_while_that_has_its_key(store: Store, clock):
    first, again = a_call(idempotency_key="k"), a_call("c2", idempotency_key="k")
    assert not await store.repeats(first)
    await store.begin(first)
    assert await store.repeats(again)
    assert not await store.repeats(replace(again, function_id="another"))
    assert not await store.repeats(replace(again, idempotency_key=""))
    clock.now += KEY_WINDOW_MS
    assert not await store.repeats(again)


async def test_a_key_is_no_longer_repeated_when_nothing_ran(store: Store):
    await store.begin(a_call(idempotency_key="k"))
    await store.finish("c1", Unavailable("nobody is here"))
    assert not await store.repeats(a_call("c2", idempotency_key="k"))


async def test_a_key_of_an_invocation_cannot_start_a_job_nor_the_reverse(store: Store):
    await store.begin(a_call(idempotency_key="k"))
    await store.create(a_call("j1", idempotency_key="j"))

    with pytest.raises(Conflict, match="used to invoke"):
        await store.create(a_call("j2", idempotency_key="k"))
    with pytest.raises(Conflict, match="used to start a job"):
        await store.begin(a_call("c2", idempotency_key="j"))

    assert await store.job("j2") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": Scope("demo", "prod")},
        {"scope": Scope("other", "dev")},
        {"function_id": "player.unban"},
        {"idempotency_key": "K"},
        {"idempotency_key": ""},
    ],
)
async def test_a_key_counts_in_its_scope_for_its_function_only(store: Store, changes):
    await store.begin(a_call(idempotency_key="k"))

    assert await store.begin(a_call("c2", **{"idempotency_key": "k"} | changes)) is None


async def test_calls_without_a_key_never_meet(store: Store):
    assert await asyncio.gather(*(store.begin(a_call(f"c{n}")) for n in range(100))) == [None] * 100


@pytest.mark.parametrize("durable", [True, False])
async def test_of_many_begins_with_one_key_at_once_exactly_one_is_recorded(store: Store, durable: bool):
    answers = await asyncio.gather(
        *(store.begin(a_call(f"c{n}", idempotency_key="k"), durable=durable) for n in range(50)),
        *(store.begin(a_call(f"other{n}")) for n in range(50)),
    )

    assert answers[0] is None
    assert {(record.call.id, record.state) for record in answers[1:50]} == {("c0", CallState.RUNNING)}
    assert answers[50:] == [None] * 50


async def test_of_many_jobs_with_one_key_at_once_exactly_one_is_made(store: Store):
    await asyncio.gather(*(store.create(a_call(f"j{n}", idempotency_key="k")) for n in range(20)))

    assert [job.id for job in (await store.jobs(JobFilter(), 100)).items] == ["j0"]


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("error", [Unavailable("no agent available"), RateLimited("rate limited")], ids=type)
async def test_a_key_is_free_again_when_nothing_ran(store: Store, error: CroupierError, durable: bool):
    await store.begin(a_call(idempotency_key="k"))
    await store.finish("c1", error, durable=durable)

    assert await store.begin(a_call("c2", idempotency_key="k", payload=b"another")) is None

    freed, running = await store.call("c1"), await store.call("c2")
    assert (freed.state, type(freed.outcome), freed.call.idempotency_key) == (CallState.FAILED, type(error), "k")
    assert (running.state, running.call.payload) == (CallState.RUNNING, b"another")
    assert (await store.begin(a_call("c3", idempotency_key="k", payload=b"another"))).call.id == "c2"


@pytest.mark.parametrize(
    "outcome",
    [
        Result(payload=b"ok"),
        *(kind("no") for reason, kind in BY_REASON.items() if reason not in {"unavailable", "rate_limited"}),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
async def test_any_other_outcome_keeps_the_key(store: Store, outcome: Outcome):
    await store.begin(a_call(idempotency_key="k"))
    await store.finish("c1", outcome)
    await store.finish("c1", Unavailable("too late"))

    assert (await store.begin(a_call("c2", idempotency_key="k"))).call.id == "c1"


@pytest.mark.parametrize("durable", [True, False])
async def test_any_error_of_a_call_that_was_given_to_nobody_frees_its_key(store: Store, durable: bool):
    await store.begin(a_call(idempotency_key="k"))
    await store.finish("c1", unsent(NotFound("unknown function f")), durable=durable)

    assert await store.begin(a_call("c2", idempotency_key="k")) is None

    freed = await store.call("c1")
    assert (freed.state, freed.call.idempotency_key) == (CallState.FAILED, "k")


async def test_a_key_freed_as_unsent_is_free_for_a_begin_in_the_same_commit(store: Store):
    await store.begin(a_call(idempotency_key="k"))

    _, after = await asyncio.gather(
        store.finish("c1", unsent(NotFound("unknown function f"))), store.begin(a_call("c2", idempotency_key="k"))
    )

    assert after is None


async def test_an_unsent_end_that_comes_second_frees_nothing(store: Store):
    await store.begin(a_call(idempotency_key="k"))
    await store.finish("c1", Result(payload=b"ok"))
    await store.finish("c1", unsent(NotFound("unknown function f")))

    assert (await store.begin(a_call("c2", idempotency_key="k"))).call.id == "c1"


async def test_who_asks_before_a_key_is_freed_gets_the_record(store: Store):
    await store.begin(a_call(idempotency_key="k"))

    between, _, after, later = await asyncio.gather(
        store.begin(a_call("c2", idempotency_key="k")),
        store.finish("c1", Unavailable("no agent available")),
        store.begin(a_call("c3", idempotency_key="k")),
        store.begin(a_call("c4", idempotency_key="k")),
    )

    assert (between.call.id, after, later.call.id) == ("c1", None, "c3")
    assert await store.call("c2") is None


async def test_a_begin_given_up_after_a_key_was_freed_ends_as_it_was_told(store: Store):
    await store.begin(a_call(idempotency_key="k"))

    await asyncio.gather(
        store.finish("c1", Unavailable("no agent available")),
        store.begin(a_call("c2", idempotency_key="k")),
        store.finish("c2", Canceled("the caller went away")),
    )

    assert (await store.call("c2")).state is CallState.CANCELED


async def test_a_job_that_was_not_started_frees_its_key(store: Store):
    await store.create(a_call("j1", idempotency_key="k"))
    await store.finish("j1", Unavailable("no agent available"))
    await store.conclude("j1", reason="unavailable", message="not started")

    assert await store.create(a_call("j2", idempotency_key="k")) is None

    assert (await store.job("j1")).ended
    assert (await store.job("j2")).state is JobState.PENDING


async def test_a_freed_key_stays_free_over_a_restart(stores):
    first = await stores.open()
    await first.begin(a_call(idempotency_key="k"))
    await first.finish("c1", Unavailable("no agent available"))
    await first.close()
    second = await stores.open()

    assert await second.begin(a_call("c2", idempotency_key="k")) is None
    await second.close()


async def test_a_key_survives_a_restart(stores):
    first = await stores.open()
    await first.begin(a_call(idempotency_key="k"))
    await first.finish("c1", Result(payload=b"ok"))
    await first.close()
    second = await stores.open()

    record = await second.begin(a_call("c2", idempotency_key="k"))

    assert record.outcome == Result(payload=b"ok")
    await second.close()


# jobs


async def test_a_job_begins_pending_with_its_call(store: Store, clock):
    assert await store.create(a_call("j1")) is None

    job = await store.job("j1")
    assert (job.state, job.last_seq, job.created_ms) == (JobState.PENDING, 0, clock.now)
    assert (job.function_id, job.scope, job.caller) == ("player.ban", SCOPE, "ann")
    record = await store.call("j1")
    assert (record.kind, record.state) == ("job", CallState.RUNNING)


async def test_the_end_of_a_jobs_call_is_not_the_end_of_the_job(store: Store):
    await store.create(a_call("j1"))

    await store.finish("j1", Result(payload=b"j1"))

    assert (await store.call("j1")).state is CallState.SUCCEEDED
    assert (await store.job("j1")).state is JobState.PENDING


async def test_why_a_job_was_asked_to_stop_is_kept_the_first_reason_for_good(store: Store):
    await store.create(a_call("j1"))
    await store.create(a_call("j2"))
    await store.conclude("j2", reason="lost", message="gone")
    for job_id, reason in (("j1", "first"), ("j1", "second"), ("j2", "late"), ("nobody", "x")):
        await store.ask_to_stop(job_id, reason)
    await asyncio.gather(store.ask_to_stop("j1", "third"), store.ask_to_stop("j1", "fourth"))
    (first, second) = [await store.job(job_id) for job_id in ("j1", "j2")]
    assert first is not None
    assert second is not None
    assert (first.cancel_reason, second.cancel_reason) == ("first", "")


async def test_a_job_runs_once_its_place_is_recorded_and_one_that_ended_before_stays_so(store: Store):
    for job_id in ("silent", "quick"):
        await store.create(a_call(job_id))
    job = await store.job("silent")
    assert job is not None
    assert job.state is JobState.PENDING
    await store.append([done("quick", 1)])
    for job_id in ("silent", "quick"):
        await store.place(job_id, agent_id="agent-1", service_id="game-1")
    found = [await store.job(job_id) for job_id in ("silent", "quick")]
    assert [each and each.state for each in found] == [JobState.RUNNING, JobState.SUCCEEDED]


async def test_a_jobs_place_is_recorded(store: Store):
    await store.create(a_call("j1"))

    await store.place("j1", agent_id="agent-1", service_id="game-1")
    await store.place("nobody", agent_id="agent-1", service_id="game-1")

    job = await store.job("j1")
    assert (job.agent_id, job.service_id) == ("agent-1", "game-1")


async def test_states_follow_from_events(store: Store):
    await store.create(a_call("j1"))

    assert await store.append(events("j1", 1, type="progress", progress=40)) == {"j1": 1}
    running = await store.job("j1")
    assert await store.append([done("j1", 2, b"result")]) == {"j1": 2}
    ended = await store.job("j1")

    assert (running.state, running.progress, running.last_seq) == (JobState.RUNNING, 40, 1)
    assert (ended.state, ended.progress, ended.payload, ended.finished_ms) == (JobState.SUCCEEDED, 100, b"result", 99)


@pytest.mark.parametrize(
    ("reason", "state"),
    [("handler_failed", JobState.FAILED), ("canceled", JobState.CANCELED), ("lost", JobState.LOST)],
)
async def test_an_error_event_decides_the_last_state(store: Store, reason: str, state: JobState):
    await store.create(a_call("j1"))

    await store.append(events("j1", 1, type="error", message="it broke", reason=reason, time_ms=5))

    job = await store.job("j1")
    assert (job.state, job.error, job.reason, job.finished_ms) == (state, "it broke", reason, 5)


async def test_an_event_is_kept_as_it_was(store: Store):
    event = JobEvent(
        job_id="j1", seq=1, type="done", message="fin", progress=7, payload=b"\0\xff", reason="r", time_ms=12
    )
    await store.create(a_call("j1"))

    await store.append([event])

    assert await store.events("j1", 0, 10) == [event]


async def test_events_of_many_jobs_go_in_one_append(store: Store):
    await asyncio.gather(*(store.create(a_call(f"j{n}")) for n in range(3)))
    mixed = [event for trio in zip(*(events(f"j{n}", 1, 2, 3) for n in range(3)), strict=True) for event in trio]

    assert await store.append(mixed) == {"j0": 3, "j1": 3, "j2": 3}
    assert [event.seq for event in await store.events("j2", 0, 10)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([1, 1, 2, 2, 1], [1, 2]),
        ([1, 3, 4], [1]),
        ([2, 1], [1]),
        ([2, 1, 2], [1, 2]),
        ([0, -5, 1], [1]),
        ([2**70, 1], [1]),
    ],
    ids=["duplicates", "gap", "out of order", "sent again in order", "below one", "beyond all"],
)
async def test_an_event_is_kept_once_and_only_next_to_the_one_before(store: Store, sent: list[int], kept: list[int]):
    await store.create(a_call("j1"))

    assert await store.append(events("j1", *sent)) == {"j1": kept[-1]}

    assert [event.seq for event in await store.events("j1", 0, 100)] == kept


async def test_a_gap_is_filled_by_a_later_append(store: Store):
    await store.create(a_call("j1"))

    assert await store.append(events("j1", 1, 2, 4)) == {"j1": 2}
    assert await store.append(events("j1", 2, 3, 4)) == {"j1": 4}


async def test_what_comes_after_the_end_is_dropped(store: Store):
    await store.create(a_call("j1"))

    assert await store.append([done("j1", 1), *events("j1", 2)]) == {"j1": 1}
    assert await store.append(events("j1", 2, 3)) == {"j1": 1}

    assert (await store.job("j1")).state is JobState.SUCCEEDED
    assert len(await store.events("j1", 0, 10)) == 1


async def test_events_of_an_unknown_job_are_dropped_and_reach_zero(store: Store):
    await store.create(a_call("j1"))

    assert await store.append([*events("ghost", 1, 2), *events("j1", 1)]) == {"ghost": 0, "j1": 1}
    assert await store.append([]) == {}

    assert await store.events("ghost", 0, 10) == []


async def test_concurrent_appends_of_one_job_make_one_story(store: Store):
    await store.create(a_call("j1"))

    await asyncio.gather(*(store.append(events("j1", *range(1, n + 1))) for n in range(1, 60)))

    assert [event.seq for event in await store.events("j1", 0, 1000)] == list(range(1, 60))


async def test_conclude_ends_a_job_after_its_last_event(store: Store, clock):
    await store.create(a_call("j1"))
    await store.append(events("j1", 1))

    job = await store.conclude("j1", reason="lost", message="the game server is gone")

    assert job == await store.job("j1")
    assert (job.state, job.error, job.last_seq, job.finished_ms) == (
        JobState.LOST,
        "the game server is gone",
        2,
        clock.now,
    )
    assert (await store.events("j1", 1, 10)) == [
        JobEvent(job_id="j1", seq=2, type="error", message="the game server is gone", reason="lost", time_ms=clock.now)
    ]


async def test_conclude_does_nothing_to_an_ended_job(store: Store):
    await store.create(a_call("j1"))
    await store.append([done("j1", 1, b"result")])

    job = await store.conclude("j1", reason="canceled", message="too late")

    assert (job.state, job.payload, job.last_seq) == (JobState.SUCCEEDED, b"result", 1)
    assert len(await store.events("j1", 0, 10)) == 1


async def test_conclude_knows_no_unknown_job(store: Store):
    assert await store.conclude("ghost", reason="lost", message="") is None
    assert await store.job("ghost") is None


async def test_conclude_twice_at_once_ends_once(store: Store):
    await store.create(a_call("j1"))

    jobs = await asyncio.gather(*(store.conclude("j1", reason="canceled", message=str(n)) for n in range(5)))

    assert {(job.error, job.last_seq) for job in jobs} == {("0", 1)}


async def test_events_are_read_after_a_seq_ascending_and_at_most_so_many(store: Store):
    await store.create(a_call("j1"))
    await store.append(events("j1", *range(1, 11)))

    assert [event.seq for event in await store.events("j1", 3, 4)] == [4, 5, 6, 7]
    assert await store.events("j1", 10, 4) == []
    assert await store.events("j1", 0, 0) == []


async def test_hostile_bounds_of_a_reading_are_bounds(store: Store):
    await store.create(a_call("j1"))
    await store.append(events("j1", 1))

    assert await store.events("j1", -(10**30), -1) == []
    assert await store.events("j1", 10**30, 10) == []
    assert len(await store.events("j1", -(10**30), 10**30)) == 1
    assert await store.jobs(JobFilter(), -1) == Page([])


async def test_jobs_are_listed_newest_first_without_results(store: Store, clock):
    for number in range(4):
        clock.now += 1
        await store.create(a_call(f"j{3 - number}"))
    await store.append([done("j0", 1, b"result")])

    jobs = (await store.jobs(JobFilter(), 3)).items

    assert [job.id for job in jobs] == ["j0", "j1", "j2"]
    assert jobs[0].payload == b""


async def test_jobs_are_listed_by_scope_and_state(store: Store):
    await store.create(a_call("pending"))
    await store.create(a_call("running"))
    await store.create(a_call("ended"))
    await store.create(a_call("elsewhere", scope=Scope("demo", "prod")))
    await store.append([*events("running", 1), done("ended", 1)])
    live = frozenset({JobState.PENDING, JobState.RUNNING})

    assert {job.id for job in (await store.jobs(JobFilter(scope=SCOPE, states=live), 10)).items} == {
        "pending",
        "running",
    }
    assert {job.id for job in (await store.jobs(JobFilter(states=live), 10)).items} == {
        "pending",
        "running",
        "elsewhere",
    }
    assert {job.id for job in (await store.jobs(JobFilter(scope=Scope("demo", "prod")), 10)).items} == {"elsewhere"}
    assert len((await store.jobs(JobFilter(), 10)).items) == 4


# the promise


async def test_closing_commits_what_waits(stores):
    first = await stores.open()
    waiting = asyncio.gather(*(first.begin(a_call(f"c{n}")) for n in range(100)))
    await asyncio.sleep(0)
    await first.begin(a_call("query"), durable=False)
    await first.close()
    await waiting
    second = await stores.open()

    assert await second.call("query") is not None
    assert await second.call("c99") is not None
    await second.close()


async def test_a_closed_store_takes_nothing(stores):
    store = await stores.open()
    await store.close()
    await store.close()

    with pytest.raises(Unavailable, match="closed"):
        await store.begin(a_call())
    with pytest.raises(Unavailable, match="closed"):
        await store.call("c1")


async def test_ten_thousand_begins_at_once_are_all_recorded(store: Store):
    await asyncio.gather(*(store.begin(a_call(f"c{n}")) for n in range(10_000)))

    assert await store.abandon() == 10_000


async def test_a_bad_write_fails_alone(store: Store):
    answers = await asyncio.gather(
        *(store.begin(a_call(f"c{n}", caller="\ud800" if n == 31 else "ann")) for n in range(64)),
        return_exceptions=True,
    )

    assert isinstance(answers.pop(31), InvalidArgument)
    assert answers == [None] * 63
    assert await store.call("c31") is None
    assert await store.abandon() == 63


async def test_a_bad_event_does_not_disturb_what_is_known_of_its_job(store: Store):
    await store.create(a_call("j1"))

    good, bad, again = await asyncio.gather(
        store.append(events("j1", 1)),
        store.append(events("j1", 2, progress=2**70)),
        store.append(events("j1", 1, 2)),
        return_exceptions=True,
    )

    assert (good, again) == ({"j1": 1}, {"j1": 2})
    assert isinstance(bad, InvalidArgument)
    assert await store.append(events("j1", 3)) == {"j1": 3}
    assert [event.seq for event in await store.events("j1", 0, 10)] == [1, 2, 3]


async def test_a_cancelled_wait_takes_nothing_back_and_disturbs_nobody(store: Store):
    leaving = asyncio.ensure_future(store.begin(a_call("left")))
    staying = asyncio.ensure_future(store.begin(a_call("stayed")))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying is None
    assert leaving.cancelled()
    assert await store.call("left") is not None


async def test_a_refusing_disk_is_unavailable_keeps_nothing_and_recovers(stores, store: Store):
    await store.create(a_call("j1"))
    await store.begin(a_call("open"))
    big = JobEvent(job_id="j1", seq=1, type="log", payload=MEGABYTE)

    with stores.refusing(store):
        answers = await asyncio.gather(
            store.begin(a_call("c1", payload=MEGABYTE, idempotency_key="k")),
            store.create(a_call("j2", payload=MEGABYTE)),
            store.append([big]),
            store.finish("open", Result(payload=MEGABYTE)),
            return_exceptions=True,
        )

    assert [type(answer) for answer in answers] == [Unavailable] * 4
    assert await store.call("c1") is None
    assert await store.job("j2") is None
    assert (await store.job("j1")).last_seq == 0
    assert (await store.call("open")).state is CallState.RUNNING
    assert await store.begin(a_call("c1", payload=MEGABYTE, idempotency_key="k")) is None
    assert await store.append([big, replace(big, seq=2)]) == {"j1": 2}


async def test_a_small_write_fits_beside_one_that_the_disk_refuses(stores, store: Store):
    await store.begin(a_call("first"))

    with stores.refusing(store):
        big, small = await asyncio.gather(
            store.begin(a_call("big", payload=MEGABYTE)), store.begin(a_call("small")), return_exceptions=True
        )

    assert isinstance(big, Unavailable)
    assert small is None
    assert await store.call("small") is not None


async def test_what_was_answered_survives_a_kill(stores):
    async with programs.running(*stores.child(Path(__file__).with_name("kept.py")), stderr=None) as child:
        told = [await child.stdout.readline() for _ in range(1_000)]
        child.kill()
        told += (await child.stdout.read()).splitlines()
    store = await stores.open()

    promised = [line.decode().split() for line in told if len(line.split()) > 1]
    assert len(promised) >= 1_000
    for word, name, *seq in promised:
        if word == "event":
            assert len(await store.events(name, int(seq[0]) - 1, 1)) == 1
        else:
            record = await store.call(name)
            assert record is not None
            assert word == "running" or record.state is CallState.SUCCEEDED
    await store.close()
