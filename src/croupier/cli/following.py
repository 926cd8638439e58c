"""A job's story from its first event to its end, over as many connections as it takes."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from croupier.cli.client import Client
from croupier.cli.exits import Problem, RequestFailed
from croupier.cli.sse import ServerSentEvent

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

_PASSING = frozenset({"unreachable", "unavailable", "rate_limited"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One event of a job, or, with seq 0, what its result says after the last event was seen already."""

    seq: int
    type: str
    """progress | log | done | error"""
    message: str = ""
    progress: int = 0
    reason: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    """The event as the server sent it; `payload` or `payload_base64` among it."""

    @property
    def last(self) -> bool:
        return self.type in {"done", "error"}


class Follower:
    """Follows one job. `notice` is told, in words, whenever the connection is lost and dialled again."""

    def __init__(
        self, client: Client, job_id: str, *, after: int, patience: float, notice: Callable[[str], None]
    ) -> None:
        self._client = client
        self._id = job_id
        self._after = after
        self._patience = patience
        self._notice = notice
        self._opened = False
        self._lost_at: float | None = None
        self._pause = FIRST_PAUSE

    async def happenings(self) -> AsyncGenerator[Happening, None]:
        """Every event after number `after`, once each and in order, through the last.

        A lost connection is dialled again after 0.1 s, doubling to 5 s, for `patience` seconds in a row.
        Raises RequestFailed: at once where the first connection fails or where trying again cannot help.
        """
        while True:
            lost = Problem(reason="unreachable", detail="the server ended the stream")
            try:
                async with aclosing(self._one_connection()) as happenings:
                    async for happening in happenings:
                        self._pause = FIRST_PAUSE
                        yield happening
                        if happening.last:
                            return
            except RequestFailed as error:
                lost = error.problem
            await self._wait_after(lost)

    async def _one_connection(self) -> AsyncGenerator[Happening, None]:
        empty = True
        async with aclosing(self._events()) as events:
            async for event in events:
                empty = False
                happening = _happening(event)
                if happening.seq > self._after:
                    self._after = happening.seq
                    yield happening
        if empty:
            # The stream of an ended job whose last event was seen is empty: its result says how it ended.
            ended = await self._result()
            if ended:
                yield ended

    def _events(self) -> AsyncGenerator[ServerSentEvent, None]:
        return self._client.events("/api/stream_job", {"id": self._id}, self._after, opened=self._note_opened)

    async def _result(self) -> Happening | None:
        return _ended(await self._client.ask("/api/job_result", {"id": self._id}))

    def _note_opened(self) -> None:
        self._opened = True
        self._lost_at = None

    async def _wait_after(self, lost: Problem) -> None:
        now = asyncio.get_running_loop().time()
        self._lost_at = self._lost_at or now
        if not self._opened or lost.reason not in _PASSING or now - self._lost_at > self._patience:
            raise RequestFailed(lost)
        wait = self._pause * random.uniform(0.8, 1.2)  # noqa: S311 — spreads reconnects, guards nothing
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._notice(f"{lost.detail}; following again in {wait:.1f} s")
        await asyncio.sleep(wait)


def _happening(event: ServerSentEvent) -> Happening:
    try:
        data = json.loads(event.data)
        return Happening(
            seq=int(event.id),
            type=event.type,
            message=str(data.get("message") or ""),
            progress=int(data.get("progress") or 0),
            reason=str(data.get("reason") or ""),
            data=data,
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        detail = "the stream holds an event that is none: is this address a Croupier server?"
        raise RequestFailed(Problem(reason="internal", detail=detail)) from error


def _ended(result: Any) -> Happening | None:
    if not isinstance(result, dict) or result.get("state") in {"pending", "running"}:
        return None
    if result.get("state") == "succeeded":
        return Happening(seq=0, type="done", progress=100, data=result)
    reason = str(result.get("reason") or result.get("state") or "")
    return Happening(seq=0, type="error", message=str(result.get("error") or ""), reason=reason, data=result)


class BulkFollower(Follower):
    """Follows a bulk run: every event is the whole picture, so none that was missed is needed."""

    def _events(self) -> AsyncGenerator[ServerSentEvent, None]:
        return self._client.events(
            f"/api/bulk/{quote(self._id, safe='')}/stream", {}, self._after, opened=self._note_opened
        )

    async def _result(self) -> Happening | None:
        found = await self._client.ask(f"/api/bulk/{quote(self._id, safe='')}", {})
        kind = {"done": "done", "canceled": "error"}.get(str(found.get("state")))
        return Happening(seq=0, type=kind, progress=100, reason="canceled", data={"payload": found}) if kind else None
