"""Group commit.

    tasks ── submit ──► outbox ── once a turn of the loop ──► inbox ──► thread: take all, commit
      ▲                                                                                  │
      └────────────── futures, all of a commit in one call_soon_threadsafe ◄─────────────┘

While a commit runs, what arrives gathers in the inbox and shares the next one; when nothing runs, nothing that is submitted
waits. What is posted stays in the outbox for the next that is submitted, in its place before it, but not for long: a lone
call thus costs one commit, its begin's, which takes the end of the call before it along.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from croupier.errors import CroupierError, Unavailable
from croupier.store.sql.transaction import Answers
from croupier.store.sql.writes import Write

T = TypeVar("T")

WAITING_BYTES = 128 * 1024 * 1024
"""More may not wait: whoever submits then waits for room first."""

COMMIT_BYTES = 16 * 1024 * 1024
"""A transaction takes no more writes once they weigh this much."""

LINGER = 0.02
"""Seconds after which what was posted goes without company."""

CLOSED = "the store is closed: try again when the platform is up"

_log = logging.getLogger(__name__)

_Item = tuple[Write[Any], asyncio.Future[Any] | None, int]
"""What is to be written, who waits for it, and its weight."""


class Writer:
    """Made and used on one event loop; `commit` is called on a thread of its own, and must not raise."""

    def __init__(self, commit: Callable[[Sequence[Write[Any]]], Answers]) -> None:
        self._commit = commit
        self._loop = asyncio.get_running_loop()
        self._outbox: list[_Item] = []
        self._is_urgent = False
        self._lingering: asyncio.TimerHandle | None = None
        self._inbox: SimpleQueue[list[_Item] | None] = SimpleQueue()
        self._waiting_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        # A daemon, so that a program that dies without closing does not hang: nothing it still holds was promised.
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def submit(self, write: Write[T]) -> T:
        """Returns when it is durable. A task cancelled while it waits does not take its write back."""
        future: asyncio.Future[Any] = self._loop.create_future()
        await self._enter(write, future)
        self._hurry()
        return cast("T", await future)

    async def post(self, write: Write[Any]) -> None:
        """Returns at once, or when there is room. It goes with the next write that is submitted, or after `LINGER`.
        A failure is logged.
        """
        await self._enter(write, None)
        if not self._is_urgent and self._lingering is None:
            self._lingering = self._loop.call_later(LINGER, self._send)

    async def close(self) -> None:
        """Commit what waits, then end the thread."""
        if not self._closed:
            self._closed = True
            self._send()
            self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _enter(self, write: Write[Any], future: asyncio.Future[Any] | None) -> None:
        while not self._room.is_set():
            await self._room.wait()
        if self._closed:
            raise Unavailable(CLOSED)
        weight = write.weight
        self._waiting_bytes += weight
        if self._waiting_bytes >= WAITING_BYTES:
            self._room.clear()
            self._hurry()
        self._outbox.append((write, future, weight))

    def _hurry(self) -> None:
        """Send the outbox at the end of this turn of the loop."""
        if not self._is_urgent:
            self._is_urgent = True
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        self._is_urgent = False
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if self._outbox:
            self._inbox.put(self._outbox)
            self._outbox = []

    def _settle(self, batch: Sequence[_Item], answers: Answers) -> None:
        for write, future, weight in batch:
            self._waiting_bytes -= weight
            answer = answers.get(write)
            if future is None:
                if isinstance(answer, CroupierError):
                    _log.error("a record that nobody waits for was lost: %s", answer)
            elif not future.done():
                if isinstance(answer, CroupierError):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        if self._waiting_bytes < WAITING_BYTES:
            self._room.set()

    def _run(self) -> None:
        backlog: deque[_Item] = deque()
        is_open = True
        while is_open or backlog:
            is_open = self._receive(backlog, is_open=is_open)
            batch = _take(backlog)
            if batch:
                answers = self._commit([write for write, _, _ in batch])
                self._loop.call_soon_threadsafe(self._settle, batch, answers)

    def _receive(self, backlog: deque[_Item], *, is_open: bool) -> bool:
        """Take all there is, waiting for something only when there is nothing to do."""
        while is_open:
            try:
                items = self._inbox.get(block=not backlog)
            except Empty:
                break
            if items is None:
                return False
            backlog.extend(items)
        return is_open


def _take(backlog: deque[_Item]) -> list[_Item]:
    batch: list[_Item] = []
    weight = 0
    while backlog and weight < COMMIT_BYTES:
        item = backlog.popleft()
        batch.append(item)
        weight += item[2]
    return batch
