"""Maintenance windows: while one is open, commands to its games are refused and queries go on.

planned ──starts──► open ──ends, or is ended──► over
   └──────────── is called off ─────────────────►
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from croupier.codes import Code
from croupier.domain.limit import check_reach, reaches
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, InvalidArgument

MOST_WINDOWS = 1_000
"""That are planned or open at once."""
REASON_CHARACTERS = 1_000
LONGEST_MS = 366 * 86_400_000
"""How far ahead a window may begin or end."""


class WindowState(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Times are wall-clock milliseconds since 1970: a window is an appointment between people."""

    id: str
    game_id: str = "*"
    env: str = "*"
    reason: str
    starts_ms: int
    ends_ms: int = 0
    """0: until somebody ends it."""
    created_by: str
    created_ms: int
    ended_by: str = ""
    """Who ended it, or called it off, before its time."""

    def covers(self, scope: Scope) -> bool:
        return reaches(self.game_id, self.env, scope)

    def state(self, now_ms: int) -> WindowState:
        if self.ends_ms and now_ms >= self.ends_ms:
            return WindowState.OVER
        return WindowState.OPEN if now_ms >= self.starts_ms else WindowState.PLANNED


def check_window(window: Window, now_ms: int) -> None:
    """Raises InvalidArgument, saying what is wrong."""
    check_reach(window.game_id, window.env)
    if not window.reason.strip() or len(window.reason) > REASON_CHARACTERS:
        raise InvalidArgument(
            f"say the reason, which callers are shown, in at most {REASON_CHARACTERS} characters",
            {"most": str(REASON_CHARACTERS)},
            code=Code.WINDOW_REASON_WRONG,
        )
    if window.ends_ms and window.ends_ms <= max(window.starts_ms, now_ms):
        raise InvalidArgument(
            "a window ends after it starts, and not in the past",
            code=Code.WINDOW_ENDS_EARLY,
        )
    if max(window.starts_ms, window.ends_ms) > now_ms + LONGEST_MS:
        raise InvalidArgument(
            "a window is planned at most a year ahead",
            code=Code.WINDOW_TOO_FAR,
        )


def end(window: Window, *, by: str, now_ms: int) -> Window:
    """Raises FailedPrecondition when it is over already."""
    if window.state(now_ms) is WindowState.OVER:
        raise FailedPrecondition(f"maintenance {window.id} is over already")
    # One that is called off before it starts ends at its start, so that it was never open.
    return replace(window, ends_ms=max(1, now_ms), starts_ms=min(window.starts_ms, now_ms), ended_by=by)
