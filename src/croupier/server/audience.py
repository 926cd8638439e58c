"""Those who follow one job here. They are told together that there is more, and let in a few at a time (`turns.py`)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from croupier.bus import Notice
from croupier.server.ears import Ears
from croupier.server.job_events import reach, topic
from croupier.server.turns import Turns


class Audience:
    """Of one job. A notice wakes nobody before it is their turn, however many wait for it."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._stored = 0
        """How far the store is, as far as was said."""
        self._over = False
        self.members = 0
        self.unsure = 0
        """How often it was said that there may be more, and not how much."""

    async def more(self, after: int, unsure: int) -> bool:
        """Returns in one's turn, once there is something beyond `after`, or `unsure` is past. False when nothing will come any more."""
        while not self._over:
            if self._stored > after or self.unsure != unsure:
                await self._turns.take()
                return True
            turn = asyncio.get_running_loop().create_future()
            self._waiting[turn] = None
            try:
                await turn
            finally:
                self._waiting.pop(turn, None)
            if self._stored > after or self.unsure != unsure:
                return True
        return False

    def told(self, notice: Notice) -> None:
        stored = reach(notice)
        if stored is None:
            self.unsure += 1
        else:
            self._stored = max(self._stored, stored)
        if self._waiting:
            self._turns.line_up(self._waiting)
            self._waiting.clear()

    def ended(self) -> None:
        """The bus is closed."""
        self._over = True
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)


class Audiences:
    def __init__(self, ears: Ears, turns: Turns) -> None:
        self._ears = ears
        self._turns = turns
        self._audiences: dict[str, Audience] = {}

    @asynccontextmanager
    async def of(self, job_id: str) -> AsyncIterator[Audience]:
        """The job's audience, with one more in it; what is stored from now on is announced."""
        audience = self._audiences.get(job_id)
        if audience is None:
            audience = self._audiences[job_id] = Audience(self._turns)
        audience.members += 1
        try:
            await self._ears.listen(topic(job_id), audience.told, audience.ended)
            yield audience
        finally:
            audience.members -= 1
            if not audience.members:
                del self._audiences[job_id]
                self._ears.leave(topic(job_id), audience.told)
