"""A change of an approval, written if nobody was faster, together with what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from croupier.codes import Code
from croupier.domain.approval import Approval, ApprovalKind, ApprovalState
from croupier.domain.notice import Event
from croupier.errors import Canceled, CroupierError, FailedPrecondition, PermissionDenied
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.news import News
from croupier.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a change of an approval is written, and who is told of it."""

    store: Store
    outbox: Outbox
    news: News


_EVENTS: Mapping[ApprovalState, Event] = {
    ApprovalState.APPROVED: Event.APPROVED,
    ApprovalState.REJECTED: Event.REJECTED,
    ApprovalState.WITHDRAWN: Event.WITHDRAWN,
    ApprovalState.EXPIRED: Event.EXPIRED,
    ApprovalState.VOID: Event.VOID,
    ApprovalState.EXECUTED: Event.ENDED,
    ApprovalState.FAILED: Event.ENDED,
    ApprovalState.OUTCOME_UNKNOWN: Event.ENDED,
}


async def replaced(kept: Kept, before: Approval, after: Approval) -> bool:
    """Compare and set, with the end of its call where it is not to run, and the notices. False: somebody was faster."""
    event = _EVENTS.get(after.state) if after.state is not before.state else None
    if after.review is not before.review:
        event = Event.REVIEWED
    notices = kept.outbox.about(after, event) if event is not None else []
    ended = _end_of_call(before, after)
    if not await kept.store.approvals.replace(after, ended=ended, notices=notices):
        return False
    await kept.news.approval(after.id)
    if ended is not None and after.kind is not ApprovalKind.BULK:
        await kept.news.call_did_not_run(after, ended)
    return True


def _end_of_call(before: Approval, after: Approval) -> CroupierError | None:
    """How the call that waited ends; None where it does not, or runs."""
    if before.ended or not after.ended or before.state is ApprovalState.EXECUTING:
        return None
    details = {"approval_id": after.id, "approval": after.id, "state": after.state.value}
    words = f"it did not run: {after.message} ({after.id})"
    match after.state:
        case ApprovalState.WITHDRAWN:
            return Canceled(words, details, code=Code.NOT_APPROVED)
        case ApprovalState.REJECTED:
            return PermissionDenied(words, details, code=Code.NOT_APPROVED)
        case _:
            return FailedPrecondition(words, details, code=Code.NOT_APPROVED)
