"""What `croupier.store` promises of looking back: trails, pages of calls and jobs, the end of idempotency keys."""

import asyncio

import pytest

from croupier.codes import Code
from croupier.domain.call import Call, CallState, Result, Trail
from croupier.domain.job import JobState
from croupier.domain.listing import CallFilter, JobFilter, Page
from croupier.domain.scope import Scope
from croupier.errors import Conflict, FunctionRejected, HandlerFailed, OutcomeUnknown, Unavailable
from croupier.store import KEY_WINDOW_MS, Store
from croupier.store.sql import searches

SCOPE = Scope("demo", "dev")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRAIL = Trail(
    decision="least loaded of 2",
    agent_id="agent-1",
    service_id="game-1",
    server_us=900,
    recorded_us=400,
    agent_us=300,
    handler_us=200,
)


def a_call(call_id: str = "c1", **changes) -> Call:
    given = {"id": call_id, "function_id": "player.ban", "scope": SCOPE, "payload": b'{"id":7}', "caller": "ann"}
    return Call(**given | changes)


def ids(page: Page) -> list[str]:
    return [each.call.id if hasattr(each, "call") else each.id for each in page.items]


async def begun(store: Store, clock, *calls: Call) -> None:
    """Each a millisecond after the one before."""
    for call in calls:
        await store.begin(call)
        clock.now += 1


# trails


async def test_an_end_is_kept_with_the_way_it_went(store: Store):
    await store.begin(a_call())

    await store.finish("c1", Result(payload=b"ok", service_id="game-1", agent_id="agent-1"), trail=TRAIL)

    assert (await store.call("c1")).trail == TRAIL


async def test_a_failed_call_keeps_where_it_was_sent(store: Store):
    await store.begin(a_call())

    await store.finish("c1", OutcomeUnknown("the connection was lost"), trail=TRAIL)

    assert (await store.call("c1")).trail == TRAIL


async def test_a_failure_keeps_its_name_and_its_details(store: Store):
    await store.begin(a_call())

    await store.finish("c1", Unavailable("no agent", {"agents": "a1"}, code=Code.AGENTS_AWAY))

    kept = (await store.call("c1")).outcome
    assert (type(kept), kept.message, kept.code, kept.details) == (
        Unavailable,
        "no agent",
        Code.AGENTS_AWAY,
        {"agents": "a1"},
    )


async def test_a_failure_without_a_name_keeps_its_details(store: Store):
    await store.begin(a_call())

    await store.finish("c1", FunctionRejected("no", {"code": "agents_away"}))

    kept = (await store.call("c1")).outcome
    assert (kept.code, kept.details) == (None, {"code": "agents_away"})


async def test_a_decision_may_be_any_text(store: Store):
    await store.begin(a_call())

    await store.finish("c1", HandlerFailed("no"), trail=TRAIL._replace(decision='"quoted"\n語'))

    assert (await store.call("c1")).trail.decision == '"quoted"\n語'


async def test_a_call_that_was_made_again_names_the_first(store: Store):
    await store.begin(a_call("c2", replay_of="c1"))

    assert (await store.call("c2")).call.replay_of == "c1"


async def test_repetitions_of_a_key_are_counted_on_the_first_call(store: Store):
    await store.begin(a_call(idempotency_key="k"))
    repeating = (store.begin(a_call(f"c{n}", idempotency_key="k")) for n in range(2, 7))
    await asyncio.gather(*repeating)
    with pytest.raises(Conflict):
        await store.begin(a_call("c9", idempotency_key="k", payload=b"another"))

    assert (await store.call("c1")).replays == 5


# pages of calls


async def test_calls_are_listed_newest_first_page_by_page(store: Store, clock):
    await begun(store, clock, *(a_call(f"c{number}") for number in range(7)))

    first = await store.calls(CallFilter(), 3)
    second = await store.calls(CallFilter(), 3, first.next)
    third = await store.calls(CallFilter(), 3, second.next)

    assert (ids(first), ids(second), ids(third)) == (["c6", "c5", "c4"], ["c3", "c2", "c1"], ["c0"])
    assert third.next is None


async def test_calls_of_one_millisecond_are_neither_lost_nor_listed_twice(store: Store):
    for number in range(5):
        await store.begin(a_call(f"c{number}"))

    first = await store.calls(CallFilter(), 2)
    second = await store.calls(CallFilter(), 2, first.next)
    third = await store.calls(CallFilter(), 2, second.next)

    assert ids(first) + ids(second) + ids(third) == ["c4", "c3", "c2", "c1", "c0"]


async def test_new_calls_do_not_move_the_pages(store: Store, clock):
    await begun(store, clock, *(a_call(f"c{number}") for number in range(4)))
    first = await store.calls(CallFilter(), 2)

    await begun(store, clock, a_call("new"))

    assert ids(await store.calls(CallFilter(), 2, first.next)) == ["c1", "c0"]


async def test_a_list_of_calls_leaves_payloads_metadata_and_results_out(store: Store):
    await store.begin(a_call(payload=b"p" * 5_000, metadata={"ticket": "T-7"}))
    await store.finish("c1", Result(payload=b"r" * 5_000, service_id="game-1"), trail=TRAIL)

    (record,) = (await store.calls(CallFilter(), 10)).items

    assert (record.call.payload, record.call.metadata) == (b"", {})
    assert record.outcome == Result(payload=b"", service_id="game-1")
    assert record.trail == TRAIL._replace(agent_id="")


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (CallFilter(scope=Scope("demo", "prod")), ["scope"]),
        (CallFilter(function_id="mail.send"), ["function"]),
        (CallFilter(caller="bob"), ["caller"]),
        (CallFilter(trace_id=TRACE), ["trace"]),
        (CallFilter(trace_id=TRACE[:-1]), []),
        (CallFilter(idempotency_key="k"), ["key"]),
        (CallFilter(replay_of="c0"), ["replay"]),
        (CallFilter(states=frozenset({CallState.FAILED, CallState.OUTCOME_UNKNOWN})), ["unknown", "failed"]),
        (CallFilter(caller="bob", function_id="mail.send"), []),
        (CallFilter(caller="' OR 1=1 --"), []),
    ],
    ids=[
        "scope",
        "function",
        "caller",
        "trace",
        "part of a trace",
        "key",
        "replay",
        "states",
        "caller and function",
        "injection",
    ],
)
async def test_calls_are_found_by_what_they_were(store: Store, clock, which: CallFilter, found: list[str]):
    await begun(
        store,
        clock,
        a_call("scope", scope=Scope("demo", "prod")),
        a_call("function", function_id="mail.send"),
        a_call("caller", caller="bob"),
        a_call("trace", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01"),
        a_call("key", idempotency_key="k"),
        a_call("replay", replay_of="c0"),
        a_call("failed"),
        a_call("unknown"),
    )
    await store.finish("failed", HandlerFailed("no"))
    await store.finish("unknown", OutcomeUnknown("?"))

    assert ids(await store.calls(which, 10)) == found


async def test_calls_are_found_by_when_they_began(store: Store, clock):
    start = clock.now
    await begun(store, clock, *(a_call(f"c{number}") for number in range(5)))

    assert ids(await store.calls(CallFilter(since_ms=start + 1, until_ms=start + 3), 10)) == ["c2", "c1"]
    assert ids(await store.calls(CallFilter(since_ms=2**80), 10)) == []


async def test_a_search_ends_early_and_says_where_to_go_on(store: Store, clock, monkeypatch):
    monkeypatch.setattr(searches, "SCANNED", 3)
    await begun(store, clock, a_call("wanted", caller="bob"), *(a_call(f"c{number}") for number in range(4)))

    first = await store.calls(CallFilter(caller="bob"), 10)
    second = await store.calls(CallFilter(caller="bob"), 10, first.next)

    assert (ids(first), ids(second)) == ([], ["wanted"])
    assert (first.next is None, second.next) == (False, None)


# pages of jobs


async def test_jobs_are_found_by_function_caller_agent_and_time(store: Store, clock):
    start = clock.now
    for job_id, changes in (("j1", {}), ("j2", {"function_id": "mail.send"}), ("j3", {"caller": "bob"})):
        await store.create(a_call(job_id, **changes))
        clock.now += 1
    await store.place("j1", agent_id="agent-7", service_id="game-1")

    async def found(**which) -> list[str]:
        return ids(await store.jobs(JobFilter(**which), 10))

    assert await found(function_id="mail.send") == ["j2"]
    assert await found(caller="bob") == ["j3"]
    assert await found(agent_id="agent-7", states=frozenset({JobState.RUNNING})) == ["j1"]
    assert await found(since_ms=start + 1, until_ms=start + 2) == ["j2"]


async def test_jobs_are_listed_page_by_page(store: Store, clock):
    for number in range(5):
        await store.create(a_call(f"j{number}"))
        clock.now += number % 2

    first = await store.jobs(JobFilter(scope=SCOPE), 3)
    second = await store.jobs(JobFilter(scope=SCOPE), 3, first.next)

    assert ids(first) + ids(second) == ["j4", "j3", "j2", "j1", "j0"]
    assert second.next is None


# the end of a key


async def test_a_key_is_free_again_a_day_after_its_call_began(store: Store, clock):
    await store.begin(a_call(idempotency_key="k"))
    await store.finish("c1", Result(payload=b"first"))
    clock.now += KEY_WINDOW_MS - 1
    repeated = await store.begin(a_call("c2", idempotency_key="k"))
    clock.now += 1

    assert repeated.call.id == "c1"
    assert await store.begin(a_call("c3", idempotency_key="k", payload=b"another")) is None
    assert (await store.begin(a_call("c4", idempotency_key="k", payload=b"another"))).call.id == "c3"
    assert (await store.call("c1")).call.idempotency_key == "k"


async def test_of_many_who_want_a_key_at_its_end_one_gets_it(store: Store, clock):
    await store.begin(a_call(idempotency_key="k"))
    clock.now += KEY_WINDOW_MS

    answers = await asyncio.gather(*(store.begin(a_call(f"d{n}", idempotency_key="k")) for n in range(20)))

    assert answers.count(None) == 1
    assert {each.call.id for each in answers if each is not None} == {f"d{answers.index(None)}"}


async def test_a_jobs_key_is_free_again_too(store: Store, clock):
    await store.create(a_call("j1", idempotency_key="k"))
    clock.now += KEY_WINDOW_MS

    assert await store.create(a_call("j2", idempotency_key="k")) is None
    assert (await store.job("j2")).state is JobState.PENDING
