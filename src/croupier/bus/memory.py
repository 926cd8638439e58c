"""The bus within one process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from croupier.bus import WAITING, Notice


class MemoryBus:
    """`croupier.bus.Bus` for the tasks of one event loop."""

    def __init__(self) -> None:
        self._topics: dict[str, set[_Subscription]] = {}
        self._closed = False

    async def publish(self, topic: str, body: bytes) -> None:
        notice = Notice(topic, body)
        for subscription in self._topics.get(topic, ()):
            subscription.put(notice)

    @asynccontextmanager
    async def subscribe(self, topic: str, *, waiting: int = WAITING) -> AsyncIterator[AsyncIterator[Notice]]:
        subscription = _Subscription(waiting)
        if self._closed:
            subscription.end()
        others = self._topics.setdefault(topic, set())
        others.add(subscription)
        try:
            yield subscription
        finally:
            others.discard(subscription)
            if not others and self._topics.get(topic) is others:
                del self._topics[topic]

    def heard(self, topic: str) -> bool:
        return topic in self._topics

    async def close(self) -> None:
        self._closed = True
        for subscriptions in self._topics.values():
            for subscription in subscriptions:
                subscription.end()


class _Subscription:
    """What one subscriber has not read yet. Read by one task."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Notice] = deque()
        self._missed = False
        self._ended = False
        self._changed = asyncio.Event()

    def put(self, notice: Notice) -> None:
        if self._ended:
            return
        if len(self._waiting) == self._most:
            self._waiting.popleft()
            self._missed = True
        self._waiting.append(notice)
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    def __aiter__(self) -> "_Subscription":
        return self

    async def __anext__(self) -> Notice:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        notice = self._waiting.popleft()
        if self._missed:
            self._missed = False
            notice = replace(notice, missed=True)
        return notice
