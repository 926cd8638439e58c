"""PORT: what must be kept of the audit record. The promises of `croupier.store` hold here too.

The store gives each note its place in one chain (`croupier.audit`), in the commit that makes it durable, so that no row can be
missing or come twice; the chain goes on over restarts. Calls bring their notes with them (`CallStore.begin`, `finish`).

Notes that the disk refused and that nobody waited for are not forgotten: the next commit that succeeds begins with a row
`audit.gap`, whose details count them.
"""

from typing import Protocol

from croupier.domain.audit import AuditFilter, AuditPage, Checkpoint, Cut, Head, Note, SealedRow


class AuditStore(Protocol):
    async def record(self, *notes: Note, durable: bool = True) -> None:
        """Add rows, in this order. `durable=False` returns at once."""

    @property
    def unwritten(self) -> int:
        """Rows that the disk refused since the store was opened, of calls and of everything else."""

    async def head(self) -> Head:
        """The last row; of a chain without rows, what the next one follows."""

    async def rows(self, after: int, limit: int) -> list[SealedRow]:
        """Those with a seq above `after`, ascending."""

    async def row(self, seq: int) -> SealedRow | None: ...

    async def misfiled(self, after: int, up_to: int, limit: int) -> list[int]:
        """Rows of these that a search for their act or their time would miss, because what they are filed under was bent by a
        hand: the first `limit` of them.
        """

    async def search(self, which: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        """Those that fit, newest first, from the one before `before`."""

    async def old(self, before_ms: int, most: int | None = None) -> SealedRow | None:
        """Of the rows at the beginning that are all from before then, at most `most`, the last. A row that a wrong clock dated
        back takes no newer one before it along.
        """

    async def put_checkpoint(self, checkpoint: Checkpoint) -> None: ...

    async def checkpoints(self, after: int, limit: int) -> list[Checkpoint]:
        """Those of a seq above `after`, ascending."""

    async def cut(self, cut: Cut) -> None:
        """Take away every row and checkpoint up to `cut.up_to`, and keep the cut. The rows go in several commits: after a kill, the same
        cut takes away the rest.
        """

    async def cuts(self) -> list[Cut]:
        """Oldest first."""
