"""A job's story as server-sent events."""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from croupier.domain.job import JobEvent
from croupier.domain.principal import Principal
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.access.streams import LiveStreams
from croupier.server.http.documents import to_json
from croupier.server.http.metrics import HttpMetrics
from croupier.server.payload_json import payload_fields

KEPT_BYTES = 4_000_000
"""Made batches that are kept for the next follower."""

PING_SECONDS = 15.0
"""A comment after this long without an event, so that nobody on the way takes the connection for dead."""

_log = logging.getLogger(__name__)

UNBUFFERED = (b"x-accel-buffering", b"no")
_TYPES = {"progress": b"progress", "log": b"log", "done": b"done", "error": b"error"}
"""The contract's four: a type made elsewhere must not write lines into the stream."""
_SEQ = re.compile(r"\d{1,18}")
_PING = b": ping\n\n"
RETRY = b"retry: 1000\n\n"


def seen_number(last_event_id: str, after: int | None) -> int:
    """How far a reader came. One that reconnects keeps its address and says so in the header, so the header counts.

    Raises InvalidArgument.
    """
    if not last_event_id:
        return after or 0
    if not _SEQ.fullmatch(last_event_id):
        raise InvalidArgument("Last-Event-ID must be the number of an event of this stream")
    return int(last_event_id)


def frame(event: JobEvent) -> bytes:
    """One event as the contract writes it; its number is the id that a reader resumes after."""
    data: dict[str, object] = {"type": event.type, "message": event.message, "progress": event.progress}
    data |= payload_fields(event.payload)
    if event.reason:
        data["reason"] = event.reason
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, _TYPES.get(event.type, b"log"), to_json(data))


class Frames:
    """Batches of events as bytes. A crowd that follows one job is sent the same batches, and they are made once."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._size = 0

    def of(self, events: Sequence[JobEvent]) -> bytes:
        """`events` are some of one job's, without a gap."""
        key = (events[0].job_id, events[0].seq, events[-1].seq)
        made = self._made.get(key)
        if made is None:
            made = b"".join(map(frame, events))
            self._keep(key, made)
        return made

    def _keep(self, key: tuple[str, int, int], made: bytes) -> None:
        self._made[key] = made
        self._size += len(made)
        while self._size > KEPT_BYTES:
            self._size -= len(self._made.popitem(last=False)[1])


class UnkeptFrames(Frames):
    """For a story that each follower is told in events of its own."""

    def of(self, events: Sequence[JobEvent]) -> bytes:
        return b"".join(map(frame, events))


class JobStream(Response):
    """Sends batches as they come, waiting for a slow reader; ends with the story, the reader, or the server.

    When the story fails on the way, or its reader may no longer read it, the stream ends early: the reader comes back with
    `Last-Event-ID` and is told then.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        batches: AsyncIterator[list[JobEvent]],
        *,
        caller: Principal,
        streams: LiveStreams,
        stopping: asyncio.Event,
        frames: Frames,
        metrics: HttpMetrics,
    ) -> None:
        super().__init__()
        self._batches = batches
        self._caller = caller
        self._streams = streams
        self._stopping = stopping
        self._frames = frames
        self._metrics = metrics
        self._sending = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 — ASGI's signature
        content_type = (b"content-type", b"text/event-stream; charset=utf-8")
        await send({"type": "http.response.start", "status": 200, "headers": [content_type, UNBUFFERED]})
        with self._streams.hold(self._caller) as revoked:
            await self._run(self._tell(send), self._ping(send), self._stopping.wait(), hang_up(receive), revoked.wait())
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, *steps: Coroutine[Any, Any, Any]) -> None:
        """Until one of them ends; the first one's fault is raised."""
        tasks = [asyncio.create_task(step) for step in steps]
        self._metrics.following += 1
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._metrics.following -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks[0].cancelled():
            tasks[0].result()  # a fault of ours cuts the connection and is logged by the web server

    async def _tell(self, send: Send) -> None:
        try:
            await self._write(send, RETRY)
            async for events in self._batches:
                if events:
                    await self._write(send, self._frames.of(events))
        except CroupierError as error:
            _log.warning("a job's stream broke off: %s", error.message)
        finally:
            # Closed here and now: left to the garbage collector its subscription would outlive the reader.
            if isinstance(self._batches, AsyncGenerator):
                await self._batches.aclose()

    async def _ping(self, send: Send) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self._write(send, _PING)

    async def _write(self, send: Send, chunk: bytes) -> None:
        async with self._sending:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def hang_up(receive: Receive) -> None:
    """Until the reader is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
