"""Approvals as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from croupier.domain.approval import Approval, ApprovalKind, ApprovalState, Comment, ReviewState
from croupier.domain.notice import Notice
from croupier.server.approvals.deciding import Shown
from croupier.server.http.cause_documents import CauseEntry, cause_entries
from croupier.server.http.openapi import reference
from croupier.server.payload_json import payload_fields


class Decision(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of what is done with an approval."""

    comment: str = ""
    digest: str = ""
    """Of what was looked at; one that differs is refused. Only where it is approved."""


decision_decoder = msgspec.json.Decoder(Decision)

DECISION_BODY: dict[str, Any] = {
    "requestBody": {"required": False, "content": {"application/json": {"schema": reference("Decision")}}}
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StageEntry:
    approvers: list[str]
    """Nobody named is whoever has approvals:decide."""
    threshold: int
    approved_by: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteEntry:
    name: str
    stage: int
    comment: str
    time_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentEntry:
    name: str
    text: str
    time_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeEntry:
    webhook: str
    event: str
    state: str
    attempts: int
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalEntry:
    approval_id: str
    kind: ApprovalKind
    call_id: str
    """The call or job that waits, or the bulk run."""
    function_id: str
    game_id: str
    env: str
    requester: str
    reason: str
    ticket: str
    why: list[str]
    """The rules that ask for it."""
    causes: list[CauseEntry]
    """The same, by name."""
    state: ApprovalState
    message: str
    """Why it ended as it did."""
    ending: CauseEntry
    """The same, by name."""
    stages: list[StageEntry]
    votes: list[VoteEntry]
    comments: list[CommentEntry]
    closed_by: str
    break_glass: bool
    review: ReviewState
    reviewed_by: str
    proof: bool
    """Whether approvers have to prove their identity again."""
    digest: str
    created_ms: int
    expires_ms: int
    decided_ms: int
    finished_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalList:
    approvals: list[ApprovalEntry]
    next: str
    """`after` of the next page; empty when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalDocument(ApprovalEntry):
    payload: Any
    """The arguments, with sensitive values masked; of a bulk run its file, number of rows and plan."""
    metadata: dict[str, str]
    route: str
    target_service_id: str
    description: dict[str, Any]
    """Of the function, as it was when the approval was asked for."""
    changes: dict[str, Any] | None
    """What has changed in it since."""
    drifted: list[str]
    """Why it would not run if it were approved now."""
    drifts: list[CauseEntry]
    """The same, by name."""
    may_decide: bool
    notices: list[NoticeEntry]


def entry(approval: Approval) -> ApprovalEntry:
    return ApprovalEntry(**_fields(approval))


def document(shown: Shown) -> ApprovalDocument:
    approval = shown.approval
    return ApprovalDocument(
        **_fields(approval),
        payload=payload_fields(shown.payload).get("payload") if shown.payload else None,
        metadata=dict(shown.metadata),
        route=approval.bound.route,
        target_service_id=approval.bound.target_service_id,
        description=dict(shown.description),
        changes=None if shown.changes is None else shown.changes.document(),
        drifted=list(shown.drifted),
        drifts=cause_entries(shown.drifted),
        may_decide=shown.may_decide,
        notices=[_notice(each) for each in shown.notices],
    )


def _fields(approval: Approval) -> Mapping[str, Any]:
    return {
        "approval_id": approval.id,
        "kind": approval.kind,
        "call_id": approval.call_id,
        "function_id": approval.function_id,
        "game_id": approval.scope.game_id,
        "env": approval.scope.env,
        "requester": approval.requester.name,
        "reason": approval.reason,
        "ticket": approval.ticket,
        "why": list(approval.demand.why),
        "causes": cause_entries(approval.demand.why),
        "state": approval.state,
        "message": approval.message,
        "ending": CauseEntry(code=approval.code, parameters=dict(approval.parameters), detail=approval.message),
        "stages": _stages(approval),
        "votes": [
            VoteEntry(name=each.name, stage=each.stage, comment=each.comment, time_ms=each.time_ms)
            for each in approval.votes
        ],
        "comments": [_comment(each) for each in approval.comments],
        "closed_by": approval.closed_by,
        "break_glass": approval.break_glass,
        "review": approval.review,
        "reviewed_by": approval.reviewed_by,
        "proof": approval.demand.proof,
        "digest": approval.bound.digest,
        "created_ms": approval.created_ms,
        "expires_ms": approval.expires_ms,
        "decided_ms": approval.decided_ms,
        "finished_ms": approval.finished_ms,
    }


def _stages(approval: Approval) -> list[StageEntry]:
    return [
        StageEntry(
            approvers=list(stage.approvers),
            threshold=stage.threshold,
            approved_by=[vote.name for vote in approval.votes if vote.stage == index],
        )
        for index, stage in enumerate(approval.demand.stages)
    ]


def _comment(comment: Comment) -> CommentEntry:
    return CommentEntry(name=comment.name, text=comment.text, time_ms=comment.time_ms)


def _notice(notice: Notice) -> NoticeEntry:
    return NoticeEntry(
        webhook=notice.webhook,
        event=notice.event.value,
        state=notice.state.value,
        attempts=notice.attempts,
        error=notice.error,
    )
