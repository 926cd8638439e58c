"""A notice that somebody outside is to be sent, and how often it is tried.

waiting ─┬─► sent
    ▲  │ └─► failed     (tried TRIES times, or the webhook is no longer configured)
    └──┘ later
"""

from dataclasses import dataclass, replace
from enum import StrEnum

TRIES = 12
FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 3_600_000
ERROR_CHARACTERS = 300


class NoticeState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Event(StrEnum):
    """What is told of an approval."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"
    ENDED = "ended"
    BREAK_GLASS = "break_glass"
    REVIEWED = "reviewed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    id: str
    approval_id: str
    webhook: str
    """The name of its settings: address and secret are looked up when it is sent, and kept nowhere else."""
    event: Event
    text: str
    """What people read; without arguments."""
    state: NoticeState = NoticeState.WAITING
    attempts: int = 0
    next_ms: int = 0
    created_ms: int = 0
    error: str = ""


def sent(notice: Notice) -> Notice:
    return replace(notice, state=NoticeState.SENT, attempts=notice.attempts + 1, error="")


def failed(notice: Notice, why: str, now_ms: int, *, for_good: bool = False) -> Notice:
    """After a try that went wrong: later again, each pause twice as long, or given up."""
    attempts = notice.attempts + 1
    error = why[:ERROR_CHARACTERS]
    if for_good or attempts >= TRIES:
        return replace(notice, state=NoticeState.FAILED, attempts=attempts, error=error)
    pause = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1))
    return replace(notice, attempts=attempts, next_ms=now_ms + pause, error=error)
