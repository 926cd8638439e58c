"""One subscription to the bus for however many listen to the same topic here."""

import asyncio
from collections.abc import Callable

from croupier.bus import Bus, Notice

Told = Callable[[Notice], None]
"""Called for each notice; it must be quick and not raise."""

WAITING = 10_000
"""Notices that may wait for their turn: a commit of the store can end a thousand calls at once."""


Ended = Callable[[], None]
"""Called when the bus is closed: nothing will be told any more."""


def _indifferent() -> None:
    pass


class _Ear:
    def __init__(self) -> None:
        self.told: dict[Told, Ended] = {}
        self.open = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Ears:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ears: dict[str, _Ear] = {}

    async def listen(self, topic: str, told: Told, ended: Ended = _indifferent) -> None:
        """What is published from now on is `told`, until `leave`."""
        ear = self._ears.get(topic)
        if ear is None:
            ear = self._ears[topic] = _Ear()
            ear.task = asyncio.ensure_future(self._hear(topic, ear))
        ear.told[told] = ended
        await ear.open.wait()

    def leave(self, topic: str, told: Told) -> None:
        """A second time changes nothing."""
        ear = self._ears.get(topic)
        if ear is None:
            return
        ear.told.pop(told, None)
        if not ear.told:
            del self._ears[topic]
            if ear.task is not None:
                ear.task.cancel()

    async def close(self) -> None:
        tasks = [ear.task for ear in self._ears.values() if ear.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, topic: str, ear: _Ear) -> None:
        try:
            async with self._bus.subscribe(topic, waiting=WAITING) as notices:
                ear.open.set()
                async for notice in notices:
                    for told in tuple(ear.told):
                        told(notice)
                for ended in tuple(ear.told.values()):
                    ended()
        finally:
            ear.open.set()  # nobody waits for a bus that is closed
