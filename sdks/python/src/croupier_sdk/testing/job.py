import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from croupier_sdk.errors import CallError
from croupier_sdk.invoker import JobEvent


class FakeJob:
    """A job as its follower sees it."""

    def __init__(self, job_id: str, cancel: Callable[[str], Awaitable[None]]) -> None:
        self.id = job_id
        self.seen: list[JobEvent] = []
        """Every event that came, once each, in order."""
        self.error: CallError | None = None
        self._cancel = cancel
        self._changed = asyncio.Event()

    @property
    def ended(self) -> bool:
        return bool(self.seen) and self.seen[-1].last

    async def events(self) -> AsyncIterator[JobEvent]:
        """Every event from the first to the last; those to come are waited for."""
        index = 0
        while True:
            while index < len(self.seen):
                yield self.seen[index]
                index += 1
            if self.ended:
                return
            await self._changed.wait()

    async def result(self) -> Any:
        """Wait for the end and return the job's result. Raises CallError if it failed or was cancelled."""
        while not self.ended:
            await self._changed.wait()
        if self.error is not None:
            raise self.error
        return json.loads(self.seen[-1].payload)

    async def cancel(self, reason: str = "") -> None:
        """Ask for the job's end."""
        await self._cancel(reason)

    def add(self, event: JobEvent, error: CallError | None = None) -> bool:
        """Take an event; one that came before changes nothing. False for a gap."""
        if event.seq <= len(self.seen):
            return True
        if event.seq != len(self.seen) + 1:
            return False
        self.seen.append(event)
        self.error = error
        self._changed.set()
        self._changed.clear()
        return True
