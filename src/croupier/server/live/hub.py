"""Begins what fills the board when somebody reads it, and ends it a while after nobody does."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from croupier.server.live.board import Board
from croupier.server.live.sources import Source

LINGER = 60.0
"""Seconds for which the board is still filled when nobody reads it: a page that was cut off comes back and misses nothing."""
GATHER = 0.05
"""Seconds from something new to waking the readers, at least: they all get what came meanwhile in one turn. A call's record may be
on disk 20 ms after it was told of, so whoever asks for it then finds it."""


class Hub:
    def __init__(self, board: Board, sources: Mapping[str, Source]) -> None:
        self.board = board
        self._sources = sources
        self._readers: Counter[str] = Counter()
        self._begun: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._wakes: set[Callable[[], None]] = set()
        self._waking: asyncio.TimerHandle | None = None
        board.changed = self._wake_soon

    async def join(self, topics: Iterable[str], wake: Callable[[], None]) -> None:
        """From when this returns everything of `topics` is put on the board; `wake` is called when something was."""
        self._wakes.add(wake)
        for topic in topics:
            self._readers[topic] += 1
            if (end := self._ends.pop(topic, None)) is not None:
                end.cancel()
            if topic not in self._begun:
                self._begun[topic] = asyncio.ensure_future(self._begin(topic))
        for topic in topics:
            await asyncio.shield(self._begun[topic])

    def leave(self, topics: Iterable[str], wake: Callable[[], None]) -> None:
        """A second time changes nothing."""
        if wake not in self._wakes:
            return
        self._wakes.discard(wake)
        for topic in topics:
            self._readers[topic] -= 1
            if not self._readers[topic]:
                self._ends[topic] = asyncio.get_running_loop().call_later(LINGER, self._end, topic)

    def close(self) -> None:
        for timer in self._ends.values():
            timer.cancel()
        for topic in list(self._begun):
            self._end(topic)
        if self._waking is not None:
            self._waking.cancel()

    async def _begin(self, topic: str) -> None:
        try:
            await self._sources[topic].begin()
        except BaseException:
            self._begun.pop(topic, None)  # the next reader tries again
            raise
        self.board.begin(topic)

    def _end(self, topic: str) -> None:
        self._ends.pop(topic, None)
        if (begun := self._begun.pop(topic, None)) is not None:
            begun.cancel()
        self._sources[topic].end()
        self.board.end(topic)

    def _wake_soon(self) -> None:
        if self._waking is None and self._wakes:
            self._waking = asyncio.get_running_loop().call_later(GATHER, self._wake)

    def _wake(self) -> None:
        self._waking = None
        for wake in self._wakes:
            wake()
