"""What says how things stand, now and as that changes: nobody resumes it."""

import asyncio
from collections.abc import Callable, Sequence

from croupier.bus import Notice
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.bulk import Bulks, Progress
from croupier.server.bulk import topic as bulk_topic
from croupier.server.ears import Ears
from croupier.server.live.feed import Feed
from croupier.server.live.frames import line, unmoved
from croupier.server.live.pulse import Pulse
from croupier.server.live.topics import HEALTH

BULK_EVERY = 0.25
"""Seconds from one look at a bulk run to the next, at least."""


class BulkFeed(Feed):
    """How a bulk run stands, at once and when that changes, four times a second at most."""

    def __init__(
        self,
        topic: str,
        wake: Callable[[], None],
        *,
        bulk_id: str,
        bulks: Bulks,
        ears: Ears,
        shown: Callable[[Progress], bytes],
    ) -> None:
        super().__init__((topic,), wake)
        self._bulk_id = bulk_id
        self._bulks = bulks
        self._ears = ears
        self._shown = shown
        self._pause: asyncio.TimerHandle | None = None
        self._again = False
        """It changed while nobody may look."""

    async def begin(self) -> None:
        await self._ears.listen(bulk_topic(self._bulk_id), self._told)

    async def read(self) -> Sequence[bytes]:
        self.ready = False
        self._pause = asyncio.get_running_loop().call_later(BULK_EVERY, self._over)
        self._again = False
        progress = await self._bulks.progress(self._bulk_id)
        if progress.bulk.ended:
            await self.close()
        return [unmoved(line(self.topics[0], "progress", self._shown(progress)))]

    def _told(self, notice: Notice) -> None:  # noqa: ARG002 — as every listener
        if self._pause is None:
            self.has_news()
        else:
            self._again = True

    def _over(self) -> None:
        self._pause = None
        if self._again:
            self.has_news()

    async def close(self) -> None:
        self._ears.leave(bulk_topic(self._bulk_id), self._told)
        if self._pause is not None:
            self._pause.cancel()


class HealthFeed(Feed):
    """How the platform feels, at once and at every beat."""

    def __init__(self, wake: Callable[[], None], *, pulse: Pulse, caller: Principal, scope: Scope | None) -> None:
        super().__init__((HEALTH,), wake)
        self._pulse = pulse
        self._caller = caller
        self._scope = scope

    async def begin(self) -> None:
        self._pulse.join(self.has_news)

    async def read(self) -> Sequence[bytes]:
        self.ready = False
        return [unmoved(line(HEALTH, "health", await self._pulse.document(self._caller, self._scope)))]

    async def close(self) -> None:
        self._pulse.leave(self.has_news)
