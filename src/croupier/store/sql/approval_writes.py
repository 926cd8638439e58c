"""What can be asked of the writer about approvals, and how a call goes on from waiting. Applied in the order asked."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, exists, insert, literal_column, select, update

from croupier.codes import Code
from croupier.domain.approval import Approval, ApprovalState, ReviewState, execute
from croupier.domain.call import CallState
from croupier.domain.notice import Notice
from croupier.errors import Canceled, Conflict, CroupierError
from croupier.store.sql import refusals
from croupier.store.sql.tables import UNDECIDED, approvals, calls, notices
from croupier.store.sql.writes import ROW_BYTES, Begin, Write

_encode = msgspec.json.Encoder().encode
_INSERT = insert(approvals)
_REPLACE = (
    update(approvals)
    .where(approvals.c.id == bindparam("known"), approvals.c.revision == bindparam("was"))
    .values({each.name: bindparam(each.name) for each in approvals.c if each.name != "id"})
)
_IS_OPEN = select(exists().where(approvals.c.call_id == bindparam("call_id"), UNDECIDED))
_INSERT_NOTICES = insert(notices)
_DELETE_NOTICE = delete(notices).where(notices.c.id == bindparam("known"))
_OLD = (
    select(approvals.c.id)
    .where(~UNDECIDED, approvals.c.review != ReviewState.OPEN.value, approvals.c.created_ms < bindparam("before"))
    .order_by(approvals.c.created_ms)
    .limit(bindparam("at_most"))
)
_FORGET = delete(approvals).where(approvals.c.id.in_(bindparam("ids", expanding=True)))
_FORGET_NOTICES = delete(notices).where(notices.c.approval_id.in_(bindparam("ids", expanding=True)))
_waiting = update(calls).where(calls.c.id == bindparam("known"), calls.c.state == CallState.WAITING.value)
_RESUME = _waiting.values(state=CallState.RUNNING.value)
_END = _waiting.values(
    state=bindparam("ended"),
    reason=bindparam("why"),
    message=bindparam("words"),
    details=bindparam("facts"),
    finished_ms=bindparam("at_ms"),
    key_expired=1,
)
_WAIT = (
    update(calls)
    .where(calls.c.id == bindparam("known"), calls.c.state == literal_column("'running'"))
    .values(state=CallState.WAITING.value)
)


class ApprovalWrite(Write[Any]):
    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> object: ...


@dataclass(frozen=True, slots=True, eq=False)
class AskApproval(Write["str | None"]):
    """Applied with the begins: its call is recorded as theirs are."""

    begin: Begin
    approval: Approval
    notices: Sequence[Notice]

    @property
    def weight(self) -> int:
        return self.begin.weight + ROW_BYTES + len(self.approval.description)


@dataclass(frozen=True, slots=True, eq=False)
class OpenApproval(ApprovalWrite):
    """Answered with whether it was recorded."""

    approval: Approval
    notices: Sequence[Notice]

    def run(self, connection: Connection) -> bool:
        if connection.execute(_IS_OPEN, {"call_id": self.approval.call_id}).scalar_one():
            return False
        insert_approval(connection, self.approval, self.notices)
        return True


@dataclass(frozen=True, slots=True, eq=False)
class ReplaceApproval(ApprovalWrite):
    """Answered with whether nobody was faster."""

    approval: Approval
    ended: CroupierError | None
    notices: Sequence[Notice]
    now_ms: int

    def run(self, connection: Connection) -> bool:
        if not _replace(connection, self.approval):
            return False
        if self.ended is not None:
            _end_call(connection, self.approval.call_id, self.ended, self.now_ms)
        _insert_notices(connection, self.notices)
        return True


@dataclass(frozen=True, slots=True, eq=False)
class PutNotice(ApprovalWrite):
    notice: Notice

    def run(self, connection: Connection) -> None:
        connection.execute(_DELETE_NOTICE, {"known": self.notice.id})
        _insert_notices(connection, [self.notice])


@dataclass(frozen=True, slots=True, eq=False)
class ForgetApprovals(ApprovalWrite):
    """Answered with how many there were."""

    before_ms: int
    limit: int

    def run(self, connection: Connection) -> int:
        given = {"before": self.before_ms, "at_most": self.limit}
        ids = list(connection.scalars(_OLD, given))
        if ids:
            connection.execute(_FORGET_NOTICES, {"ids": ids})
            connection.execute(_FORGET, {"ids": ids})
        return len(ids)


def insert_approval(connection: Connection, approval: Approval, told: Sequence[Notice]) -> None:
    connection.execute(_INSERT, _row(approval))
    _insert_notices(connection, told)


def wait(connection: Connection, ask: AskApproval) -> None:
    """Its call has been recorded as one that runs, in this transaction."""
    connection.execute(_WAIT, {"known": ask.begin.call.id})
    insert_approval(connection, ask.approval, ask.notices)


def resume(connection: Connection, begin: Begin, approval: Approval) -> Conflict | None:
    """The call runs from now on, and so does the approval, or neither."""
    if approval.state is ApprovalState.APPROVED and _replace(connection, execute(approval)):
        if connection.execute(_RESUME, {"known": begin.call.id}).rowcount == 1:
            return None
        raise LookupError(f"approval {approval.id} is approved, but its call {begin.call.id} does not wait")
    return Conflict(
        f"{approval.id} was executed, or decided otherwise, meanwhile",
        {"approval_id": approval.id, "approval": approval.id},
        code=Code.APPROVAL_CHANGED,
    )


def _end_call(connection: Connection, call_id: str, ended: CroupierError, now_ms: int) -> None:
    state = CallState.CANCELED if isinstance(ended, Canceled) else CallState.FAILED
    given = {
        "known": call_id,
        "ended": state.value,
        "why": ended.reason,
        "words": ended.message,
        "facts": refusals.said(ended.code, ended.details),
        "at_ms": now_ms,
    }
    connection.execute(_END, given)


def _insert_notices(connection: Connection, told: Sequence[Notice]) -> None:
    if told:
        connection.execute(_INSERT_NOTICES, [asdict(notice) for notice in told])


def _replace(connection: Connection, approval: Approval) -> bool:
    """Compare and set: whether the revision that is kept is the one that this was made from."""
    row = _row(replace(approval, revision=approval.revision + 1))
    known = row.pop("id")
    return connection.execute(_REPLACE, {**row, "known": known, "was": approval.revision}).rowcount == 1


def _row(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.id,
        "call_id": approval.call_id,
        "function_id": approval.function_id,
        "game_id": approval.scope.game_id,
        "env": approval.scope.env,
        "person": approval.person,
        "state": approval.state.value,
        "review": approval.review.value,
        "revision": approval.revision,
        "created_ms": approval.created_ms,
        "expires_ms": approval.expires_ms,
        "document": _encode(approval),
    }
