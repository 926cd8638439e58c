"""The sentences of `croupier.store.bulk`, each a test, over every implementation."""

from dataclasses import replace

import pytest

from croupier.codes import Code
from croupier.domain.bulk import Bulk, BulkRow, BulkState, Fault, Plan, RowState
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Conflict, InvalidArgument
from croupier.store import Store
from croupier.store.bulk import WRITE_ROWS

SCOPE, OTHER = Scope("demo", "dev"), Scope("other", "prod")


def a_bulk(bulk_id: str = "b1", **changes) -> Bulk:
    return Bulk(**{"id": bulk_id, "function_id": "grant", "scope": SCOPE, "created_ms": 1} | changes)


def pending(*numbers: int) -> list[BulkRow]:
    return [BulkRow(row=number, line=number + 1, payload=b'{"n":%d}' % number) for number in numbers]


EVERY = frozenset()


async def test_a_bulk_is_kept_as_it_was(store: Store):
    bulk = a_bulk(
        name="compensation 語",
        state=BulkState.PAUSED,
        rows=7,
        invalid=2,
        sha256="ab",
        uploaded_by="ann",
        started_by="bob",
        starter=Principal(name="ann", groups=frozenset({"leads"})),
        approval_id="a1",
        dry_run=True,
        parent_id="b0",
        plan=Plan(canary=5, rate=2.5, concurrency=3, skip_invalid=True),
        confirmed=True,
        started_ms=2,
        finished_ms=3,
    )
    await store.bulk.create(bulk)
    assert await store.bulk.bulk("b1") == bulk
    assert await store.bulk.bulk("b2") is None


async def test_an_update_replaces_what_is_kept(store: Store):
    await store.bulk.create(a_bulk())
    changed = a_bulk(state=BulkState.RUNNING, rows=3, plan=Plan(rate=9))
    await store.bulk.update(changed)
    await store.bulk.update(a_bulk("unknown"))
    assert await store.bulk.bulk("b1") == changed
    assert await store.bulk.bulk("unknown") is None


async def test_two_bulks_cannot_have_one_id(store: Store):
    await store.bulk.create(a_bulk())
    with pytest.raises(Conflict):
        await store.bulk.create(a_bulk(name="another"))


async def test_bulks_are_listed_newest_first_by_scope_and_state(store: Store):
    await store.bulk.create(a_bulk("b1", created_ms=1))
    await store.bulk.create(a_bulk("b2", created_ms=3, state=BulkState.DONE))
    await store.bulk.create(a_bulk("b3", created_ms=2, scope=OTHER))

    async def listed(scope, states=frozenset(), limit=10):
        return [bulk.id for bulk in await store.bulk.bulks(scope, states, limit)]

    assert await listed(None) == ["b2", "b3", "b1"]
    assert await listed(None, limit=2) == ["b2", "b3"]
    assert await listed(SCOPE) == ["b2", "b1"]
    assert await listed(None, frozenset({BulkState.UPLOADING})) == ["b3", "b1"]


async def test_rows_are_read_ascending_in_pages_and_by_state(store: Store):
    invalid = BulkRow(row=4, line=9, state=RowState.INVALID, faults=(Fault(path="/n", message="odd"),))
    await store.bulk.add("b1", [*pending(2, 1, 3), invalid])
    await store.bulk.add("b2", pending(1))
    assert await store.bulk.rows("b1", EVERY, after=0, limit=10) == [*pending(1, 2, 3), invalid]
    assert await store.bulk.rows("b1", EVERY, after=1, limit=2) == pending(2, 3)
    assert await store.bulk.rows("b1", frozenset({RowState.INVALID}), after=0, limit=10) == [invalid]
    assert await store.bulk.counts("b1") == {RowState.PENDING: 3, RowState.INVALID: 1}
    assert await store.bulk.counts("unknown") == {}


async def test_an_outcome_is_recorded_and_the_arguments_stay(store: Store):
    await store.bulk.add("b1", pending(1, 2))
    ended = replace(
        pending(2)[0],
        state=RowState.FAILED,
        call_id="c1",
        result=b"[1]",
        result_bytes=3,
        reason="handler_failed",
        message="it broke",
        code=Code.NO_ANSWER_IN_TIME,
        parameters={"seconds": "30"},
        service_id="game-1",
        started_ms=5,
        finished_ms=6,
    )
    await store.bulk.record("b1", [replace(ended, payload=b"forged", line=99)])
    assert await store.bulk.rows("b1", EVERY, after=0, limit=10) == [*pending(1), ended]


async def test_a_fault_is_kept_in_both_languages(store: Store):
    faults = (Fault(path="/coins", message="must be at least 0", zh="不能小于 0"), Fault(path="", message="no row"))
    invalid = BulkRow(row=1, line=2, state=RowState.INVALID, faults=faults)
    await store.bulk.add("b1", [invalid])
    assert await store.bulk.rows("b1", EVERY, after=0, limit=10) == [invalid]


async def test_what_is_recorded_later_counts_also_within_one_commit(store: Store):
    await store.bulk.add("b1", pending(1))
    row = pending(1)[0]
    await store.bulk.record("b1", [replace(row, state=RowState.RUNNING, call_id="c1")], durable=False)
    await store.bulk.record("b1", [replace(row, state=RowState.SUCCEEDED, call_id="c1")])
    assert await store.bulk.counts("b1") == {RowState.SUCCEEDED: 1}


async def test_a_writing_is_all_or_nothing_and_bounded(store: Store):
    await store.bulk.add("b1", pending(5))
    with pytest.raises(Conflict):
        await store.bulk.add("b1", pending(4, 5))
    assert await store.bulk.counts("b1") == {RowState.PENDING: 1}
    with pytest.raises(InvalidArgument):
        await store.bulk.add("b1", pending(*range(10, 11 + WRITE_ROWS)))


async def test_a_discarded_bulk_is_gone_with_its_rows_and_no_others(store: Store):
    for bulk_id in ("b1", "b2"):
        await store.bulk.create(a_bulk(bulk_id))
        await store.bulk.add(bulk_id, pending(*range(1, WRITE_ROWS + 1)))
    await store.bulk.add("b1", pending(*range(WRITE_ROWS + 1, WRITE_ROWS + 20)))
    await store.bulk.discard("b1")
    await store.bulk.discard("b1")
    assert await store.bulk.bulk("b1") is None
    assert await store.bulk.counts("b1") == {}
    assert await store.bulk.counts("b2") == {RowState.PENDING: WRITE_ROWS}


async def test_bulks_survive_the_store_being_closed(stores):
    store = await stores.open()
    await store.bulk.create(a_bulk())
    await store.bulk.add("b1", pending(1))
    await store.close()
    store = await stores.open()
    assert await store.bulk.bulk("b1") == a_bulk()
    assert await store.bulk.rows("b1", EVERY, after=0, limit=1) == pending(1)
    await store.close()
