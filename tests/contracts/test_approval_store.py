"""The sentences of `croupier.store.approvals`, each a test, over every implementation."""

import asyncio
from dataclasses import replace

import pytest
from tests.approvals import ANN, DAY_MS, NOW, SCOPE, a_demand, a_user, an_approval, as_approver

from croupier.domain import approval as life
from croupier.domain.approval import Approval, ApprovalKind, ApprovalState, ReviewState
from croupier.domain.call import Call, CallState, Result
from croupier.domain.demand import Stage
from croupier.domain.entity import Subject
from croupier.domain.listing import CallFilter
from croupier.domain.notice import Event, Notice, NoticeState, failed, sent
from croupier.domain.scope import Scope
from croupier.errors import Canceled, Conflict, FailedPrecondition
from croupier.store import Store
from croupier.store.approvals import ApprovalFilter, Tally


def a_call(call_id: str = "ca1", **changes) -> Call:
    fields = {"id": call_id, "function_id": "player.ban", "scope": SCOPE, "payload": b'{"n": 1}', "caller": "ann"}
    return Call(**fields | changes)


def a_notice(notice_id: str = "n1", **changes) -> Notice:
    return Notice(
        **{"id": notice_id, "approval_id": "a1", "webhook": "chat", "event": Event.REQUESTED, "text": "ann asks"}
        | changes
    )


def approved(approval: Approval) -> Approval:
    return life.approve(approval, as_approver("bob"), comment="fine", now_ms=NOW + 1)


async def kept(store: Store, approval_id: str = "a1") -> Approval:
    found = await store.approvals.approval(approval_id)
    assert found is not None
    return found


async def state_of(store: Store, call_id: str = "ca1") -> CallState:
    record = await store.call(call_id)
    assert record is not None
    return record.state


async def asked_and_approved(store: Store, call: Call | None = None, **changes) -> Approval:
    await store.approvals.ask(an_approval(**changes), call or a_call())
    assert await store.approvals.replace(approved(await kept(store)))
    return await kept(store)


# ------------------------------------------------------------------------------------------------ asking


async def test_what_is_asked_for_is_kept_whole_with_its_call_which_waits(store: Store) -> None:
    approval = an_approval(
        requester=a_user(
            "ann", "ops", permissions=frozenset({"function:*"}), scopes=frozenset({"demo|*"}), proved_ms=7
        ),
        demand=a_demand(Stage(approvers=("lead",), threshold=2), reason=True, expires=60.0),
        reason="rude ✗",
        ticket="T-1",
        description=b'{"id": "player.ban"}',
    )
    assert await store.approvals.ask(approval, a_call(), about=[Subject("player", "p1")]) is None
    assert await kept(store) == approval
    record = await store.call("ca1")
    assert record is not None
    assert (record.state, record.outcome, record.call) == (CallState.WAITING, None, a_call())
    page = await store.timeline(SCOPE, Subject("player", "p1"), 10)
    assert [each.record.call.id for each in page.items] == ["ca1"]


async def test_a_large_payload_waits_too(store: Store) -> None:
    call = a_call(payload=b'"' + b"x" * 100_000 + b'"')
    await store.approvals.ask(an_approval(), call)
    record = await store.call("ca1")
    assert record is not None
    assert record.call == call


async def test_a_repeated_key_asks_nothing_and_names_the_first_call(store: Store) -> None:
    assert await store.approvals.ask(an_approval(), a_call(idempotency_key="k")) is None
    again = a_call("ca2", idempotency_key="k")
    assert await store.approvals.ask(an_approval("a2"), again) == "ca1"
    assert await store.approvals.approval("a2") is None
    assert await store.call("ca2") is None


async def test_a_repeated_key_with_other_arguments_is_a_conflict(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call(idempotency_key="k"))
    with pytest.raises(Conflict, match="payload"):
        await store.approvals.ask(an_approval("a2"), a_call("ca2", idempotency_key="k", payload=b"{}"))


async def test_one_of_two_with_one_key_at_the_same_time_waits(store: Store) -> None:
    answers = await asyncio.gather(
        *(
            store.approvals.ask(an_approval(f"a{number}"), a_call(f"ca{number}", idempotency_key="k"))
            for number in range(5)
        )
    )
    assert answers.count(None) == 1
    assert len((await store.approvals.approvals(ApprovalFilter(), 10)).items) == 1


async def test_a_waiting_call_is_neither_abandoned_nor_forgotten(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call())
    assert await store.abandon() == 0
    await store.forget_calls(["ca1"])
    assert await state_of(store) is CallState.WAITING
    assert await store.old_calls(NOW + 10 * DAY_MS, 10) == []


async def test_it_survives_that_the_store_is_opened_again(stores) -> None:
    store = await stores.open()
    await store.approvals.ask(an_approval(), a_call(), notices=[a_notice()])
    await store.close()
    store = await stores.open()
    assert await kept(store) == an_approval()
    assert await store.approvals.notices("a1") == [a_notice()]
    assert await state_of(store) is CallState.WAITING
    await store.close()


async def test_what_has_no_call_is_open_once(store: Store) -> None:
    bulk = an_approval(kind=ApprovalKind.BULK, call_id="b1", arguments=b"{}")
    assert await store.approvals.open(bulk)
    assert not await store.approvals.open(replace(bulk, id="a2"))
    await store.approvals.replace(life.withdraw(bulk, ANN, comment="", now_ms=NOW))
    assert await store.approvals.open(replace(bulk, id="a3", created_ms=NOW + 5))
    latest = await store.approvals.latest("b1")
    assert latest is not None
    assert latest.id == "a3"


async def test_what_is_undecided_of_many_is_found_at_once(store: Store) -> None:
    for number in (1, 2, 3):
        bulk = an_approval(id=f"a{number}", kind=ApprovalKind.BULK, call_id=f"b{number}", arguments=b"{}")
        assert await store.approvals.open(bulk)
        if number == 2:
            await store.approvals.replace(life.withdraw(bulk, ANN, comment="", now_ms=NOW))
    assert await store.approvals.undecided(["b1", "b2", "b3", "b4"]) == {"b1": "a1", "b3": "a3"}
    assert await store.approvals.undecided([]) == {}


# ------------------------------------------------------------------------------------------------ compare and set


async def test_of_two_changes_from_one_revision_one_is_taken(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call())
    pending = await kept(store)
    taken = await asyncio.gather(
        store.approvals.replace(approved(pending)),
        store.approvals.replace(life.withdraw(pending, ANN, comment="", now_ms=NOW), ended=Canceled("withdrawn")),
    )
    assert sorted(taken) == [False, True]
    state = (await kept(store)).state
    assert state is (ApprovalState.APPROVED if taken[0] else ApprovalState.WITHDRAWN)
    assert await state_of(store) is (CallState.WAITING if taken[0] else CallState.CANCELED)


async def test_two_approvers_at_once_both_count(store: Store) -> None:
    await store.approvals.ask(an_approval(demand=a_demand(Stage(threshold=2))), a_call())
    pending = await kept(store)
    votes = [life.approve(pending, as_approver(name), comment="", now_ms=NOW + 1) for name in ("bob", "cid")]
    taken = await asyncio.gather(*(store.approvals.replace(vote) for vote in votes))
    assert sorted(taken) == [False, True]
    loser = "cid" if taken[0] else "bob"
    after = life.approve(await kept(store), as_approver(loser), comment="", now_ms=NOW + 1)
    assert await store.approvals.replace(after)
    assert (await kept(store)).state is ApprovalState.APPROVED


async def test_a_call_whose_request_is_closed_ends_and_its_key_is_free(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call(idempotency_key="k"))
    rejected = life.reject(await kept(store), as_approver("bob"), comment="no", now_ms=NOW)
    assert await store.approvals.replace(rejected, ended=FailedPrecondition("rejected", {"approval_id": "a1"}))
    record = await store.call("ca1")
    assert record is not None
    assert record.state is CallState.FAILED
    assert isinstance(record.outcome, FailedPrecondition)
    assert (record.outcome.message, record.outcome.details) == ("rejected", {"approval_id": "a1"})
    assert await store.approvals.ask(an_approval("a2"), a_call("ca2", idempotency_key="k")) is None


# ------------------------------------------------------------------------------------------------ executing once


async def test_an_approved_call_begins_once(store: Store) -> None:
    approval = await asked_and_approved(store)
    begun = await asyncio.gather(*(store.begin(a_call(), approval=approval) for _ in range(4)), return_exceptions=True)
    assert begun.count(None) == 1
    assert sum(isinstance(each, Conflict) for each in begun) == 3
    assert (await kept(store)).state is ApprovalState.EXECUTING
    assert await state_of(store) is CallState.RUNNING
    await store.finish("ca1", Result(payload=b"{}"))
    assert await state_of(store) is CallState.SUCCEEDED
    with pytest.raises(Conflict):
        await store.begin(a_call(), approval=approval)


async def test_what_is_not_approved_does_not_begin(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call())
    with pytest.raises(Conflict):
        await store.begin(a_call(), approval=await kept(store))
    with pytest.raises(Conflict):
        await store.begin(a_call(), approval=replace(await kept(store), state=ApprovalState.APPROVED, revision=9))
    assert await state_of(store) is CallState.WAITING


async def test_an_approval_begins_no_other_call_than_its_own(store: Store) -> None:
    approval = await asked_and_approved(store)
    with pytest.raises(Exception):  # noqa: B017, PT011 — whatever it says, nothing of it is kept
        await store.begin(a_call("another"), approval=approval)
    assert (await kept(store)).state is ApprovalState.APPROVED
    assert await store.call("another") is None


async def test_it_is_withdrawn_or_begun_but_not_both(store: Store) -> None:
    approval = await asked_and_approved(store)
    withdrawn = life.withdraw(approval, ANN, comment="", now_ms=NOW)
    taken, begun = await asyncio.gather(
        store.approvals.replace(withdrawn, ended=Canceled("withdrawn")),
        store.begin(a_call(), approval=approval),
        return_exceptions=True,
    )
    assert (taken is True) == isinstance(begun, Conflict)
    assert await state_of(store) is (CallState.CANCELED if taken is True else CallState.RUNNING)


async def test_a_job_is_made_when_it_is_approved(store: Store) -> None:
    approval = await asked_and_approved(store, kind=ApprovalKind.JOB)
    assert await store.job("ca1") is None
    assert await store.create(a_call(), approval=approval) is None
    job = await store.job("ca1")
    assert job is not None
    assert (job.function_id, job.caller) == ("player.ban", "ann")


async def test_what_ran_when_the_process_died_is_never_begun_again(store: Store) -> None:
    approval = await asked_and_approved(store, a_call(idempotency_key="k"))
    await store.begin(a_call(idempotency_key="k"), approval=approval)
    assert await store.abandon() == 1
    with pytest.raises(Conflict):
        await store.begin(a_call(idempotency_key="k"), approval=approval)
    assert (await kept(store)).state is ApprovalState.EXECUTING
    assert await state_of(store) is CallState.OUTCOME_UNKNOWN


async def test_break_glass_is_recorded_with_its_call(store: Store) -> None:
    excuse = an_approval(break_glass=True, state=ApprovalState.EXECUTING, review=ReviewState.OPEN)
    assert await store.begin(a_call(idempotency_key="k"), approval=excuse) is None
    assert await kept(store) == excuse
    again = await store.begin(a_call("c2", idempotency_key="k"), approval=replace(excuse, id="a2", call_id="c2"))
    assert again is not None
    assert again.call.id == "ca1"
    assert await store.approvals.approval("a2") is None


# ------------------------------------------------------------------------------------------------ lists


async def test_they_are_listed_newest_first_page_by_page(store: Store) -> None:
    for number in range(5):
        await store.approvals.ask(an_approval(f"a{number}", created_ms=NOW + number // 2), a_call(f"ca{number}"))
    first = await store.approvals.approvals(ApprovalFilter(), 3)
    rest = await store.approvals.approvals(ApprovalFilter(), 3, first.next)
    assert [each.id for each in (*first.items, *rest.items)] == ["a4", "a3", "a2", "a1", "a0"]
    assert rest.next is None


@pytest.mark.parametrize(
    ("which", "count"),
    [
        (ApprovalFilter(), 2),
        (ApprovalFilter(scope=SCOPE), 2),
        (ApprovalFilter(scope=Scope("demo", "prod")), 0),
        (ApprovalFilter(states=frozenset({ApprovalState.PENDING})), 1),
        (ApprovalFilter(review=ReviewState.OPEN), 1),
        (ApprovalFilter(function_id="player.ban"), 2),
        (ApprovalFilter(function_id="x"), 0),
        (ApprovalFilter(person="user:u-ann"), 1),
    ],
)
async def test_a_list_holds_what_was_asked_for(store: Store, which: ApprovalFilter, count: int) -> None:
    await store.approvals.ask(an_approval(), a_call())
    excuse = an_approval("a2", break_glass=True, state=ApprovalState.EXECUTED, review=ReviewState.OPEN)
    await store.begin(a_call("ca2"), approval=replace(excuse, requester=a_user("bob")))
    assert len((await store.approvals.approvals(which, 10)).items) == count


async def test_calls_that_wait_are_listed_as_such(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call())
    await store.begin(a_call("c2"))
    page = await store.calls(CallFilter(states=frozenset({CallState.WAITING})), 10)
    assert [each.call.id for each in page.items] == ["ca1"]


async def test_pending_ones_whose_time_is_over_are_found(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call())
    assert await store.approvals.overdue(NOW + DAY_MS - 1, 10) == []
    assert [each.id for each in await store.approvals.overdue(NOW + DAY_MS, 10)] == ["a1"]
    await store.approvals.replace(approved(await kept(store)))
    assert await store.approvals.overdue(NOW + DAY_MS, 10) == []


async def test_what_has_ended_is_forgotten_after_its_time_but_no_open_review(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call(), notices=[a_notice()])
    assert await store.approvals.forget(NOW + DAY_MS, 10) == 0
    await store.approvals.replace(life.withdraw(await kept(store), ANN, comment="", now_ms=NOW))
    reviewed = an_approval("a2", break_glass=True, state=ApprovalState.EXECUTED, review=ReviewState.OPEN)
    await store.begin(a_call("ca2"), approval=reviewed)
    assert await store.approvals.forget(NOW, 10) == 0
    assert await store.approvals.forget(NOW + 1, 10) == 1
    assert await store.approvals.approval("a1") is None
    assert await store.approvals.notices("a1") == []
    assert await kept(store, "a2") == reviewed


# ------------------------------------------------------------------------------------------------ notices


async def test_what_waits_for_people_and_what_was_not_taken_is_counted(store: Store) -> None:
    assert await store.approvals.tally() == Tally(pending=0, reviews=0, stuck=0, failed=0)
    await store.approvals.ask(an_approval(), a_call())
    await store.approvals.ask(an_approval("a2"), a_call("ca2"))
    assert await store.approvals.replace(approved(await kept(store, "a2")))
    excused = an_approval("a3", state=ApprovalState.EXECUTING, break_glass=True, review=ReviewState.OPEN)
    assert await store.approvals.open(excused)
    for attempts, notice_id in ((1, "n1"), (3, "n2"), (12, "n3")):
        tried = a_notice(notice_id)
        for _ in range(attempts):
            tried = failed(tried, "no answer", NOW)
        await store.approvals.put_notice(tried)
    assert await store.approvals.tally() == Tally(pending=1, reviews=1, stuck=1, failed=1)


async def test_a_notice_is_due_until_it_is_sent_or_given_up(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call(), notices=[a_notice("n1"), a_notice("n2", next_ms=NOW)])
    assert [each.id for each in await store.approvals.due_notices(NOW - 1, 10)] == ["n1"]
    later = failed(a_notice(), "HTTP 500", NOW)
    await store.approvals.put_notice(later)
    assert [each.id for each in await store.approvals.due_notices(NOW, 10)] == ["n2"]
    await store.approvals.put_notice(sent(later))
    await store.approvals.put_notice(failed(a_notice("n2"), "gone", NOW, for_good=True))
    assert await store.approvals.due_notices(NOW + DAY_MS, 10) == []
    assert {each.state for each in await store.approvals.notices("a1")} == {NoticeState.SENT, NoticeState.FAILED}


async def test_a_change_that_is_not_taken_tells_nobody(store: Store) -> None:
    await store.approvals.ask(an_approval(), a_call())
    stale = replace(approved(await kept(store)), revision=7)
    assert not await store.approvals.replace(stale, notices=[a_notice()])
    assert await store.approvals.notices("a1") == []
