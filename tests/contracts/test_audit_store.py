"""The sentences of `croupier.store.audit`, each a test, over every implementation."""

import asyncio

import orjson
import pytest

from croupier.audit.chain import link
from croupier.domain.audit import GENESIS, REPEATED, AuditFilter, Checkpoint, Cut, Note, Phase, SealedRow
from croupier.domain.call import Call, Result
from croupier.domain.job import JobEvent
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Conflict, InvalidArgument, Unavailable
from croupier.store import Store

ANN = Principal(name="ann", kind="user", user_id="u1", credential="s1")
HERE, THERE = Scope("demo", "dev"), Scope("demo", "prod")


def a_note(**changes) -> Note:
    return Note(**{"actor": ANN, "action": "packs.import", "target": "prom", "result": "ok", **changes})


def a_call(call_id: str = "c1", **changes) -> Call:
    fields = {"function_id": "player.ban", "scope": HERE, "payload": b"{}", "caller": "ann", **changes}
    return Call(id=call_id, **fields)


def intent_of(call: Call) -> Note:
    return Note(
        actor=ANN,
        action="function.invoke",
        phase=Phase.INTENT,
        act_id=call.id,
        target=call.function_id,
        scope=call.scope,
    )


def outcome_of(call: Call) -> Note:
    return intent_of(call)._replace(phase=Phase.OUTCOME, result="ok")


async def everything(store: Store) -> list[SealedRow]:
    return await store.audit.rows(0, 10_000)


async def said(store: Store, *fields: str) -> list[tuple[object, ...]]:
    """The fields of every row."""
    found = [orjson.loads(each.row) for each in await everything(store)]
    return [tuple(row.get(field) for field in fields) for row in found]


def is_chained(rows: list[SealedRow]) -> bool:
    previous = GENESIS.hash
    for number, each in enumerate(rows, 1):
        if each.seq != number or each.hash != link(previous, each.row) or orjson.loads(each.row)["seq"] != number:
            return False
        previous = each.hash
    return True


async def test_rows_are_chained_in_the_order_in_which_they_were_asked_for(store: Store):
    await store.audit.record(a_note(target="a"), a_note(target="b"))
    await store.audit.record(a_note(target="c"))

    assert await said(store, "target") == [("a",), ("b",), ("c",)]
    assert is_chained(await everything(store))
    assert (await store.audit.head()).seq == 3


async def test_the_chain_goes_on_when_the_store_is_opened_again(stores):
    for _ in range(3):
        store = await stores.open()
        await store.audit.record(a_note())
        await store.close()
    store = await stores.open()

    rows = await everything(store)

    assert len(rows) == 3
    assert is_chained(rows)
    await store.close()


async def test_a_call_brings_its_intent_and_its_outcome(store: Store):
    call = a_call()
    await store.begin(call, note=intent_of(call))
    assert await said(store, "phase", "act_id") == [("intent", "c1")]

    await store.finish(call.id, Result(payload=b"{}"), note=outcome_of(call))

    assert await said(store, "phase", "act_id", "result") == [("intent", "c1", None), ("outcome", "c1", "ok")]
    assert is_chained(await everything(store))


async def test_intent_and_outcome_stand_in_this_order_within_one_commit(store: Store):
    calls = [a_call(f"c{number}") for number in range(200)]

    async def run(call: Call) -> None:
        await store.begin(call, durable=False, note=intent_of(call))
        await store.finish(call.id, Result(payload=b""), durable=False, note=outcome_of(call))

    await asyncio.gather(*map(run, calls))
    await store.audit.record(a_note())

    found = await said(store, "act_id", "phase")
    assert len(found) == 401
    assert all(found.index((call.id, "intent")) < found.index((call.id, "outcome")) for call in calls)
    assert is_chained(await everything(store))


async def test_a_repeated_key_is_on_record_as_a_repetition(store: Store):
    first, second = a_call("c1", idempotency_key="k"), a_call("c2", idempotency_key="k")
    await store.begin(first, note=intent_of(first))
    await store.begin(second, note=intent_of(second))

    assert await said(store, "act_id", "phase", "result") == [("c1", "intent", None), ("c2", "event", REPEATED)]


async def test_a_key_used_for_something_else_is_on_record_as_a_denial(store: Store):
    first, second = a_call("c1", idempotency_key="k"), a_call("c2", idempotency_key="k", payload=b"[]")
    await store.begin(first, note=intent_of(first))
    with pytest.raises(Conflict):
        await store.begin(second, note=intent_of(second))

    assert (await said(store, "act_id", "phase", "result", "reason"))[1] == ("c2", "event", "denied", "conflict")


async def test_the_end_of_a_job_is_on_record(store: Store):
    call = a_call("j1")
    await store.create(call, note=intent_of(call))
    await store.append([JobEvent(job_id="j1", seq=1, type="done", payload=b"{}", time_ms=5)])

    assert (await said(store, "act_id", "action", "result"))[-1] == ("j1", "job.end", "succeeded")


async def test_calls_of_a_process_that_died_are_on_record_as_unknown(store: Store):
    call = a_call()
    await store.begin(call, note=intent_of(call))
    await store.abandon()

    assert (await said(store, "act_id", "action", "result"))[-1] == ("c1", "call.end", "outcome_unknown")


async def test_text_that_is_no_unicode_is_refused_for_that_note_alone(store: Store):
    good, bad = store.audit.record(a_note(target="good")), store.audit.record(a_note(target="\ud800"))
    refused = await asyncio.gather(good, bad, return_exceptions=True)

    assert isinstance(refused[1], InvalidArgument)
    assert await said(store, "target") in ([("good",)], [(None,), ("good",)])
    assert is_chained(await everything(store))


async def test_a_full_disk_refuses_the_act_and_the_record_says_afterwards_that_rows_are_missing(stores):
    store = await stores.open()
    await store.audit.record(a_note())
    big = "x" * 1_000_000
    with stores.refusing(store), pytest.raises(Unavailable, match="disk is full"):
        await store.audit.record(a_note(details=big))
    assert store.audit.unwritten == 1
    await store.audit.record(a_note(target="later"))
    assert store.audit.unwritten == 1

    rows = await everything(store)
    actions = [orjson.loads(each.row)["action"] for each in rows]
    assert actions == ["packs.import", "audit.gap", "packs.import"]
    assert orjson.loads(orjson.loads(rows[1].row)["details"])["rows"] == 1
    assert is_chained(rows)
    await store.close()


async def test_rows_are_found_by_what_they_say(store: Store):
    await store.audit.record(
        a_note(target="prom", scope=HERE, act_id="a1", details='{"pin":"masked:abc"}'),
        a_note(target="grafana", scope=THERE, act_id="a2", trace_id="t"),
        a_note(action="users.create", target="bob", result="failed", reason="conflict"),
    )

    async def found(**wanted) -> list[str]:
        page = await store.audit.search(AuditFilter(**wanted), 10)
        return [orjson.loads(each.row)["target"] for each in page.rows]

    assert await found() == ["bob", "grafana", "prom"]
    assert await found(actor="ann") == ["bob", "grafana", "prom"]
    assert await found(actor="bob") == []
    assert await found(action="packs.*") == ["grafana", "prom"]
    assert await found(action="packs.import", scope=THERE) == ["grafana"]
    assert await found(act_id="a1") == ["prom"]
    assert await found(trace_id="t") == ["grafana"]
    assert await found(result="failed", reason="conflict") == ["bob"]
    assert await found(masks=["masked:abc"]) == ["prom"]
    assert await found(text="graf") == ["grafana"]
    assert await found(user_id="u1", phase="event") == ["bob", "grafana", "prom"]


async def test_rows_are_found_by_their_time(store: Store, clock):
    for target in "abc":
        await store.audit.record(a_note(target=target))
        clock.now += 1000
    start = clock.now - 3000

    page = await store.audit.search(AuditFilter(since_ms=start + 1000, until_ms=start + 2000), 10)

    assert [orjson.loads(each.row)["target"] for each in page.rows] == ["b"]


async def test_a_page_of_rows_goes_on_where_the_last_one_ended(store: Store):
    await store.audit.record(*(a_note(target=str(number)) for number in range(10)))
    found, before = [], None
    while True:
        page = await store.audit.search(AuditFilter(), 3, before)
        found += [each.seq for each in page.rows]
        if (before := page.next) is None:
            break

    assert found == list(range(10, 0, -1))


async def test_checkpoints_and_cuts_are_kept_as_they_were(store: Store):
    checkpoint = Checkpoint(seq=3, hash=b"h", time_ms=7, signature=b"s")
    await store.audit.put_checkpoint(checkpoint)
    assert await store.audit.checkpoints(0, 10) == [checkpoint]
    assert await store.audit.checkpoints(3, 10) == []

    cut = Cut(up_to=3, hash=b"h", time_ms=8, by="ann", signature=b"s")
    await store.audit.cut(cut)
    assert await store.audit.cuts() == [cut]


async def test_a_cut_takes_away_the_beginning_and_the_chain_goes_on(store: Store):
    await store.audit.record(*(a_note(target=str(number)) for number in range(12_000)))
    last = await store.audit.row(11_000)
    marks = [Checkpoint(seq=seq, hash=b"h", time_ms=7, signature=b"s") for seq in (11_000, 11_500)]
    for mark in marks:
        await store.audit.put_checkpoint(mark)
    await store.audit.cut(Cut(up_to=11_000, hash=last.hash, time_ms=8, by="ann"))
    await store.audit.record(a_note(target="later"))

    rows = await everything(store)

    assert [rows[0].seq, rows[-1].seq] == [11_001, 12_001]
    assert await store.audit.checkpoints(0, 10) == marks[1:]
    assert rows[0].hash == link(last.hash, rows[0].row)
    assert await store.audit.row(11_000) is None
    assert (await store.audit.search(AuditFilter(), 10, 11_002)).rows == [rows[0]]


async def test_old_rows_are_those_at_the_beginning_that_are_all_old(store: Store, clock):
    start = clock.now
    for days in (0, 1, 5, 2):
        clock.now = start + days * 1000
        await store.audit.record(a_note())

    async def old(days: int, most: int | None = None) -> int | None:
        found = await store.audit.old(start + days * 1000, most)
        return None if found is None else found.seq

    assert [await old(days) for days in (0, 1, 2, 5, 6)] == [None, 1, 2, 2, 4]
    assert [await old(6, most) for most in (1, 3, 9)] == [1, 3, 4]
    first = await store.audit.row(1)
    await store.audit.cut(Cut(up_to=1, hash=first.hash, time_ms=8, by="ann"))
    assert await old(6, 1) == 2
    assert await old(1) is None


async def test_the_chain_goes_on_after_everything_was_cut(stores):
    store = await stores.open()
    await store.audit.record(a_note())
    head = await store.audit.head()
    await store.audit.cut(Cut(up_to=1, hash=head.hash, time_ms=8, by="ann"))
    await store.close()
    store = await stores.open()
    await store.audit.record(a_note())

    (row,) = await everything(store)

    assert (row.seq, row.hash) == (2, link(head.hash, row.row))
    await store.close()
