"""What is old leaves the audit record by itself: archived as an export, then cut off under a signature.

    rows due ─► verified ─► archive (an export that `croupier audit verify` reads) ─► signed cut, on record ─► deleted

Nothing is deleted before the archive has it for good. A record that does not hold together is not cut. There is one server to a
database (the store's lock), so one server does this.
"""

import asyncio
import logging
from collections.abc import Callable

from croupier.domain.audit import SYSTEM
from croupier.errors import CroupierError
from croupier.server.access.audit.cutting import Cuts
from croupier.server.archive import Archive
from croupier.store.audit import AuditStore

log = logging.getLogger(__name__)

INTERVAL = 3_600.0
"""Seconds between looks."""
EVERY_MS = 86_400_000
"""A cut waits until so much is due: each leaves rows and a signature of its own."""
ROWS = 100_000
"""Most that one cut takes, and one archived export holds."""


class AuditRetention:
    """`clock` gives milliseconds since 1970. Without an archive what is old is deleted."""

    def __init__(
        self,
        *,
        store: AuditStore,
        cuts: Cuts,
        archive: Archive | None,
        clock: Callable[[], int],
        keep: float,
        rows: int = ROWS,
    ) -> None:
        """`keep` is how long, in seconds."""
        self._store = store
        self._cuts = cuts
        self._archive = archive
        self._clock = clock
        self._keep_ms = int(keep * 1000)
        self._rows = rows

    async def run(self) -> None:
        """Until cancelled. What could not be cut is tried again at the next look."""
        while True:
            try:
                await self.sweep()
            except CroupierError as error:
                log.warning("old rows of the audit record stay, trying again: %s", error.message)
            except Exception:
                log.exception("old rows of the audit record stay by a fault of ours, trying again")
            await asyncio.sleep(INTERVAL)

    async def sweep(self) -> None:
        """Everything that is due. Raises CroupierError; what was cut until then is cut."""
        before_ms = self._clock() - self._keep_ms
        if await self._store.old(before_ms - EVERY_MS, 1) is None:
            return
        keep = self._archive.keep_audit if self._archive is not None else None
        while await self._store.old(before_ms, 1) is not None:
            await self._cuts.cut(SYSTEM, before_ms, most=self._rows, keep=keep)
