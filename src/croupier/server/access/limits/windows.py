"""Which games are under maintenance, as calls ask for it."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from croupier.codes import Code
from croupier.domain.maintenance import Window, WindowState
from croupier.domain.scope import Scope
from croupier.errors import Unavailable

SOON = 60.0
"""Seconds after which it is worth asking whether a window is over that has no end."""

OVERRIDE = "override_maintenance"
"""In the metadata of a call, `true`: it is to be made all the same, by somebody who may."""


class UnderMaintenance(Unavailable):
    """A command to a game that is under maintenance. Nothing ran."""

    def __init__(self, window: Window, scope: Scope, now_ms: int) -> None:
        until = f"until {_time(window.ends_ms)}" if window.ends_ms else "until it is ended"
        super().__init__(
            f"{scope} is under maintenance {until}: {window.reason} (queries are answered; nothing ran)",
            {
                "maintenance": window.id,
                "reason": window.reason,
                "until": _time(window.ends_ms) if window.ends_ms else "",
                "scope": str(scope),
            },
            code=Code.UNDER_MAINTENANCE,
        )
        self.retry_after = max(1.0, (window.ends_ms - now_ms) / 1000) if window.ends_ms else SOON


class Windows:
    """`clock` gives milliseconds since 1970."""

    def __init__(self, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.clock = clock
        self.ahead: Sequence[Window] = ()
        """Those that were not over when one was last changed. Where there is none, a call need not ask."""

    def use(self, windows: Sequence[Window]) -> None:
        """From now on these count, and no others."""
        now_ms = self.clock()
        self.ahead = tuple(each for each in windows if each.state(now_ms) is not WindowState.OVER)

    def check(self, scope: Scope, metadata: Mapping[str, str]) -> bool:
        """Whether somebody must be asked if the caller may work on it all the same, as the call's `metadata` wishes.

        Raises UnderMaintenance.
        """
        if not self.ahead:
            return False
        now_ms = self.clock()
        for window in self.ahead:
            if window.covers(scope) and window.state(now_ms) is WindowState.OPEN:
                if metadata.get(OVERRIDE) == "true":
                    return True
                raise UnderMaintenance(window, scope, now_ms)
        return False


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
