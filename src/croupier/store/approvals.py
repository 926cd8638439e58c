"""PORT: what must be kept of approvals, and of the notices about them. The promises of `croupier.store` hold here too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from croupier.domain.approval import Approval, ApprovalState, ReviewState
from croupier.domain.audit import Note
from croupier.domain.call import Call
from croupier.domain.entity import Subject
from croupier.domain.listing import Cursor, Page
from croupier.domain.notice import Notice
from croupier.domain.policy import Within
from croupier.domain.scope import Scope
from croupier.errors import CroupierError


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalFilter:
    """Approvals that fit everything that is named here; what is empty fits all."""

    scope: Scope | None = None
    within: Within | None = None
    """In these scopes only: what somebody may see."""
    states: frozenset[ApprovalState] = frozenset()
    review: ReviewState | None = None
    function_id: str = ""
    person: str = ""
    """Who asked."""


STUCK_AFTER = 3
"""Tries in vain after which a notice counts as stuck; it is tried on all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many of each there are."""

    pending: int
    """Approvals that wait to be decided."""
    reviews: int
    """Open reviews of break-glass runs."""
    stuck: int
    """Notices that wait after `STUCK_AFTER` tries or more."""
    failed: int
    """Notices that were given up."""


class ApprovalStore(Protocol):
    async def ask(
        self,
        approval: Approval,
        call: Call,
        *,
        about: Sequence[Subject] = (),
        note: Note | None = None,
        notices: Sequence[Notice] = (),
    ) -> str | None:
        """Record that `call` waits for `approval`, in one commit.

        With an idempotency key that was used before, nothing is recorded and the id of the earlier call is returned; what
        is a Conflict in `CallStore.begin` is one here.
        """

    async def open(self, approval: Approval, *, notices: Sequence[Notice] = ()) -> bool:
        """Record an approval of something that has no record of a call. False, and nothing is recorded, when there is an
        open one for the same `call_id`.
        """

    async def replace(
        self, approval: Approval, *, ended: CroupierError | None = None, notices: Sequence[Notice] = ()
    ) -> bool:
        """Compare and set: keep it, and the notices with it, unless another revision than `approval.revision` is kept.

        With `ended` its call, if it waits, ends so in the same commit, and its idempotency key is free again.
        """

    async def approval(self, approval_id: str) -> Approval | None: ...

    async def latest(self, call_id: str) -> Approval | None:
        """The newest one of a call or bulk run."""

    async def undecided(self, call_ids: Sequence[str]) -> Mapping[str, str]:
        """Those of these calls or bulk runs that wait or execute, each with its approval's id."""

    async def approvals(self, which: ApprovalFilter, limit: int, after: Cursor | None = None) -> Page[Approval]:
        """Those that fit, newest first, from the one after `after`."""

    async def pending(self, person: str, most: int) -> int:
        """How many of this person's wait to be decided; it stops counting at `most`."""

    async def overdue(self, now_ms: int, limit: int) -> list[Approval]:
        """Pending ones whose time is over."""

    async def forget(self, before_ms: int, limit: int) -> int:
        """Delete the oldest that have ended and were asked for before then, with their notices; none whose review is open.
        Returns how many.
        """

    async def due_notices(self, now_ms: int, limit: int) -> list[Notice]:
        """Those that are to be sent by now, the longest due first."""

    async def put_notice(self, notice: Notice) -> None:
        """Replace what is kept of the notice of this id."""

    async def tally(self) -> Tally: ...

    async def notices(self, approval_id: str) -> list[Notice]:
        """All about one approval, oldest first."""
