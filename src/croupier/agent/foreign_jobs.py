"""A job on a game server that listens: its StreamJob, or its Invoke where it knows no jobs, told as numbered events.

    StreamJob ─ event ─► number 1, 2, 3 … ─► arrived     (reads on only while the window of unacknowledged events has room)

A stream that breaks is opened again: what was told already is skipped, by its number or, where the game server does not
number, by its place.
"""

import asyncio
import hashlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing

from croupier.agent.foreign import ForeignChannel, ForeignEvent
from croupier.agent.job_keeper import Told
from croupier.agent.jobs import NOTHING_TOLD, WINDOW
from croupier.domain.job import JobEvent
from croupier.errors import Canceled, CroupierError, OutcomeUnknown, Unavailable
from croupier.tunnel.frames import StartJob

log = logging.getLogger(__name__)

STREAM_TRIES = 5
"""How often a broken StreamJob is opened again before the job counts as lost."""
STREAM_PAUSE = 1.0
CANCEL_TIMEOUT = 5.0
WAITING_BYTES = 16_000_000
"""Payloads of one job that may wait for their acknowledgement; then the stream is not read."""


class JobLost(Exception):
    """Nobody knows any more how the job goes on. The text says why."""


class ForeignJob:
    def __init__(
        self,
        channel: ForeignChannel,
        frame: StartJob,
        metadata: Mapping[str, str],
        tell: Callable[[JobEvent, Told], None],
        *,
        pause: float = STREAM_PAUSE,
        room: Callable[[], Awaitable[None]] | None = None,
        seq: int = 0,
        told: Told = NOTHING_TOLD,
    ) -> None:
        """`seq` and `told` say where an earlier agent process was. `room` waits until another event may be told."""
        self.job_id = frame.job_id
        self._channel = channel
        self._frame = frame
        self._metadata = metadata
        self._tell = tell
        self._pause = pause
        self._remote_id = ""
        self._room_above = room
        self._seq = seq
        self._told_so_far = told
        self._ended = False
        self._cancel_reason: str | None = None
        self._invocation: asyncio.Task[bytes] | None = None
        self._waiting: deque[tuple[int, int]] = deque()
        self._waiting_bytes = 0
        self._room = asyncio.Event()

    # ------------------------------------------------------------------------------------------------ the story

    async def run(self, remote_id: str) -> None:
        """Tell the job's story to its end. Without a `remote_id` the game server knows no jobs: its Invoke is the job."""
        self._remote_id = remote_id
        try:
            await (self._follow() if remote_id else self._invoke())
        except JobLost as error:
            self._end("lost", f"lost: {error}; check what the job did before repeating it")
        except CroupierError as error:
            self._end(error.reason, error.message)
        except Exception:
            log.exception("job %s could not be followed", self.job_id)
            self._end("lost", "lost: following the job failed inside the agent; its log has the details")

    async def _invoke(self) -> None:
        await self._event("progress")
        self._invocation = asyncio.ensure_future(self._channel.invoke(self._frame, self._metadata, None))
        try:
            payload = await self._invocation
        except asyncio.CancelledError as error:
            if self._cancel_reason is None:
                raise
            raise Canceled(f"canceled: {self._cancel_reason}; the function may have taken effect") from error
        await self._event("done", progress=100, payload=payload)

    async def _follow(self) -> None:
        failures = 0
        while True:
            place = 0
            told = self._told_so_far.place
            why = "its stream ended before the job did"
            try:
                async with aclosing(self._channel.stream_job(self._remote_id, told)) as events:
                    async for event in events:
                        place = event.seq or self._place_after(place, event)
                        if place <= told:
                            continue
                        told, failures = place, 0
                        self._told_so_far = Told(place, self._told_so_far.first or _mark(event))
                        await self._told(event)
                        if self._ended:
                            return
            except (Unavailable, OutcomeUnknown) as error:
                why = error.message
            except CroupierError as error:
                raise JobLost(f"the game server does not tell the job's story: {error.message}") from error
            failures += 1
            if failures > STREAM_TRIES:
                raise JobLost(f"the game server is gone: {why}")
            await asyncio.sleep(self._pause)

    def _place_after(self, place: int, event: ForeignEvent) -> int:
        """A game server that does not number tells from the beginning again, or from now on: its first event says which."""
        told = self._told_so_far
        if place == 0 and told.place and _mark(event) != told.first:
            return told.place + 1
        return place + 1

    async def _told(self, event: ForeignEvent) -> None:
        reason = ""
        if event.type == "error":
            reason = "handler_failed" if self._cancel_reason is None else "canceled"
        await self._event(
            event.type,
            message=event.message,
            progress=max(0, min(100, event.progress)),
            payload=event.payload,
            reason=reason,
        )

    async def _event(
        self, kind: str, *, message: str = "", progress: int = 0, payload: bytes = b"", reason: str = ""
    ) -> None:
        while len(self._waiting) >= WINDOW or self._waiting_bytes >= WAITING_BYTES:
            self._room.clear()
            await self._room.wait()
        if self._room_above is not None:
            await self._room_above()
        self._now(kind, message=message, progress=progress, payload=payload, reason=reason)

    def _now(self, kind: str, *, message: str = "", progress: int = 0, payload: bytes = b"", reason: str = "") -> None:
        if self._ended:
            return
        self._ended = kind in {"done", "error"}
        self._seq += 1
        self._waiting.append((self._seq, len(payload) + len(message)))
        self._waiting_bytes += len(payload) + len(message)
        self._tell(
            JobEvent(
                job_id=self.job_id,
                seq=self._seq,
                type=kind,
                message=message,
                progress=progress,
                payload=payload,
                reason=reason,
                time_ms=time.time_ns() // 1_000_000,
            ),
            self._told_so_far,
        )

    def _end(self, reason: str, message: str) -> None:
        self._now("error", message=message, reason=reason)

    def acknowledge(self, seq: int) -> None:
        while self._waiting and self._waiting[0][0] <= seq:
            self._waiting_bytes -= self._waiting.popleft()[1]
        self._room.set()

    # ------------------------------------------------------------------------------------------------ stopping it

    async def cancel(self, reason: str) -> None:
        """Ask the game server to stop it; what really became of it is told by the job's last event."""
        if self._ended:
            return
        self._cancel_reason = reason or "asked to"
        if self._invocation is not None:
            self._invocation.cancel()
        elif self._remote_id:
            await self._stop_remote()

    async def _stop_remote(self) -> None:
        if not self._remote_id:
            return
        try:
            await self._channel.cancel_job(self._remote_id, CANCEL_TIMEOUT)
        except CroupierError as error:
            self._cancel_reason = None
            self._now("log", message=f"the game server did not take the request to cancel: {error.message}")

    async def drop(self) -> None:
        """Nobody wants it: tell no more of it, and stop it if that can be."""
        self._ended = True
        if self._remote_id:
            await self._stop_remote()

    def give_up(self, why: str) -> None:
        """The agent stops. A job that its game server has a name for is followed again by the next process."""
        if not self._remote_id:
            self._end("lost", f"lost: {why}; check what the job did before repeating it")


def _mark(event: ForeignEvent) -> bytes:
    text = f"{event.type}\0{event.message}\0{event.progress}\0".encode()
    return hashlib.blake2b(text + event.payload, digest_size=16).digest()
