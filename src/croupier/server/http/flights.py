"""Requests on their way: how many, and which of them nobody waits for any more.

A caller that hangs up must free every hop, but a task per request that waits for the hang-up costs more than reading the
request itself. Our own web server tells of it by the Shortcut; under any other a sweep looks every 50 ms, and only a request
that has taken that long gets a watcher of its own.
"""

import asyncio
from types import TracebackType
from typing import Self

from croupier.asgi import Shortcut
from croupier.codes import Code
from croupier.errors import InvalidArgument, RateLimited
from croupier.server.http.bodies import Body, CallerLeft
from croupier.server.http.exchange import Exchange

WATCH_AFTER = 0.05
"""Seconds a request may take before anyone looks whether its caller is still there."""

BODY_SECONDS = 30.0
"""How long a caller may take to send its body."""


class Flights:
    """All requests on their way. `limit` is how many there may be."""

    def __init__(
        self, *, limit: int = 20_000, watch_after: float = WATCH_AFTER, body_seconds: float = BODY_SECONDS
    ) -> None:
        self.limit = limit
        self._watch_after = watch_after
        self._body_seconds = body_seconds
        self._unwatched: dict[Flight, None] = {}
        self._count = 0
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def enter(self) -> None:
        if self._count >= self.limit:
            raise RateLimited(
                f"rate limited: {self.limit} calls are on their way through this server; send it again",
                code=Code.SERVER_FULL,
            )
        self._count += 1

    def look_after(self, flight: "Flight", loop: asyncio.AbstractEventLoop) -> None:
        self._unwatched[flight] = None
        if self._sweep is None:
            self._sweep = loop.call_later(self._watch_after, self._look, loop)

    def leave(self, flight: "Flight") -> None:
        self._count -= 1
        if self._unwatched:
            self._unwatched.pop(flight, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        due = []
        for flight in self._unwatched:  # oldest first
            if now - flight.started < self._watch_after:
                break
            due.append(flight)
        for flight in due:
            if not flight.reading:
                del self._unwatched[flight]
                flight.watch(loop)
            elif now - flight.started > self._body_seconds:
                flight.give_up_reading()
        self._sweep = loop.call_later(self._watch_after, self._look, loop) if self._unwatched else None


class Flight:
    """`with Flight(flights, exchange):` runs a request in the current task.

    While it reads its body it notices a hang-up by itself; once it has taken off it is cancelled when the caller hangs up.
    Raises RateLimited when too many are on their way, CallerLeft when the caller hung up, InvalidArgument when the body
    did not arrive in time.
    """

    __slots__ = ("_exchange", "_flights", "_gone", "_shortcut", "_slow", "_task", "_watcher", "reading", "started")

    def __init__(self, flights: Flights, exchange: Exchange) -> None:
        self._flights = flights
        self._exchange = exchange
        self._shortcut: Shortcut | None = None
        self._gone = False
        self._slow = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request runs in a task")
        self._task = task
        self._flights.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flights.leave(self)
        if self._shortcut is not None:
            self._shortcut.on_hang_up(None)
        elif self._watcher is not None:
            self._watcher.cancel()
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            if self._gone:
                self._task.uncancel()
                raise CallerLeft from None
            if self._slow:
                self._task.uncancel()
                raise InvalidArgument("the request body did not arrive in time: send it without a pause") from None

    async def read(self, body: Body, limit: int) -> bytes:
        """The request's body. Raises as `Body.read` does."""
        self.reading = True
        loop = asyncio.get_running_loop()
        self.started = loop.time()
        self._flights.look_after(self, loop)
        return await body.read(self._exchange, limit)

    def take_off(self) -> None:
        """The body is here."""
        self.reading = False
        self._shortcut = self._exchange.shortcut
        if self._shortcut is not None:
            self._shortcut.on_hang_up(self._abandon)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel the request when its caller hangs up."""
        if self._shortcut is None:
            self._watcher = loop.create_task(self._until_gone())

    def give_up_reading(self) -> None:
        if not self._slow:
            self._slow = True
            self._task.cancel()

    async def _until_gone(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
        self._abandon()

    def _abandon(self) -> None:
        self._gone = True
        self._task.cancel()
