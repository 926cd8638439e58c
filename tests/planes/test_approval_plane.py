"""Asked, decided, executed: the whole way of an approval, and everything that may come in between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.planes.approval_testbed import (
    ANN,
    BAN,
    BOB,
    CID,
    DAN,
    EVE,
    OLAF,
    PEOPLE,
    ROOT,
    SCOPE,
    Clock,
    GameServer,
    Installation,
    installed,
    person,
)

from croupier.domain.approval import Approval, ApprovalKind, ApprovalState, ReviewState, execute
from croupier.domain.audit import AuditFilter
from croupier.domain.bulk import BulkState, Plan
from croupier.domain.call import Call, CallState, Result, Route
from croupier.domain.limit import Budget, Limit, Per, Period, Then
from croupier.domain.listing import CallFilter
from croupier.domain.principal import Principal
from croupier.errors import (
    AwaitingApproval,
    Canceled,
    CroupierError,
    DeadlineExceeded,
    FailedPrecondition,
    HandlerFailed,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from croupier.server.approvals import Grant, executor
from croupier.server.bulk import Upload
from croupier.server.bulk_rows import Format
from croupier.server.catalog import spoken
from croupier.server.dispatch.agents import Agent
from croupier.server.http.bulk_documents import entry, progress_document
from croupier.store import CallRecord
from croupier.store.approvals import ApprovalFilter


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def place(tmp_path: Path, clock: Clock) -> AsyncIterator[Installation]:
    async with installed(tmp_path, clock) as found:
        yield found


async def record_of(place: Installation, approval: Approval) -> CallRecord:
    found = await place.store.call(approval.call_id)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ the whole way


async def test_an_approved_call_runs_once_as_its_requesters_under_its_own_id(place: Installation) -> None:
    place.execute()
    pending = await place.ask()
    assert not place.game.given
    await place.approvals.approve(BOB, pending.id, comment="fine", digest=pending.bound.digest)
    executed = await place.reaches(pending, ApprovalState.EXECUTED)
    record = await record_of(place, pending)
    assert (record.state, record.call.caller) == (CallState.SUCCEEDED, "ann")
    assert isinstance(record.outcome, Result)
    assert record.outcome.payload == b'{"id":"p1"}'
    assert [each.id for each in place.game.given] == [pending.call_id]
    assert [vote.name for vote in executed.votes] == ["bob"]


async def test_a_call_that_nobody_has_to_approve_runs_at_once(place: Installation) -> None:
    await place.calls.invoke(ANN, place.call("kick"))
    assert (await place.store.approvals.approvals(ApprovalFilter(), 10)).items == []


async def test_a_job_is_started_when_it_is_approved(place: Installation) -> None:
    place.execute()
    with pytest.raises(AwaitingApproval) as waits:
        await place.jobs.start(ANN, place.call(timeout=None))
    pending = await place.kept(waits.value.details["approval_id"])
    assert pending.kind is ApprovalKind.JOB
    assert await place.store.job(pending.call_id) is None
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)
    assert (await place.store.job(pending.call_id)) is not None


async def test_a_call_that_fails_is_an_approval_that_failed(place: Installation) -> None:
    place.execute()
    place.game.error = HandlerFailed("it broke")
    pending = await place.ask()
    await place.approvals.approve(BOB, pending.id)
    failed = await place.reaches(pending, ApprovalState.FAILED)
    assert failed.message == "it broke"
    assert (await record_of(place, pending)).state is CallState.FAILED


async def test_a_deadline_that_passes_is_unknown_to_the_approval_the_call_and_the_audit_record(
    place: Installation,
) -> None:
    place.execute()
    place.game.error = DeadlineExceeded("no answer within the deadline")
    pending = await place.ask()
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.OUTCOME_UNKNOWN)
    assert (await record_of(place, pending)).state is CallState.OUTCOME_UNKNOWN
    told = await place.store.audit.search(AuditFilter(act_id=pending.call_id), 10)
    assert any(b'"result":"outcome_unknown"' in each.row for each in told.rows)


async def test_a_repeated_key_returns_the_same_approval_and_later_the_result(place: Installation) -> None:
    place.execute()
    pending = await place.ask(place.call(idempotency_key="k"))
    assert (await place.ask(place.call(idempotency_key="k"))).id == pending.id
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)
    again = await place.calls.invoke(ANN, place.call(idempotency_key="k"))
    assert (again.replayed, again.payload) == (True, b'{"id":"p1"}')
    assert len(place.game.given) == 1


async def test_after_a_rejection_the_key_asks_anew(place: Installation) -> None:
    pending = await place.ask(place.call(idempotency_key="k"))
    await place.approvals.reject(BOB, pending.id, comment="no")
    record = await record_of(place, pending)
    assert record.state is CallState.FAILED
    assert isinstance(record.outcome, PermissionDenied)
    assert "bob rejected it: no" in record.outcome.message
    assert (await place.ask(place.call(idempotency_key="k"))).id != pending.id


async def test_what_nobody_approves_in_time_expires(place: Installation, clock: Clock) -> None:
    place.execute()
    pending = await place.ask()
    clock.now += 86_400_000
    await place.reaches(pending, ApprovalState.EXPIRED)
    assert isinstance((await record_of(place, pending)).outcome, FailedPrecondition)
    with pytest.raises(FailedPrecondition, match="expired"):
        await place.approvals.approve(BOB, pending.id)


# ------------------------------------------------------------------------------------------------ who may


async def test_the_requester_may_withdraw_and_see_but_not_approve_its_own(place: Installation) -> None:
    pending = await place.ask()
    for same in (ANN, replace(ANN, kind="token", credential="t1"), replace(ANN, root=True)):
        with pytest.raises(PermissionDenied):
            await place.approvals.approve(same, pending.id)
    assert (await place.approvals.get(ANN, pending.id)).may_decide is False
    await place.approvals.withdraw(ANN, pending.id)
    assert isinstance((await record_of(place, pending)).outcome, Canceled)


async def test_whoever_has_no_business_there_learns_nothing(place: Installation) -> None:
    pending = await place.ask()
    for verb in (place.approvals.get, place.approvals.approve, place.approvals.withdraw):
        with pytest.raises(NotFound, match="unknown approval"):
            await verb(person("stranger"), pending.id)
    with pytest.raises(NotFound, match="unknown approval"):
        await place.approvals.get(BOB, "a0")
    with pytest.raises(PermissionDenied):
        await place.approvals.list(person("stranger"), ApprovalFilter(), 10)


async def test_whoever_may_only_look_does_not_decide(place: Installation) -> None:
    pending = await place.ask()
    assert (await place.approvals.get(EVE, pending.id)).may_decide is False
    for decision in (place.approvals.approve(EVE, pending.id), place.approvals.reject(EVE, pending.id, comment="no")):
        with pytest.raises(PermissionDenied, match="approvals:decide"):
            await decision
    assert (await place.kept(pending.id)).votes == ()


async def test_one_looks_at_ones_own_without_a_permission(place: Installation) -> None:
    pending = await place.ask()
    page = await place.approvals.list(ANN, ApprovalFilter(person="user:u-ann"), 10)
    assert [each.id for each in page.items] == [pending.id]


async def test_approvers_are_taken_by_role_and_stage(place: Installation) -> None:
    place.execute()
    rule = {"approvers": ["role:lead"], "threshold": 2}
    place.describe({**BAN, "auth": {"two_person_rule": rule}})
    pending = await place.ask()
    with pytest.raises(PermissionDenied, match="2 of role:lead"):
        await place.approvals.approve(DAN, pending.id)
    await place.approvals.approve(BOB, pending.id)
    assert not place.game.given
    await place.approvals.approve(CID, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)


async def test_root_approves_what_others_ask_for(place: Installation) -> None:
    place.execute()
    pending = await place.ask()
    await place.approvals.approve(ROOT, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)


async def test_what_somebody_else_looked_at_is_not_approved(place: Installation) -> None:
    pending = await place.ask()
    with pytest.raises(FailedPrecondition, match="look at it again"):
        await place.approvals.approve(BOB, pending.id, digest="0" * 64)


async def test_high_risk_is_approved_with_a_fresh_proof(place: Installation, clock: Clock) -> None:
    place.describe({**BAN, "risk": "high"})
    pending = await place.ask()
    with pytest.raises(PermissionDenied, match="prove") as refused:
        await place.approvals.approve(BOB, pending.id)
    assert refused.value.details["step_up"] == "totp"
    assert (await place.approvals.get(BOB, pending.id)).may_decide is True, "once the proof is there"
    await place.approvals.approve(replace(BOB, proved_ms=clock.now - 60_000), pending.id)


# ------------------------------------------------------------------------------------------------ races


async def test_two_approvers_in_the_same_millisecond_run_it_once(place: Installation) -> None:
    place.execute()
    pending = await place.ask()
    answers = await asyncio.gather(
        *(place.approvals.approve(each, pending.id) for each in (BOB, CID, ROOT)), return_exceptions=True
    )
    assert sum(isinstance(each, Approval) for each in answers) == 1
    assert sum(isinstance(each, FailedPrecondition) for each in answers) == 2
    await place.reaches(pending, ApprovalState.EXECUTED)
    assert len(place.game.given) == 1


async def test_two_approvers_of_two_both_count_in_the_same_millisecond(place: Installation) -> None:
    place.execute()
    place.describe({**BAN, "auth": {"two_person_rule": {"threshold": 2}}})
    pending = await place.ask()
    await asyncio.gather(place.approvals.approve(BOB, pending.id), place.approvals.approve(CID, pending.id))
    executed = await place.reaches(pending, ApprovalState.EXECUTED)
    assert {vote.name for vote in executed.votes} == {"bob", "cid"}
    assert len(place.game.given) == 1


@pytest.mark.parametrize("order", [0, 1])
async def test_approved_or_withdrawn_but_not_both(place: Installation, order: int) -> None:
    place.execute()
    pending = await place.ask()
    deeds = [lambda: place.approvals.approve(BOB, pending.id), lambda: place.approvals.withdraw(ANN, pending.id)]
    await asyncio.gather(*(deed() for deed in (deeds if order else reversed(deeds))), return_exceptions=True)
    ended = await place.reaches(pending, ApprovalState.EXECUTED, ApprovalState.WITHDRAWN)
    assert len(place.game.given) == (ended.state is ApprovalState.EXECUTED)


async def test_approved_while_it_expires_is_one_or_the_other(place: Installation, clock: Clock) -> None:
    pending = await place.ask()
    clock.now = pending.expires_ms - 1
    approving = asyncio.ensure_future(place.approvals.approve(BOB, pending.id))
    await asyncio.sleep(0)
    clock.now = pending.expires_ms
    place.execute()
    answer = (await asyncio.gather(approving, return_exceptions=True))[0]
    ended = await place.reaches(pending, ApprovalState.EXECUTED, ApprovalState.EXPIRED)
    assert isinstance(answer, Approval) == (ended.state is ApprovalState.EXECUTED)


# ------------------------------------------------------------------------------------------------ drift


async def executed_after(place: Installation, change: Callable[[], object], call: Call | None = None) -> Approval:
    """What becomes of an approval when something changes before it is executed."""
    pending = await place.ask(call)
    await place.approvals.approve(BOB, pending.id)
    change()
    place.execute()
    ended = await place.reaches(pending, *(state for state in ApprovalState if state.value not in _OPEN))
    assert ended.state is ApprovalState.VOID
    assert not place.game.given
    assert (await record_of(place, pending)).state is CallState.FAILED
    return ended


_OPEN = {"pending", "approved", "executing"}


async def test_a_changed_description_voids_it_and_is_named(place: Installation) -> None:
    ended = await executed_after(place, lambda: place.describe({**BAN, "summary": "another"}))
    assert "the function's description changed" in ended.message


async def test_what_changed_is_shown_before_it_is_decided(place: Installation) -> None:
    pending = await place.ask()
    place.describe({**BAN, "version": "2.0.0", "semantics": {"timeout": "9s"}})
    shown = await place.approvals.get(BOB, pending.id)
    assert "the version of the function's description changed" in shown.drifted
    assert shown.changes is not None
    assert shown.description["version"] == "1.0.0"


async def test_an_approver_sees_no_sensitive_value_whichever_description_says_so(place: Installation) -> None:
    fields = {"secret_word": {"sensitive": True}, "id": {"label": "ID"}}
    place.describe({**BAN, "ui": {"fields": fields}})
    pending = await place.ask(place.call("ban", {"id": "p1", "secret_word": "swordfish"}))
    place.describe(BAN)
    shown = await place.approvals.get(BOB, pending.id)
    assert b"swordfish" not in shown.payload
    assert b"p1" in shown.payload
    assert b"swordfish" in (await record_of(place, pending)).call.payload


async def test_stricter_rules_void_it(place: Installation) -> None:
    stricter = {**BAN, "auth": {"two_person_rule": {"threshold": 2}}}
    assert "the rules of approval" in (await executed_after(place, lambda: place.describe(stricter))).message


async def test_other_targets_of_a_broadcast_void_it(place: Installation) -> None:
    call = place.call(route=Route.BROADCAST)
    ended = await executed_after(place, lambda: place.describe(BAN, services=("game-1", "game-2")), call)
    assert "the game servers that would get it changed" in ended.message


async def test_a_lost_permission_voids_it(place: Installation) -> None:
    ended = await executed_after(place, lambda: place.bind({**PEOPLE, "ann": "looker"}))
    assert "needs function:ban" in ended.message


async def test_a_disabled_account_voids_it(place: Installation) -> None:
    pending = await place.ask()
    await place.approvals.approve(BOB, pending.id)
    await place.accounts.change("u-ann", disabled=True)
    place.execute()
    assert "was disabled" in (await place.reaches(pending, ApprovalState.VOID)).message
    assert not place.game.given


async def test_a_function_that_was_disabled_voids_it(place: Installation) -> None:
    await executed_after(place, lambda: place.describe({**BAN, "enabled": False}))


async def test_a_grant_opens_the_gate_for_its_own_call_only(place: Installation) -> None:
    pending = await place.ask()
    approved = await place.approvals.approve(BOB, pending.id)
    for other in (place.call(), place.call("ban", {"id": "p2"}, id=pending.call_id), place.call("kick")):
        with pytest.raises(FailedPrecondition):
            await place.calls.invoke(ANN, other, grant=Grant(approval=approved))
    with pytest.raises(FailedPrecondition):
        await place.calls.invoke(OLAF, place.call(id=pending.call_id, by=OLAF), grant=Grant(approval=approved))
    assert not place.game.given


async def test_a_grant_is_used_once(place: Installation) -> None:
    pending = await place.ask()
    grant = Grant(approval=await place.approvals.approve(BOB, pending.id))
    call = (await record_of(place, pending)).call
    answers = await asyncio.gather(
        *(place.calls.invoke(ANN, call, grant=grant) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, Result) for each in answers) == 1
    assert len(place.game.given) == 1


# ------------------------------------------------------------------------------------------------ dying in between


async def test_what_was_approved_before_the_process_died_is_executed_by_the_next(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, clock) as place:
        pending = await place.ask()
        await place.approvals.approve(BOB, pending.id)
    async with installed(tmp_path, clock) as place:
        place.execute()
        await place.reaches(pending, ApprovalState.EXECUTED)
        assert len(place.game.given) == 1


async def test_what_was_approved_waits_for_its_game_server_however_long_that_takes_to_come_back(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "RETURN_PATIENCE", 0.0)
    looked, offering = asyncio.Event(), place.router.offering

    def watched(call: Call) -> Mapping[str, Agent]:
        looked.set()
        return offering(call)

    pending = await place.ask()
    place.agents.drop("agent-1")
    place.catalog.forget("agent-1")
    await place.approvals.approve(BOB, pending.id)
    monkeypatch.setattr(place.router, "offering", watched)
    place.execute()
    await asyncio.wait_for(looked.wait(), 10)
    for _ in range(50):
        assert (await place.kept(pending.id)).state is ApprovalState.APPROVED
    place.describe(BAN)
    await place.reaches(pending, ApprovalState.EXECUTED)
    assert len(place.game.given) == 1


async def test_a_game_server_that_is_away_is_looked_for_with_a_pause(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "LOOK_EVERY", 3600.0)
    looks, offering = 0, place.router.offering

    def counted(call: Call) -> Mapping[str, Agent]:
        nonlocal looks
        looks += 1
        return offering(call)

    pending = await place.ask()
    place.agents.drop("agent-1")
    await place.approvals.approve(BOB, pending.id)
    monkeypatch.setattr(place.router, "offering", counted)
    place.execute()
    for _ in range(50):
        assert (await place.kept(pending.id)).state is ApprovalState.APPROVED
    assert 0 < looks <= 3, "one look asks who offers it, and who of these would be chosen"


async def test_what_was_approved_is_void_when_its_game_server_stays_away_until_it_would_have_expired(
    place: Installation, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(executor, "RETURN_PATIENCE", 0.0)
    monkeypatch.setattr(executor, "LONGEST_PAUSE", 0.0)
    monkeypatch.setattr(executor, "LOOK_EVERY", 0.01)
    pending = await place.ask()
    place.agents.drop("agent-1")
    await place.approvals.approve(BOB, pending.id)
    place.execute()
    for _ in range(5 * executor.TRIES):
        assert (await place.kept(pending.id)).state is ApprovalState.APPROVED
        await asyncio.sleep(0)
    clock.now = pending.expires_ms
    assert "nobody is here who could run ban" in (await place.reaches(pending, ApprovalState.VOID)).message


async def test_what_is_routed_by_a_key_in_its_arguments_runs_when_it_is_approved(place: Installation) -> None:
    place.describe({**BAN, "routing": {"jsonpath": "$.id"}})
    place.execute()
    pending = await place.ask(place.call(route=Route.HASH))
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)
    assert [each.hash_key for each in place.game.given] == ["p1"]


# ------------------------------------------------------------------------------------------------ waiting for the rules


async def until_it_waits(place: Installation) -> None:
    async with asyncio.timeout(90):
        while not place.agents.waiting:  # noqa: ASYNC110 — the table tells waiters, not those who count them
            await asyncio.sleep(0)


@pytest.mark.parametrize("route", [Route.LB, Route.BROADCAST])
async def test_a_call_that_waits_for_its_game_server_does_not_pass_by_the_rules_that_it_brings(
    place: Installation, route: Route
) -> None:
    call = place.call("mute", route=route, wait_for=60.0, timeout=60.0)
    waiting = asyncio.ensure_future(place.calls.invoke(ANN, call))
    await until_it_waits(place)
    place.describe(BAN, {**BAN, "id": "mute"})
    with pytest.raises(Unavailable, match="described otherwise"):
        await waiting
    assert not place.game.given
    assert (await place.ask(place.call("mute"))).function_id == "mute"


async def test_a_job_that_waits_for_its_game_server_does_not_pass_by_the_rules_that_it_brings(
    place: Installation,
) -> None:
    waiting = asyncio.ensure_future(place.jobs.start(ANN, place.call("mute", wait_for=60.0, timeout=None)))
    await until_it_waits(place)
    place.describe(BAN, {**BAN, "id": "mute"})
    with pytest.raises(Unavailable, match="described otherwise"):
        await waiting
    assert not place.game.given


async def test_a_call_that_waits_is_not_sent_by_rules_that_became_stricter_meanwhile(place: Installation) -> None:
    place.agents.drop("agent-1")
    waiting = asyncio.ensure_future(place.calls.invoke(ANN, place.call("kick", wait_for=60.0, timeout=60.0)))
    await until_it_waits(place)
    place.describe(BAN, {**BAN, "id": "kick"})
    with pytest.raises(Unavailable, match="described otherwise"):
        await waiting
    assert not place.game.given


async def test_a_call_that_waits_is_sent_when_its_game_server_comes_back_as_it_was(place: Installation) -> None:
    place.agents.drop("agent-1")
    place.catalog.forget("agent-1")
    waiting = asyncio.ensure_future(place.calls.invoke(ANN, place.call("kick", wait_for=60.0, timeout=60.0)))
    await until_it_waits(place)
    place.describe(BAN, {"id": "kick"})
    assert isinstance(await waiting, Result)


async def test_the_rules_of_a_game_server_hold_while_it_is_away(place: Installation) -> None:
    place.agents.drop("agent-1")
    place.catalog.forget("agent-1")
    assert (await place.ask(place.call(wait_for=60.0, timeout=60.0))).function_id == "ban"


async def test_what_ran_when_the_process_died_is_unknown_and_never_runs_again(tmp_path: Path, clock: Clock) -> None:
    game = GameServer()
    game.goes_on.clear()
    place = Installation(tmp_path, clock=clock, game=game)
    await place.__aenter__()
    pending = await place.ask(place.call(idempotency_key="k"))
    await place.approvals.approve(BOB, pending.id)
    grant = Grant(approval=await place.kept(pending.id))
    running = asyncio.ensure_future(place.calls.invoke(ANN, (await record_of(place, pending)).call, grant=grant))
    await game.began.wait()
    await place.store.close()  # nothing more of this process reaches the disk
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    async with installed(tmp_path, clock) as later:
        later.execute()
        await later.reaches(pending, ApprovalState.OUTCOME_UNKNOWN)
        assert (await record_of(later, pending)).state is CallState.OUTCOME_UNKNOWN
        assert not later.game.given
        with pytest.raises(CroupierError) as told:
            await later.calls.invoke(ANN, later.call(idempotency_key="k"))
        assert told.value.reason == "outcome_unknown"
    await asyncio.gather(place.__aexit__(), return_exceptions=True)


async def test_what_ended_before_the_approval_said_so_is_settled_by_the_next(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, clock) as place:
        pending = await place.ask(place.call(idempotency_key="k"))
        grant = Grant(approval=await place.approvals.approve(BOB, pending.id))
        await place.calls.invoke(ANN, (await record_of(place, pending)).call, grant=grant)
        assert (await place.kept(pending.id)).state is ApprovalState.EXECUTING
    async with installed(tmp_path, clock) as place:
        place.execute()
        await place.reaches(pending, ApprovalState.EXECUTED)
        assert not place.game.given


# ------------------------------------------------------------------------------------------------ rules


async def test_a_level_of_risk_can_need_an_approval(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, clock, risks=["medium"]) as place:
        place.describe({"id": "ban", "risk": "medium"}, {"id": "kick", "risk": "low"})
        assert (await place.ask()).demand.why == ("its risk is medium",)
        await place.calls.invoke(ANN, place.call("kick"))


RULE = {
    "name": "gifts",
    "functions": ["economy.*"],
    "game_id": "demo",
    "when": "args.amount > 10000",
    "stages": [{"approvers": ["role:lead"]}],
    "reason": True,
    "ticket": True,
    "expires": "1h",
}


async def test_a_rule_asks_by_the_arguments(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, clock, rules=[RULE]) as place:
        place.describe({"id": "economy.give"})
        said = {"reason": "lost items", "ticket": "T-1"}
        await place.calls.invoke(ANN, place.call("economy.give", {"amount": 10_000}))
        pending = await place.ask(place.call("economy.give", {"amount": 10_001}, metadata=said))
        assert (pending.reason, pending.ticket) == ("lost items", "T-1")
        assert pending.expires_ms - pending.created_ms == 3_600_000
        for missing in ({"reason": "x"}, {"ticket": "x"}, {}):
            with pytest.raises(InvalidArgument, match="is missing"):
                await place.calls.invoke(ANN, place.call("economy.give", {"amount": 20_000}, metadata=missing))


@pytest.mark.parametrize("payload", [{"amount": "many"}, {}, {"amount": None}])
async def test_a_condition_that_fails_asks(tmp_path: Path, clock: Clock, payload: Any) -> None:
    rule = {**RULE, "reason": False, "ticket": False}
    async with installed(tmp_path, clock, rules=[rule]) as place:
        place.describe({"id": "economy.give"})
        await place.ask(place.call("economy.give", payload))


async def test_a_rule_that_cannot_be_read_stops_the_start(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(InvalidArgument, match="unknown name"):
        async with installed(tmp_path, clock, rules=[{**RULE, "when": "amount > 3"}]):
            pass


async def test_a_two_person_rule_may_hold_on_a_condition(place: Installation) -> None:
    rule = {"required": True, "conditions": "args.days > 7"}
    place.describe({**BAN, "auth": {"two_person_rule": rule}})
    await place.calls.invoke(ANN, place.call("ban", {"days": 7}))
    await place.ask(place.call("ban", {"days": 8}))


@pytest.mark.parametrize("conditions", ["no such language (", {"amount": ">3"}, ["x"]])
async def test_a_condition_that_nobody_understands_asks(place: Installation, conditions: Any) -> None:
    place.describe({**BAN, "auth": {"two_person_rule": {"required": True, "conditions": conditions}}})
    await place.ask()


# ------------------------------------------------------------------------------------------------ break-glass


async def test_break_glass_runs_at_once_and_is_reviewed_by_somebody_else(place: Installation) -> None:
    place.execute()
    boss = replace(ROOT, name="boss", kind="user", user_id="u-boss")
    said = {"break_glass": "true", "reason": "the shop is on fire"}
    call = place.call(by=boss, metadata=said)
    await place.calls.invoke(boss, call)
    approval = await place.store.approvals.latest(call.id)
    assert approval is not None
    ended = await place.reaches(approval, ApprovalState.EXECUTED)
    assert (ended.break_glass, ended.review, ended.reason) == (True, ReviewState.OPEN, "the shop is on fire")
    with pytest.raises(PermissionDenied):
        await place.approvals.review(boss, ended.id, comment="all fine")
    closed = await place.approvals.review(BOB, ended.id, comment="it was needed")
    assert (closed.review, closed.reviewed_by) == (ReviewState.CLOSED, "bob")


async def test_break_glass_needs_its_permission_and_a_reason(place: Installation) -> None:
    with pytest.raises(PermissionDenied, match="break_glass"):
        await place.calls.invoke(ANN, place.call(metadata={"break_glass": "true", "reason": "I want to"}))
    with pytest.raises(InvalidArgument, match="reason"):
        await place.calls.invoke(ROOT, place.call(by=ROOT, metadata={"break_glass": "true"}))
    assert not place.game.given


# ------------------------------------------------------------------------------------------------ bulk runs


async def lines(*rows: bytes) -> AsyncIterator[bytes]:
    yield b"\n".join(rows)


async def uploaded(place: Installation, function_id: str = "ban", *rows: bytes) -> str:
    upload = Upload(function_id=function_id, scope=SCOPE, kind=Format.JSONL)
    bulk, faults = await place.bulks.upload(ANN, upload, lines(*(rows or (b'{"id": "p1"}', b'{"id": "p2"}'))))
    assert not faults
    return bulk.id


async def waits(start: Awaitable[Any]) -> dict[str, str]:
    with pytest.raises(AwaitingApproval) as found:
        await start
    return dict(found.value.details)


async def ends(place: Installation, bulk_id: str) -> None:
    async with asyncio.timeout(60):
        async for progress in place.bulks.follow(ANN, bulk_id):
            if progress.bulk.ended:
                assert progress.bulk.state is BulkState.DONE
                return


async def test_a_bulk_run_is_approved_as_a_whole(place: Installation) -> None:
    place.execute()
    bulk_id = await uploaded(place)
    first = await waits(place.bulks.start(ANN, bulk_id, Plan()))
    assert (await waits(place.bulks.start(ANN, bulk_id, Plan())))["approval_id"] == first["approval_id"]
    pending = await place.kept(first["approval_id"])
    assert (pending.kind, pending.call_id) == (ApprovalKind.BULK, bulk_id)
    assert b'"rows":2' in pending.arguments
    assert progress_document(await place.bulks.get(ANN, bulk_id)).approval_id == pending.id
    (listed,) = await place.bulks.list(ANN, None, frozenset(), 10)
    assert entry(listed.bulk, listed.asked).approval_id == pending.id
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)
    await ends(place, bulk_id)
    assert sorted(each.payload for each in place.game.given) == [b'{"id": "p1"}', b'{"id": "p2"}']
    assert {each.caller for each in place.game.given} == {"ann"}
    assert len((await place.store.approvals.approvals(ApprovalFilter(), 10)).items) == 1


async def test_a_bulk_run_that_was_approved_waits_for_its_game_server(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoken, "ABSENCE", 0.0)  # as after a start of the server, which remembers nothing
    monkeypatch.setattr(executor, "LOOK_EVERY", 0.01)
    bulk_id = await uploaded(place)
    pending = await place.kept((await waits(place.bulks.start(ANN, bulk_id, Plan())))["approval_id"])
    place.agents.drop("agent-1")
    place.catalog.forget("agent-1")
    await place.approvals.approve(BOB, pending.id)
    place.execute()
    for _ in range(50):
        assert (await place.kept(pending.id)).state is ApprovalState.APPROVED
    place.describe(BAN)
    await place.reaches(pending, ApprovalState.EXECUTED)
    await ends(place, bulk_id)
    assert len(place.game.given) == 2


async def test_a_bulk_run_that_the_platform_refuses_for_the_moment_is_begun_later(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk_id = await uploaded(place)
    pending = await place.kept((await waits(place.bulks.start(ANN, bulk_id, Plan())))["approval_id"])

    async def refuse(caller: Principal, approval: Approval) -> None:
        monkeypatch.undo()
        raise Unavailable("the disk is full")

    monkeypatch.setattr(place.bulks, "launch", refuse)
    await place.approvals.approve(BOB, pending.id)
    place.execute()
    ended = await place.reaches(pending, ApprovalState.EXECUTED, ApprovalState.FAILED)
    assert ended.state is ApprovalState.EXECUTED
    await ends(place, bulk_id)


async def test_a_bulk_run_that_another_server_has_begun_meanwhile_is_no_failure(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk_id = await uploaded(place)
    pending = await place.kept((await waits(place.bulks.start(ANN, bulk_id, Plan())))["approval_id"])
    check = place.bulks.check

    async def overtaken(caller: Principal, approval: Approval) -> None:
        await check(caller, approval)
        assert await place.store.approvals.replace(execute(approval))
        monkeypatch.undo()

    monkeypatch.setattr(place.bulks, "check", overtaken)
    await place.approvals.approve(BOB, pending.id)
    place.execute()
    ended = await place.reaches(pending, ApprovalState.EXECUTED, ApprovalState.FAILED)
    assert ended.state is ApprovalState.EXECUTED
    await ends(place, bulk_id)
    assert len(place.game.given) == 2


async def test_a_bulk_run_that_was_rejected_does_not_start(place: Installation) -> None:
    place.execute()
    bulk_id = await uploaded(place)
    pending = await waits(place.bulks.start(ANN, bulk_id, Plan()))
    await place.approvals.reject(BOB, pending["approval_id"], comment="no")
    left = await place.bulks.get(ANN, bulk_id)
    assert (left.bulk.state, left.asked) == (BulkState.READY, "")
    assert [each.asked for each in await place.bulks.list(ANN, None, frozenset(), 10)] == [""]
    assert (await waits(place.bulks.start(ANN, bulk_id, Plan())))["approval_id"] != pending["approval_id"]
    assert not place.game.given


async def test_a_bulk_run_whose_function_changed_is_void(place: Installation) -> None:
    bulk_id = await uploaded(place)
    pending = await place.kept((await waits(place.bulks.start(ANN, bulk_id, Plan())))["approval_id"])
    await place.approvals.approve(BOB, pending.id)
    place.describe({**BAN, "summary": "another"})
    place.execute()
    await place.reaches(pending, ApprovalState.VOID)
    assert (await place.bulks.get(ANN, bulk_id)).bulk.state is BulkState.READY


async def test_a_condition_on_arguments_counts_for_every_bulk_run(tmp_path: Path, clock: Clock) -> None:
    rule = {**RULE, "reason": False, "ticket": False}
    async with installed(tmp_path, clock, rules=[rule]) as place:
        place.describe({"id": "economy.give"})
        bulk_id = await uploaded(place, "economy.give", b'{"amount": 1}')
        await waits(place.bulks.start(ANN, bulk_id, Plan()))


async def test_a_row_that_begins_to_need_an_approval_fails_instead_of_asking(place: Installation) -> None:
    bulk_id = await uploaded(place, "kick")
    place.game.goes_on.clear()
    await place.bulks.start(ANN, bulk_id, Plan(concurrency=1))
    await place.game.began.wait()
    place.describe({"id": "kick", "auth": {"two_person_rule": True}})
    place.game.goes_on.set()
    await ends(place, bulk_id)
    assert len(place.game.given) == 1
    page = await place.store.calls(CallFilter(states=frozenset({CallState.WAITING})), 10)
    assert page.items == []


async def test_rows_end_with_the_account_of_whoever_started_them(place: Installation) -> None:
    bulk_id = await uploaded(place, "kick")
    place.game.goes_on.clear()
    await place.bulks.start(ANN, bulk_id, Plan(concurrency=1))
    await place.game.began.wait()
    await place.accounts.change("u-ann", disabled=True)
    place.game.goes_on.set()
    await ends(place, bulk_id)
    assert len(place.game.given) == 1


async def test_an_approved_bulk_run_is_started_by_the_next_process(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, clock) as place:
        bulk_id = await uploaded(place)
        details = await waits(place.bulks.start(ANN, bulk_id, Plan()))
        pending = await place.approvals.approve(BOB, details["approval_id"])
    async with installed(tmp_path, clock) as place:
        place.execute()
        await place.reaches(pending, ApprovalState.EXECUTED)
        await ends(place, bulk_id)
        assert len(place.game.given) == 2


# ------------------------------------------------------------------------------------------------ budgets

MILLION = 1_000_000


async def limited(place: Installation, most: int) -> None:
    """`economy.give` may take so many coins a day, for each caller; more needs a second person."""
    budget = Budget(path="$.amount", most=most * MILLION, period=Period.DAY, then=Then.APPROVAL)
    limit = Limit(id="coins", functions="economy.give", game_id="demo", per=Per.USER, budget=budget)
    await place.limits.put(ROOT, limit)
    place.describe({"id": "economy.give"})


async def test_what_goes_over_a_budget_needs_a_second_person(place: Installation) -> None:
    place.execute()
    await limited(place, 10_000)
    await place.calls.invoke(ANN, place.call("economy.give", {"amount": 9_000}))
    pending = await place.ask(place.call("economy.give", {"amount": 2_000}))
    assert "limit coins" in pending.demand.why[0]
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)
    assert len(place.game.given) == 2


async def test_what_waits_takes_nothing_from_its_budget(place: Installation) -> None:
    await limited(place, 10_000)
    await place.ask(place.call("economy.give", {"amount": 20_000}))
    await place.calls.invoke(ANN, place.call("economy.give", {"amount": 10_000}))


async def test_a_row_that_goes_over_a_budget_fails_instead_of_asking(place: Installation) -> None:
    await limited(place, 100)
    bulk_id = await uploaded(place, "economy.give", b'{"amount": 60}', b'{"amount": 60}')
    await place.bulks.start(ANN, bulk_id, Plan(concurrency=1))
    await ends(place, bulk_id)
    assert len(place.game.given) == 1
    assert (await place.store.approvals.approvals(ApprovalFilter(), 10)).items == []
