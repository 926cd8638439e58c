from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from croupier_sdk.errors import Failure, JobCancelled


@dataclass(kw_only=True, slots=True)
class CallContext:
    """The call a handler runs for. Only `cancelled` changes."""

    call_id: str
    """The call's request id, or the job's id."""
    function_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str = ""
    traceparent: str = ""
    """W3C trace context: the span that this call is a part of. The game's own tracing may go on from it."""
    deadline: float | None = None
    """When the answer is due, on `time.monotonic()`'s clock."""
    game_id: str = ""
    env: str = ""
    cancelled: bool = False
    """Nobody waits for the answer any more: a long sync handler should look now and then."""

    @property
    def trace_id(self) -> str:
        """The id under which the call is found on every hop; empty where no trace came with it."""
        return self.traceparent[3:35] or self.metadata.get("trace_id", "")

    @property
    def tracestate(self) -> str:
        """What goes with `traceparent`."""
        return self.metadata.get("tracestate", "")

    def remaining(self) -> float | None:
        """Seconds left, never negative; None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


_current: ContextVar[CallContext] = ContextVar("croupier_call")


def current_call() -> CallContext:
    """The call this code runs for. Raises LookupError outside of a handler."""
    return _current.get()


def current_trace() -> dict[str, str]:
    """The metadata by which a call made here belongs to the trace of the call this code runs for; empty elsewhere."""
    call = _current.get(None)
    if call is None or not call.traceparent:
        return {}
    found = {"traceparent": call.traceparent, "tracestate": call.tracestate}
    return {name: value for name, value in found.items() if value}


enter_call = _current.set
leave_call = _current.reset


class JobEvents(Protocol):
    """Where a job's events go. Used on the loop only."""

    def full(self) -> bool:
        """So many events wait that a producer must, too."""

    async def room(self) -> None:
        """Wait until it may be worth asking again."""

    def put(
        self, kind: str, *, message: str = "", progress: int = 0, payload: bytes = b"", failure: Failure | None = None
    ) -> None:
        """Add an event. `done` and `error` are the last, and need no room."""


class JobContext:
    """What an async job handler tells of its work, and learns of it. The methods wait while the agent is behind."""

    def __init__(self, call: CallContext, events: JobEvents) -> None:
        self.call = call
        self._events = events
        self._ended = False

    def end(self) -> None:
        """Called by the SDK: the job's last event is out, so nothing may follow."""
        self._ended = True

    @property
    def job_id(self) -> str:
        return self.call.call_id

    @property
    def cancelled(self) -> bool:
        return self.call.cancelled

    @property
    def deadline(self) -> float | None:
        """When the job must be done, on `time.monotonic()`'s clock."""
        return self.call.deadline

    def remaining(self) -> float | None:
        """Seconds left, never negative; None without a deadline."""
        return self.call.remaining()

    async def progress(self, percent: float, message: str = "") -> None:
        """Say how far the work is, from 0 to 100. Raises JobCancelled once the job has ended for its followers."""
        await self._room()
        self._events.put("progress", message=message, progress=max(0, min(100, int(percent))))

    async def log(self, message: str) -> None:
        """Add a line to the job's log. Raises JobCancelled once the job has ended for its followers."""
        await self._room()
        self._events.put("log", message=message)

    async def _room(self) -> None:
        while self._events.full():
            self._check()
            await self._events.room()
        self._check()

    def _check(self) -> None:
        if self._ended:
            raise JobCancelled("the job has ended")


class BlockingJobContext:
    """The same for a sync job handler: the methods block its thread, and raise JobCancelled once the job is cancelled."""

    def __init__(self, job: JobContext, loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop

    @property
    def job_id(self) -> str:
        return self._job.job_id

    @property
    def cancelled(self) -> bool:
        return self._job.cancelled

    @property
    def deadline(self) -> float | None:
        """When the job must be done, on `time.monotonic()`'s clock."""
        return self._job.deadline

    def remaining(self) -> float | None:
        """Seconds left, never negative; None without a deadline."""
        return self._job.remaining()

    def progress(self, percent: float, message: str = "") -> None:
        """Say how far the work is, from 0 to 100."""
        self._on_loop(self._job.progress, percent, message)

    def log(self, message: str) -> None:
        """Add a line to the job's log."""
        self._on_loop(self._job.log, message)

    def _on_loop(self, tell: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
        if self._job.cancelled or self._loop.is_closed():
            raise JobCancelled("the job was cancelled")
        asyncio.run_coroutine_threadsafe(tell(*arguments), self._loop).result()
