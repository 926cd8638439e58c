import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import islice
from time import monotonic

from croupier_sdk.errors import Failure
from croupier_sdk.limits import JOB_TEXT_BYTES, cut
from croupier_wire.function.v1 import function_pb2

KEPT_EVENTS = 5_000


class KeptEvents:
    """The JobEvents of a job started over FunctionService, kept in memory for those who follow it.

    At most KEPT_EVENTS are kept. The oldest are let go once a follower has had them; while none has, the producer waits.
    """

    def __init__(self) -> None:
        self._events: deque[function_pb2.JobEvent] = deque()
        self._last = 0
        self._delivered = 0
        self._changed = asyncio.Event()
        self.ended_at: float | None = None
        """On `time.monotonic()`'s clock, once the last event is in."""

    def full(self) -> bool:
        return self._last - self._delivered >= KEPT_EVENTS

    async def room(self) -> None:
        await self._changed.wait()

    def put(
        self, kind: str, *, message: str = "", progress: int = 0, payload: bytes = b"", failure: Failure | None = None
    ) -> None:
        self._last += 1
        text = cut(message, JOB_TEXT_BYTES)
        event = function_pb2.JobEvent(type=kind, message=text, progress=progress, payload=payload, seq=self._last)
        self._events.append(event)
        if kind == "done" or failure is not None:
            self.ended_at = monotonic()
        self._pulse()

    async def follow(self, after: int) -> AsyncIterator[function_pb2.JobEvent]:
        """The events after `after`, in order, up to the last one of the job."""
        while True:
            for event in self._since(after):
                yield event
                after = event.seq
                self._had(after)
            if self.ended_at is not None and after >= self._last:
                return
            if after >= self._last:
                await self._changed.wait()

    def _since(self, after: int) -> list[function_pb2.JobEvent]:
        first = self._events[0].seq if self._events else 1
        return list(islice(self._events, max(0, after + 1 - first), None))

    def _had(self, seq: int) -> None:
        if seq <= self._delivered:
            return
        self._delivered = seq
        while len(self._events) > KEPT_EVENTS and self._events[0].seq <= seq:
            self._events.popleft()
        self._pulse()

    def _pulse(self) -> None:
        """Wake all who wait now; who comes later looks first."""
        self._changed.set()
        self._changed.clear()
