"""What fills the board: notices of the bus, and what is looked at again and again. Each works while somebody reads its topic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from croupier.bus import Notice
from croupier.errors import CroupierError
from croupier.server.ears import Ears
from croupier.server.live.board import Board, Item

log = logging.getLogger(__name__)

GATHER = 0.05
"""Seconds in which things that change are gathered before they are looked up, or looked at again: what changes often is told
once."""
LOOK_EVERY = 0.5
MOST_AT_ONCE = 1_000
"""Things that are looked up; of more, readers are told to ask for all."""


class Source(Protocol):
    async def begin(self) -> None:
        """When this returns, everything that happens is put on the board."""

    def end(self) -> None: ...


class Told:
    """Notices that say all."""

    def __init__(self, board: Board, topic: str, ears: Ears, bus_topic: str, read: Callable[[bytes], Item]) -> None:
        self._board = board
        self._topic = topic
        self._ears = ears
        self._bus_topic = bus_topic
        self._read = read

    async def begin(self) -> None:
        await self._ears.listen(self._bus_topic, self._told)

    def end(self) -> None:
        self._ears.leave(self._bus_topic, self._told)

    def _told(self, notice: Notice) -> None:
        if notice.missed:
            self._board.lose(self._topic)
        self._board.put(self._topic, self._read(notice.body))


class LookedUp:
    """Notices that name what changed. One that changes again before it was looked up is told once, as it is then."""

    def __init__(
        self, board: Board, topic: str, ears: Ears, bus_topic: str, look_up: Callable[[str], Awaitable[Item | None]]
    ) -> None:
        self._board = board
        self._topic = topic
        self._ears = ears
        self._bus_topic = bus_topic
        self._look_up = look_up
        self._changed: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._ears.listen(self._bus_topic, self._told)

    def end(self) -> None:
        self._ears.leave(self._bus_topic, self._told)
        if self._task is not None:
            self._task.cancel()

    def _told(self, notice: Notice) -> None:
        if notice.missed or len(self._changed) >= MOST_AT_ONCE:
            self._board.lose(self._topic)
            self._changed.clear()
        self._changed[notice.body.decode()] = None
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        while self._changed:
            await asyncio.sleep(GATHER)
            changed, self._changed = self._changed, {}
            try:
                for each in changed:
                    item = await self._look_up(each)
                    if item is not None:
                        self._board.put(self._topic, item)
            except CroupierError as error:
                log.warning("what changed of %s could not be looked up: %s", self._topic, error.message)
                self._board.lose(self._topic)


class LookedAt:
    """What is in memory and changes without a word. `look` tells what has changed since it was asked last; the first time
    it tells what nobody is told.
    """

    def __init__(self, board: Board, topic: str, look: Callable[[], Iterable[Item]], every: float = LOOK_EVERY) -> None:
        self._board = board
        self._topic = topic
        self._look = look
        self._every = every
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        for _ in self._look():
            pass
        self._task = asyncio.ensure_future(self._run())

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            for item in self._look():
                self._board.put(self._topic, item)
