"""Who may decide what, and when: the pure rules of approvals."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approvals import ANN, DAY_MS, NOW, a_bound, a_demand, a_user, an_approval, as_approver

from croupier.codes import Code
from croupier.domain import approval as life
from croupier.domain.approval import Approval, ApprovalState, ReviewState, approver_of, person_of
from croupier.domain.binding import Bound, drift
from croupier.domain.demand import Demand, Stage, merged
from croupier.domain.principal import Principal
from croupier.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    FunctionRejected,
    HandlerFailed,
    InvalidArgument,
    OutcomeUnknown,
    PayloadTooLarge,
    PermissionDenied,
    Unavailable,
)

ROOT = Principal(name="developer", root=True)


def approve(approval: Approval, name: str, *groups: str, roles: tuple[str, ...] = (), **more) -> Approval:
    approver = as_approver(name, *groups, roles=roles, **more)
    return life.approve(approval, approver, comment="", now_ms=NOW + 1)


# ------------------------------------------------------------------------------------------------ two people


def test_a_second_person_approves():
    after = approve(an_approval(), "bob")
    assert (after.state, after.votes[0].name) == (ApprovalState.APPROVED, "bob")


@pytest.mark.parametrize(
    "same",
    [
        ANN,
        Principal(name="ci", kind="token", user_id="u-ann"),
        Principal(name="ann-renamed", kind="user", user_id="u-ann", root=True),
        replace(ANN, credential="another session", proved_ms=NOW),
    ],
)
def test_the_requester_never_approves_by_whatever_credential(same: Principal):
    with pytest.raises(PermissionDenied, match="you asked for"):
        life.approve(an_approval(), approver_of(same), comment="", now_ms=NOW)
    with pytest.raises(PermissionDenied, match="withdraw it instead"):
        life.reject(an_approval(), approver_of(same), comment="no", now_ms=NOW)


def test_root_does_not_approve_its_own_request():
    with pytest.raises(PermissionDenied):
        life.approve(an_approval(requester=ROOT), approver_of(ROOT), comment="", now_ms=NOW)


@pytest.mark.parametrize("kind", ["machine", "edge", "system", "nobody"])
def test_machines_do_not_approve(kind: str):
    with pytest.raises(PermissionDenied, match="only a person"):
        approver_of(Principal(name="agent-1", kind=kind))


def test_whoever_looks_as_a_role_does_not_decide():
    with pytest.raises(PermissionDenied, match="X-See-As"):
        approver_of(a_user("bob", acting_as="admin"))


def test_a_token_without_an_account_is_someone_of_its_own():
    assert person_of(Principal(name="ci")) == "token:ci"
    assert person_of(a_user("ann")) == "user:u-ann"


def test_it_waits_for_whoever_could_approve_it_now_and_for_nobody_else():
    lead, olaf = as_approver("lea", "leads"), as_approver("olaf")
    pending = an_approval(demand=a_demand(Stage(approvers=("group:leads",)), Stage(threshold=2)))
    assert life.waits_for(pending, lead, NOW)
    assert not life.waits_for(pending, olaf, NOW)
    assert not life.waits_for(pending, approver_of(ANN), NOW)
    assert not life.waits_for(pending, lead, pending.expires_ms)
    second = approve(pending, "lea", "leads")
    assert not life.waits_for(second, lead, NOW)
    assert life.waits_for(second, olaf, NOW)
    assert not life.waits_for(life.annul(second, FailedPrecondition("it changed"), NOW), olaf, NOW)


def test_it_waits_for_whoever_has_to_prove_his_identity_first():
    pending = an_approval(demand=replace(a_demand(), proof=True))
    assert life.waits_for(pending, as_approver("bob"), NOW)


# ------------------------------------------------------------------------------------------------ N of M, in stages


def test_as_many_different_people_approve_as_the_threshold_says():
    once = approve(an_approval(demand=a_demand(Stage(threshold=2))), "bob")
    assert once.state is ApprovalState.PENDING
    with pytest.raises(FailedPrecondition, match="counts once"):
        approve(once, "bob")
    assert approve(once, "cid").state is ApprovalState.APPROVED


def test_stages_are_taken_in_order_and_one_person_counts_in_one_of_them():
    pending = an_approval(demand=a_demand(Stage(approvers=("group:leads",)), Stage(approvers=("role:ops",))))
    with pytest.raises(PermissionDenied, match="group:leads"):
        approve(pending, "olaf", roles=("ops",))
    first = approve(pending, "lea", "leads", roles=("ops",))
    assert (first.state, first.stage) == (ApprovalState.PENDING, 1)
    with pytest.raises(FailedPrecondition, match="counts once"):
        approve(first, "lea", "leads", roles=("ops",))
    assert approve(first, "olaf", roles=("ops",)).state is ApprovalState.APPROVED


def test_a_bare_name_is_a_user_a_group_or_a_role():
    pending = an_approval(demand=a_demand(Stage(approvers=("lead",))))
    assert approve(pending, "lead").state is ApprovalState.APPROVED
    assert approve(pending, "bob", "lead").state is ApprovalState.APPROVED
    assert approve(pending, "bob", roles=("lead",)).state is ApprovalState.APPROVED
    with pytest.raises(PermissionDenied):
        approve(pending, "bob", "leaders", roles=("leads",))


def test_the_name_that_a_token_was_given_makes_nobody_an_approver():
    pending = an_approval(demand=a_demand(Stage(approvers=("lead",))))
    with pytest.raises(PermissionDenied):
        life.approve(pending, approver_of(Principal(name="lead", kind="token")), comment="", now_ms=NOW)


def test_anybody_of_a_later_stage_may_reject():
    pending = an_approval(demand=a_demand(Stage(approvers=("group:leads",)), Stage(approvers=("role:ops",))))
    after = life.reject(pending, as_approver("olaf", roles=("ops",)), comment="too many", now_ms=NOW)
    assert (after.state, after.message) == (ApprovalState.REJECTED, "olaf rejected it: too many")


def test_whoever_rejects_says_why():
    with pytest.raises(InvalidArgument, match="comment"):
        life.reject(an_approval(), as_approver("bob"), comment="  ", now_ms=NOW)


# ------------------------------------------------------------------------------------------------ proof


@pytest.mark.parametrize("age_ms", [-1, life.PROOF_KEPT_MS + 1, NOW])
def test_what_is_dangerous_is_approved_by_whoever_proved_identity_lately(age_ms: int):
    pending = an_approval(demand=a_demand(proof=True))
    with pytest.raises(PermissionDenied, match="prove"):
        approve(pending, "bob", proved_ms=NOW + 1 - age_ms)
    assert approve(pending, "bob", proved_ms=NOW).state is ApprovalState.APPROVED


# ------------------------------------------------------------------------------------------------ ends are final

ENDS = [state for state in ApprovalState if state not in life.OPEN]


@pytest.mark.parametrize("state", [state for state in ApprovalState if state is not ApprovalState.PENDING])
def test_what_is_decided_is_not_decided_again(state: ApprovalState):
    decided = an_approval(state=state)
    with pytest.raises(FailedPrecondition, match=state.value):
        approve(decided, "bob")
    with pytest.raises(FailedPrecondition, match=state.value):
        life.reject(decided, as_approver("bob"), comment="no", now_ms=NOW)
    with pytest.raises(FailedPrecondition):
        life.expire(decided, NOW + DAY_MS)


@pytest.mark.parametrize("state", [*ENDS, ApprovalState.EXECUTING])
def test_what_executes_or_has_ended_is_neither_withdrawn_nor_voided_nor_executed(state: ApprovalState):
    decided = an_approval(state=state)
    with pytest.raises(FailedPrecondition, match=state.value):
        life.withdraw(decided, ANN, comment="", now_ms=NOW)
    with pytest.raises(FailedPrecondition, match=state.value):
        life.annul(decided, FailedPrecondition(""), NOW)
    with pytest.raises(FailedPrecondition, match=state.value):
        life.execute(decided)


def test_after_its_time_nobody_approves_although_nothing_has_noted_it():
    late = an_approval(expires_ms=NOW + 1)
    with pytest.raises(FailedPrecondition, match="expired"):
        approve(late, "bob")
    assert life.expire(late, NOW + 1).state is ApprovalState.EXPIRED


def test_the_requester_alone_withdraws_also_what_is_approved():
    with pytest.raises(PermissionDenied):
        life.withdraw(an_approval(), ROOT, comment="", now_ms=NOW)
    approved = approve(an_approval(), "bob")
    assert life.withdraw(approved, ANN, comment="no need", now_ms=NOW).state is ApprovalState.WITHDRAWN


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (None, ApprovalState.EXECUTED),
        (HandlerFailed("broke"), ApprovalState.FAILED),
        (OutcomeUnknown("lost"), ApprovalState.OUTCOME_UNKNOWN),
        (DeadlineExceeded("no answer in time"), ApprovalState.OUTCOME_UNKNOWN),
        (PayloadTooLarge("its answer is too large"), ApprovalState.OUTCOME_UNKNOWN),
    ],
)
def test_it_ends_as_its_call_does(failure, state: ApprovalState):
    executing = life.execute(approve(an_approval(), "bob"))
    after = life.conclude(executing, failure, NOW)
    assert (after.state, after.finished_ms) == (state, NOW)
    with pytest.raises(FailedPrecondition):
        life.conclude(after, failure, NOW)


def test_a_review_is_closed_by_somebody_else_with_a_finding():
    broken = an_approval(state=ApprovalState.EXECUTED, break_glass=True, review=ReviewState.OPEN)
    with pytest.raises(PermissionDenied):
        life.close_review(broken, approver_of(ANN), comment="fine", now_ms=NOW)
    with pytest.raises(InvalidArgument):
        life.close_review(broken, as_approver("bob"), comment="", now_ms=NOW)
    closed = life.close_review(broken, as_approver("bob"), comment="it was needed", now_ms=NOW)
    assert (closed.review, closed.reviewed_by) == (ReviewState.CLOSED, "bob")
    with pytest.raises(FailedPrecondition):
        life.close_review(closed, as_approver("cid"), comment="again", now_ms=NOW)


def test_comments_are_bounded():
    approval = an_approval()
    for number in range(life.MOST_COMMENTS):
        approval = life.remark(approval, ANN, f"{number}", NOW)
    with pytest.raises(FailedPrecondition):
        life.remark(approval, ANN, "one more", NOW)
    with pytest.raises(InvalidArgument):
        life.remark(an_approval(), ANN, "x" * (life.TEXT_CHARACTERS + 1), NOW)


# ------------------------------------------------------------------------------------------------ rules together


def test_no_rule_is_no_demand():
    assert merged([]) is None


def test_who_serves_one_rule_serves_the_other_too():
    lead = Demand(why=("a",), stages=(Stage(approvers=("lead",)),), expires=60, reason=True)
    anybody = Demand(why=("b",), stages=(Stage(),), expires=30, ticket=True)
    both = merged([anybody, lead, lead])
    assert both == Demand(why=("b", "a"), stages=(Stage(approvers=("lead",)),), expires=30, reason=True, ticket=True)


@given(
    st.lists(
        st.lists(
            st.builds(Stage, approvers=st.sampled_from([(), ("a",), ("b",), ("b", "a")]), threshold=st.integers(1, 4))
        ),
        min_size=1,
    )
)
def test_rules_together_ask_no_less_than_each_alone(rules: list[list[Stage]]):
    both = merged(Demand(why=("w",), stages=tuple(stages)) for stages in rules)
    assert both is not None
    total = sum(stage.threshold for stage in both.stages)
    for stage in (stage for stages in rules for stage in stages):
        named = [each for each in both.stages if each.approvers == tuple(sorted(stage.approvers))]
        assert any(each.threshold >= stage.threshold for each in named) or (
            not stage.approvers and total >= stage.threshold
        )


# ------------------------------------------------------------------------------------------------ what it is bound to


@pytest.mark.parametrize("name", [each.name for each in fields(Bound)])
def test_whatever_differs_changes_the_digest_and_is_named(name: str):
    changed = replace(a_bound(), **{name: ("other",) if name == "targets" else "other"})
    assert changed.digest != a_bound().digest
    assert len(drift(a_bound(), changed)) == 1


def test_the_same_binding_has_the_same_digest():
    assert a_bound().digest == a_bound().digest
    assert drift(a_bound(), a_bound()) == []
    assert len(a_bound().digest) == 64
    assert a_user("ann").user_id in a_bound().requester


# ------------------------------------------------------------------------------------------------ why it ended, by name


def test_an_end_says_why_by_name_too():
    waits = an_approval()
    rejected = life.reject(waits, as_approver("bob"), comment="not today", now_ms=NOW)
    assert (rejected.code, rejected.parameters) == (Code.APPROVAL_REJECTED, {"by": "bob", "comment": "not today"})
    withdrawn = life.withdraw(waits, ANN, comment="", now_ms=NOW)
    assert (withdrawn.code, withdrawn.parameters) == (Code.APPROVAL_WITHDRAWN, {"by": "ann", "comment": ""})
    assert life.expire(waits, waits.expires_ms).code is Code.APPROVAL_UNANSWERED


def test_what_kept_it_from_running_is_why_it_ended():
    away = Unavailable("no agent", {"function": "f"}, code=Code.AGENTS_AWAY)
    void = life.annul(an_approval(), away, NOW)
    assert (void.message, void.code, void.parameters) == (
        "it cannot run: no agent",
        Code.AGENTS_AWAY,
        {"function": "f"},
    )
    failed = life.conclude(an_approval(state=ApprovalState.EXECUTING), away, NOW)
    assert (failed.message, failed.code, failed.parameters) == ("no agent", Code.AGENTS_AWAY, {"function": "f"})


def test_the_games_own_words_have_no_name_and_bring_no_parameters():
    refused = FunctionRejected("the player is in a match", {"player_id": "p1"})
    failed = life.conclude(an_approval(state=ApprovalState.EXECUTING), refused, NOW)
    assert (failed.message, failed.code, failed.parameters) == ("the player is in a match", None, {})
