"""The life of a request that somebody else has to approve.

    pending ─┬─► approved ─┬─► executing ─► executed | failed | outcome_unknown
             ├─► rejected  │
             ├─► withdrawn ◄┤   by the requester, until it executes
             ├─► expired    │   nobody approved in time
             └─► void ◄─────┘   something that it is bound to has changed

    break-glass:  executing ─► …, at once, and a review: open ─► closed, by somebody else

Ended states are final. Every change is a function from one value to the next; the store takes it only if nobody else was
faster (`revision`), so what may happen once happens once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from croupier.codes import Code
from croupier.domain.binding import Bound
from croupier.domain.call import may_have_run
from croupier.domain.causes import Cause
from croupier.domain.demand import Demand, Stage, named
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument, PermissionDenied

PROOF_KEPT_MS = 5 * 60 * 1000
"""So long a proof of identity counts for approving what is dangerous."""
TEXT_CHARACTERS = 2_000
"""Of a reason or a comment."""
TICKET_CHARACTERS = 200
MOST_COMMENTS = 100


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"


class ReviewState(StrEnum):
    NONE = "none"
    OPEN = "open"
    CLOSED = "closed"


class ApprovalKind(StrEnum):
    INVOKE = "invoke"
    JOB = "job"
    BULK = "bulk"


OPEN = frozenset({ApprovalState.PENDING, ApprovalState.APPROVED, ApprovalState.EXECUTING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    """One approval by one person, for one stage."""

    person: str
    name: str
    stage: int
    comment: str = ""
    time_ms: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    person: str
    name: str
    text: str
    time_ms: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Approver:
    """Whoever decides, as far as it counts here."""

    person: str
    name: str
    names: frozenset[str] = frozenset()
    """What stages may name the approver by: `user:…`, `group:…`, `role:…`."""
    is_root: bool = False
    """The bearer of the root token belongs to every stage, and has no second factor to prove."""
    proved_ms: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    id: str
    kind: ApprovalKind
    call_id: str
    """The call or job that waits, which keeps this id when it runs; of a bulk run, the bulk's id."""
    function_id: str
    scope: Scope
    requester: Principal
    """As it was when it asked."""
    bound: Bound
    demand: Demand
    reason: str = ""
    ticket: str = ""
    state: ApprovalState = ApprovalState.PENDING
    message: str = ""
    """Why it ended as it did."""
    code: Code | None = None
    """The message by name; with the parameters of it."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    votes: tuple[Vote, ...] = ()
    comments: tuple[Comment, ...] = ()
    closed_by: str = ""
    """The name of whoever rejected or withdrew it."""
    break_glass: bool = False
    review: ReviewState = ReviewState.NONE
    reviewed_by: str = ""
    description: bytes = b""
    """The function's description when it was asked for, as JSON; nothing where nobody describes it."""
    arguments: bytes = b""
    """Of a bulk run: file, rows and plan, as JSON. The arguments of a call are in its record."""
    created_ms: int = 0
    expires_ms: int = 0
    decided_ms: int = 0
    finished_ms: int = 0
    revision: int = 0

    @property
    def person(self) -> str:
        """Who asked."""
        return person_of(self.requester)

    @property
    def ended(self) -> bool:
        return self.state not in OPEN

    @property
    def stage(self) -> int:
        """The first stage that lacks approvers; the number of stages when none does."""
        for index, stage in enumerate(self.demand.stages):
            if sum(vote.stage == index for vote in self.votes) < stage.threshold:
                return index
        return len(self.demand.stages)


def person_of(principal: Principal) -> str:
    """Who it is, whatever token or session was shown: the account, or where there is none, the credential's name."""
    return f"user:{principal.user_id}" if principal.user_id else f"{principal.kind}:{principal.name}"


def approver_of(principal: Principal, roles: frozenset[str] = frozenset()) -> Approver:
    """`roles` are those that it has in the scope of what is to be approved.

    Raises PermissionDenied for machines, since only people decide, and for who only looks as a role does.
    """
    if principal.kind not in {"user", "token"}:
        raise PermissionDenied("only a person approves: sign in, or use a token of your account", code=Code.PEOPLE_ONLY)
    if principal.acting_as:
        raise PermissionDenied(
            f"who looks at things as role {principal.acting_as} decides nothing: leave X-See-As out",
            {"role": principal.acting_as},
            code=Code.SEES_AS_ROLE,
        )
    users = {principal.user_id, principal.name} if principal.user_id else set()
    names = {
        *(f"user:{each}" for each in users),
        *(f"group:{each}" for each in principal.groups),
        *(f"role:{each}" for each in roles),
    }
    return Approver(
        person=person_of(principal),
        name=principal.name,
        names=frozenset(names),
        is_root=principal.root,
        proved_ms=principal.proved_ms,
    )


# ------------------------------------------------------------------------------------------------ deciding


def approve(approval: Approval, approver: Approver, *, comment: str, now_ms: int) -> Approval:
    """Raises FailedPrecondition when it is decided, PermissionDenied when `approver` may not, InvalidArgument."""
    require_pending(approval, now_ms)
    require_other(approval, approver.person, "approve")
    if any(vote.person == approver.person for vote in approval.votes):
        raise FailedPrecondition(
            f"you approved {approval.id} already: an approver counts once",
            {"approval": approval.id},
            code=Code.APPROVAL_TWICE,
        )
    index = approval.stage
    require_eligible(approver, approval.demand.stages[index : index + 1])
    require_proof(approval, approver, now_ms)
    vote = Vote(
        person=approver.person,
        name=approver.name,
        stage=index,
        comment=text("comment", comment),
        time_ms=now_ms,
    )
    after = replace(approval, votes=(*approval.votes, vote))
    if after.stage < len(after.demand.stages):
        return after
    return replace(after, state=ApprovalState.APPROVED, decided_ms=now_ms)


def waits_for(approval: Approval, approver: Approver, now_ms: int) -> bool:
    """Whether `approver` could approve it now; where identity has to be proved, once that is done."""
    try:
        require_pending(approval, now_ms)
        require_other(approval, approver.person, "approve")
        require_eligible(approver, approval.demand.stages[approval.stage : approval.stage + 1])
    except (FailedPrecondition, PermissionDenied):
        return False
    return all(vote.person != approver.person for vote in approval.votes)


def reject(approval: Approval, approver: Approver, *, comment: str, now_ms: int) -> Approval:
    """By anybody who could approve at some stage. Raises as `approve`; InvalidArgument without a comment."""
    require_pending(approval, now_ms)
    require_other(approval, approver.person, "reject", "withdraw it instead")
    require_eligible(approver, approval.demand.stages)
    said = text("comment", comment, required="say why it is rejected")
    why = Cause(
        code=Code.APPROVAL_REJECTED,
        detail=f"{approver.name} rejected it: {said}",
        parameters={"by": approver.name, "comment": said},
    )
    return _closed(approval, ApprovalState.REJECTED, why, now_ms, approver.name)


def withdraw(approval: Approval, caller: Principal, *, comment: str, now_ms: int) -> Approval:
    """By whoever asked, until it executes. Raises PermissionDenied, FailedPrecondition, InvalidArgument."""
    if person_of(caller) != approval.person:
        raise PermissionDenied(
            f"only {approval.requester.name}, who asked for it, can withdraw it: reject it instead",
            {"requester": approval.requester.name},
            code=Code.APPROVAL_OTHERS,
        )
    if approval.state not in {ApprovalState.PENDING, ApprovalState.APPROVED}:
        raise _decided(approval)
    said = text("comment", comment)
    why = Cause(
        code=Code.APPROVAL_WITHDRAWN,
        detail=f"{caller.name} withdrew it" + (f": {said}" if said else ""),
        parameters={"by": caller.name, "comment": said},
    )
    return _closed(approval, ApprovalState.WITHDRAWN, why, now_ms, caller.name)


def expire(approval: Approval, now_ms: int) -> Approval:
    """Raises FailedPrecondition unless it is pending and its time is over."""
    if approval.state is not ApprovalState.PENDING or now_ms < approval.expires_ms:
        raise FailedPrecondition(f"{approval.id} has not expired")
    why = Cause(code=Code.APPROVAL_UNANSWERED, detail="nobody approved it in time: ask again")
    return _closed(approval, ApprovalState.EXPIRED, why, now_ms)


def annul(approval: Approval, failure: CroupierError, now_ms: int) -> Approval:
    """It cannot run any more, because of `failure`. Raises FailedPrecondition once it executes."""
    if approval.state not in {ApprovalState.PENDING, ApprovalState.APPROVED}:
        raise _decided(approval)
    why = Cause(code=failure.code, detail=f"it cannot run: {failure.message}", parameters=_parameters(failure))
    return _closed(approval, ApprovalState.VOID, why, now_ms)


def remark(approval: Approval, caller: Principal, said: str, now_ms: int) -> Approval:
    """Raises InvalidArgument, FailedPrecondition when there are too many."""
    if len(approval.comments) >= MOST_COMMENTS:
        raise FailedPrecondition(f"{approval.id} has {MOST_COMMENTS} comments: that is as many as are kept")
    said = text("comment", said, required="write the comment")
    comment = Comment(person=person_of(caller), name=caller.name, text=said, time_ms=now_ms)
    return replace(approval, comments=(*approval.comments, comment))


# ------------------------------------------------------------------------------------------------ executing


def execute(approval: Approval) -> Approval:
    """Raises FailedPrecondition unless it is approved."""
    if approval.state is not ApprovalState.APPROVED:
        raise _decided(approval)
    return replace(approval, state=ApprovalState.EXECUTING)


def conclude(approval: Approval, failure: CroupierError | None, now_ms: int) -> Approval:
    """The call has ended, well or with `failure`. Raises FailedPrecondition unless it executes."""
    if approval.state is not ApprovalState.EXECUTING:
        raise _decided(approval)
    if failure is None:
        return replace(approval, state=ApprovalState.EXECUTED, finished_ms=now_ms)
    state = ApprovalState.OUTCOME_UNKNOWN if may_have_run(failure) else ApprovalState.FAILED
    why = Cause(code=failure.code, detail=failure.message, parameters=_parameters(failure))
    return _closed(approval, state, why, now_ms)


def close_review(approval: Approval, approver: Approver, *, comment: str, now_ms: int) -> Approval:
    """Somebody else has looked at what was done without asking. Raises FailedPrecondition, PermissionDenied, InvalidArgument."""
    if approval.review is not ReviewState.OPEN:
        raise FailedPrecondition(f"{approval.id} has no open review")
    require_other(approval, approver.person, "review")
    said = text("comment", comment, required="say what the review found")
    finding = Comment(person=approver.person, name=approver.name, text=said, time_ms=now_ms)
    return replace(
        approval,
        review=ReviewState.CLOSED,
        reviewed_by=approver.name,
        comments=(*approval.comments, finding),
    )


# ------------------------------------------------------------------------------------------------ what is required


def require_pending(approval: Approval, now_ms: int) -> None:
    """Raises FailedPrecondition when it is decided, or its time is over although nobody has noted it yet."""
    if approval.state is not ApprovalState.PENDING:
        raise _decided(approval)
    if now_ms >= approval.expires_ms:
        raise FailedPrecondition(
            f"{approval.id} has expired: it has to be asked for again",
            {"state": "expired", "approval": approval.id},
            code=Code.APPROVAL_EXPIRED,
        )


def require_other(approval: Approval, person: str, verb: str, instead: str = "somebody else has to") -> None:
    """Nobody decides about a wish of their own, whatever they may do else. Raises PermissionDenied."""
    if person == approval.person:
        raise PermissionDenied(
            f"you asked for {approval.id}, so you cannot {verb} it: {instead}",
            {"approval": approval.id},
            code=Code.APPROVAL_OWN,
        )


def require_eligible(approver: Approver, stages: Sequence[Stage]) -> None:
    """Raises PermissionDenied, naming who may, unless some stage admits the approver."""
    if approver.is_root or any(stage.admits(approver.names) for stage in stages):
        return
    wanted = "; ".join(named(stage) for stage in stages)
    raise PermissionDenied(
        f"this needs {wanted}, which you are not: ask one of them", {"wanted": wanted}, code=Code.APPROVAL_NOT_ASKED
    )


def require_proof(approval: Approval, approver: Approver, now_ms: int) -> None:
    """Raises PermissionDenied when identity must be proved, and was not lately (or the proof is of the future)."""
    age = now_ms - approver.proved_ms
    if approval.demand.proof and not approver.is_root and not 0 <= age <= PROOF_KEPT_MS:
        raise PermissionDenied(
            "prove who you are first: POST /api/me/prove with a code of your second factor, then approve within 5 minutes",
            {"step_up": "totp"},
            code=Code.PROOF_NEEDED,
        )


def text(name: str, said: str, *, most: int = TEXT_CHARACTERS, required: str = "") -> str:
    """Raises InvalidArgument when it is too long, or absent although it is `required` (which says what to do)."""
    said = said.strip()
    if required and not said:
        raise InvalidArgument(f"{name} is missing: {required}", {"field": name}, code=Code.FIELD_MISSING)
    if len(said) > most:
        raise InvalidArgument(
            f"{name} has {len(said)} characters: at most {most} are kept",
            {"field": name, "most": str(most)},
            code=Code.FIELD_TOO_LONG,
        )
    return said


def _closed(approval: Approval, state: ApprovalState, why: Cause, now_ms: int, by: str = "") -> Approval:
    return replace(
        approval,
        state=state,
        message=why.detail,
        code=why.code,
        parameters=why.parameters,
        closed_by=by,
        finished_ms=now_ms,
    )


def _parameters(failure: CroupierError) -> Mapping[str, str]:
    """Details without a name say nothing that the words do not."""
    return {} if failure.code is None else failure.details


def _decided(approval: Approval) -> FailedPrecondition:
    why = f" ({approval.message})" if approval.message else ""
    return FailedPrecondition(
        f"{approval.id} is {approval.state.value} already{why}",
        {"state": approval.state.value, "approval": approval.id},
        code=Code.APPROVAL_CLOSED,
    )
