"""What `croupier.store` promises of the entities that calls are about."""

import pytest

from croupier.domain.call import Call, CallState, Result
from croupier.domain.entity import Subject
from croupier.domain.job import JobEvent, JobState
from croupier.domain.listing import Page
from croupier.domain.scope import Scope
from croupier.errors import HandlerFailed
from croupier.store import KEY_WINDOW_MS, Deed, Store

SCOPE = Scope("demo", "dev")
ANN = Subject("player", "p1")
BOB = Subject("player", "p2")


def a_call(call_id: str, **changes) -> Call:
    given = {"id": call_id, "function_id": "player.ban", "scope": SCOPE, "payload": b"{}", "caller": "ann"}
    return Call(**given | changes)


def ids(page: Page[Deed]) -> list[str]:
    return [deed.record.call.id for deed in page.items]


async def test_a_timeline_has_the_calls_about_an_entity_newest_first(store: Store, clock):
    for call_id in ("c1", "c3", "c2"):
        await store.begin(a_call(call_id), about=[ANN])
        clock.now += 1
    await store.begin(a_call("other"), about=[BOB])
    await store.begin(a_call("none"))

    assert ids(await store.timeline(SCOPE, ANN, 10)) == ["c2", "c3", "c1"]


async def test_calls_of_one_moment_are_sorted_by_id(store: Store):
    for call_id in ("c1", "c3", "c2"):
        await store.begin(a_call(call_id), about=[ANN])

    assert ids(await store.timeline(SCOPE, ANN, 10)) == ["c3", "c2", "c1"]


async def test_a_call_may_be_about_several_entities_and_twice_about_one(store: Store):
    await store.begin(a_call("c1"), about=[ANN, BOB, Subject("guild", "p1"), ANN])

    for subject in (ANN, BOB, Subject("guild", "p1")):
        assert ids(await store.timeline(SCOPE, subject, 10)) == ["c1"]


async def test_a_timeline_says_how_each_ended_without_its_payload(store: Store):
    await store.begin(a_call("c1", payload=b'{"secret":1}'), about=[ANN])
    await store.finish("c1", HandlerFailed("the game broke"))

    (deed,) = (await store.timeline(SCOPE, ANN, 10)).items

    assert (deed.record.state, deed.record.outcome.message, deed.job) == (CallState.FAILED, "the game broke", None)
    assert deed.record.call.payload == b""


async def test_a_job_is_told_as_it_stands(store: Store, clock):
    await store.create(a_call("j1", function_id="player.export"), about=[ANN])
    await store.finish("j1", Result(payload=b"j1"))
    await store.append([JobEvent(job_id="j1", seq=1, type="progress", progress=40, time_ms=clock.now)])

    (deed,) = (await store.timeline(SCOPE, ANN, 10)).items

    assert (deed.record.kind, deed.job.state, deed.job.progress) == ("job", JobState.RUNNING, 40)


async def test_pages_of_a_timeline_miss_nothing_and_repeat_nothing(store: Store, clock):
    for number in range(7):
        await store.begin(a_call(f"c{number}"), about=[ANN], durable=number % 2 == 0)
        clock.now += number % 3
    seen, before = [], None
    while True:
        page = await store.timeline(SCOPE, ANN, 2, before)
        seen += ids(page)
        if (before := page.next) is None:
            break

    assert sorted(seen) == [f"c{number}" for number in range(7)]
    assert seen == ids(await store.timeline(SCOPE, ANN, 100))


async def test_queries_can_be_left_out_of_a_timeline(store: Store, clock):
    for number in range(6):
        await store.begin(a_call(f"c{number}"), about=[ANN], durable=number % 2 == 0)
        clock.now += 1
    await store.begin(a_call("last"))

    page = await store.timeline(SCOPE, ANN, 2, queries=False)
    assert ids(page) == ["c4", "c2"]
    assert ids(await store.timeline(SCOPE, ANN, 2, page.next, queries=False)) == ["c0"]


async def test_scopes_are_walls_between_timelines(store: Store):
    await store.begin(a_call("c1"), about=[ANN])

    for scope in (Scope("demo", "prod"), Scope("other", "dev")):
        assert ids(await store.timeline(scope, ANN, 10)) == []


async def test_a_repetition_of_a_key_adds_nothing_to_a_timeline(store: Store, clock):
    await store.begin(a_call("c1", idempotency_key="k"), about=[ANN])
    await store.begin(a_call("c2", idempotency_key="k"), about=[ANN])
    assert ids(await store.timeline(SCOPE, ANN, 10)) == ["c1"]

    clock.now += KEY_WINDOW_MS
    await store.begin(a_call("c3", idempotency_key="k"), about=[ANN])
    assert ids(await store.timeline(SCOPE, ANN, 10)) == ["c3", "c1"]


@pytest.mark.parametrize("limit", [0, -1])
async def test_no_entries_are_no_entries(store: Store, limit: int):
    await store.begin(a_call("c1"), about=[ANN])

    assert await store.timeline(SCOPE, ANN, limit) == Page([], None)


async def test_a_forgotten_call_leaves_every_timeline_and_a_running_one_stays(stores):
    store = await stores.open()
    for call_id in ("c1", "c2", "running"):
        await store.begin(a_call(call_id), about=[ANN, BOB])
    for call_id in ("c1", "c2"):
        await store.finish(call_id, Result(payload=b""))

    await store.forget_calls(["c1", "running", "unknown"])
    await store.close()

    store = await stores.open()
    for subject in (ANN, BOB):
        assert ids(await store.timeline(SCOPE, subject, 10)) == ["running", "c2"]
    await store.close()
