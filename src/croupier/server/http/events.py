"""The one live stream of a browser, as server-sent events: what is told in it is `server/live/`."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.types import Receive, Scope, Send

from croupier.domain.principal import Principal
from croupier.server.access.streams import LiveStreams
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking
from croupier.server.http.filters import NamedScope
from croupier.server.http.late import LateRoute
from croupier.server.http.metrics import HttpMetrics
from croupier.server.http.openapi import reference
from croupier.server.http.ports import Live
from croupier.server.http.requests import header_text
from croupier.server.http.stream import RETRY, UNBUFFERED, hang_up
from croupier.server.live import MOST_TOPICS, Reader, read_topics
from croupier.server.live.frames import event

RESTARTING = "restarting"
SIGNED_OUT = "signed_out"
CHANGED = "changed"

LAST_WORD = 0.5
"""Seconds that a reader gets to take the last message; one that takes nothing is cut off."""

_TOPICS_CHARACTERS = MOST_TOPICS * 112
_TOLD: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": reference("LiveMessage")}},
        "description": "Messages as things happen, without end.",
    }
}

Topics = Annotated[str, Query(max_length=_TOPICS_CHARACTERS, description="Topics, with commas between them.")]
LastEventId = Annotated[str, Query(description="As `Last-Event-ID`, which counts more where both are sent.")]


def event_routes(live: Live, *, streams: LiveStreams, stopping: asyncio.Event, metrics: HttpMetrics) -> APIRouter:
    """Every stream ends when `stopping` is set."""
    routes = APIRouter(tags=["events"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/events", response_class=Response, responses=_TOLD)
    async def events(asking: Asking, scope: NamedScope, topics: Topics, last_event_id: LastEventId = "") -> Response:
        """Follow many things at once as server-sent events: jobs, calls, bulk runs, approvals, the registry, health."""
        seen = header_text(asking.headers, b"last-event-id") or last_event_id
        reading = live.reading(asking.caller, scope, read_topics(topics), seen)
        return EventStream(reading, caller=asking.caller, streams=streams, stopping=stopping, metrics=metrics)

    return routes


class EventStream(Response):
    """Sends what the reader reads, when the browser takes it; ends with the browser, its rights, or the server."""

    media_type = "text/event-stream"

    def __init__(
        self,
        reading: AbstractAsyncContextManager[Reader],
        *,
        caller: Principal,
        streams: LiveStreams,
        stopping: asyncio.Event,
        metrics: HttpMetrics,
    ) -> None:
        super().__init__()
        self._reading = reading
        self._caller = caller
        self._streams = streams
        self._stopping = stopping
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 — ASGI's signature
        with self._streams.hold(self._caller) as revoked:
            async with self._reading as reader:
                content_type = (b"content-type", b"text/event-stream; charset=utf-8")
                await send({"type": "http.response.start", "status": 200, "headers": [content_type, UNBUFFERED]})
                await self._run(self._tell(reader, send), hang_up(receive), revoked.wait(), self._stopping.wait())
        if revoked.is_set() or self._stopping.is_set():
            await self._say_last(send, revoked)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, *steps: Coroutine[Any, Any, Any]) -> None:
        """Until one of them ends; the first one's fault is raised."""
        tasks = [asyncio.create_task(step) for step in steps]
        self._metrics.watching += 1
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._metrics.watching -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks[0].cancelled():
            tasks[0].result()  # a fault of ours cuts the connection and is logged by the web server

    async def _tell(self, reader: Reader, send: Send) -> None:
        await _write(send, RETRY)
        async with aclosing(reader.portions()) as portions:
            async for portion in portions:
                await _write(send, portion)

    async def _say_last(self, send: Send, revoked: asyncio.Event) -> None:
        reason = RESTARTING
        if revoked.is_set():
            reason = CHANGED if self._streams.is_in_force(self._caller) else SIGNED_OUT
        try:
            async with asyncio.timeout(LAST_WORD):
                await _write(send, event("end", reason=reason))
        except TimeoutError:
            return


async def _write(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
