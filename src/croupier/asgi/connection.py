"""uvicorn's protocol without what a small request does not need; what it does need stays uvicorn's.

uvicorn alone was a fifth of what a call costs the server: an ASGI message for each piece of request and answer, every header
of an answer searched by two regular expressions, a timer set and cancelled, another turn of the loop for the write.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from croupier.asgi import SHORTCUT
from croupier.asgi.gathering import Gathering

REMEMBERED_URL_BYTES = 256

_CONTROLS = bytes([*range(9), *range(10, 32), 127])
_CLOSE = (b"connection", b"close")


class Cycle(RequestResponseCycle):
    """One request and its answer, by ASGI or by the Shortcut, which this is."""

    # What uvicorn sets for every request anew is what every request begins with: setting it once halves making a Cycle.
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0

    transport: Gathering
    _leave: Callable[[], None] | None = None

    def __init__(self, connection: "Connection", keep_alive: bool) -> None:
        self.scope = connection.scope
        self.transport = connection.gathering
        self.flow = connection.flow
        self.logger = connection.logger
        self.access_logger = connection.access_logger
        self.access_log = connection.access_log
        self.default_headers = connection.server_state.default_headers
        self.message_event = asyncio.Event()
        self.on_response = connection.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = connection.expect_100_continue
        self.body = bytearray()

    def content(self) -> bytes | None:
        if self.more_body or self.disconnected:
            return None
        content = bytes(self.body)
        self.body = bytearray()
        self.message_event.clear()
        self.flow.resume_reading()  # or a hang-up would not be noticed
        return content

    async def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_started:
            raise RuntimeError("this request is being answered already")
        if not self.keep_alive and _CLOSE not in headers:
            headers = [*headers, _CLOSE]
        elif _CLOSE in headers:
            self.keep_alive = False
        head = STATUS_LINE[status] + _lines([*self.default_headers, *headers])
        self.response_started = self.response_complete = True
        self.transport.write_now(head if self.scope["method"] == "HEAD" else head + body)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def on_hang_up(self, leave: Callable[[], None] | None) -> None:
        if leave is not None and self.disconnected:
            leave()
        else:
            self._leave = leave

    def hung_up(self) -> None:
        if self.response_complete:
            return
        self.disconnected = True
        self.message_event.set()
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class State(ServerState):
    """What the connections of a server share; it can be waited for that all of them have ended."""

    def __init__(self) -> None:
        super().__init__()
        self._left = asyncio.Event()

    def left(self) -> None:
        self._left.set()

    async def all_left(self) -> None:
        """Until there is no connection and no request; callers see to it that none is added."""
        while self.connections:
            self._left.clear()
            await self._left.wait()
        if self.tasks:
            await asyncio.wait(self.tasks)


class Connection(HttpToolsProtocol):
    """Serves the requests of one connection, one after the other."""

    server_state: State

    cycle: Cycle
    gathering: Gathering
    _running: Cycle | None = None
    _idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class it extends
        self.gathering = Gathering(transport, self.loop)
        super().connection_made(self.gathering)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.pipeline.clear()
        if self._running is not None:
            self._running.hung_up()
        self.server_state.left()

    # ------------------------------------------------------------------------------------------------ requests

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        path, raw_path, query = (_address if len(self.url) <= REMEMBERED_URL_BYTES else _address.__wrapped__)(self.url)
        self.scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "method": self.parser.get_method().decode("ascii"),
            "root_path": "",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        cycle = Cycle(self, version != "1.0" and self.parser.should_keep_alive())
        self.scope["extensions"] = {SHORTCUT: cycle}  # type: ignore[dict-item]  # ASGI leaves to servers what extensions hold
        self.cycle = cycle
        if self._running is None:
            self._start(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _start(self, cycle: Cycle) -> None:
        self._running = cycle
        self._start_asgi_task(cycle, self.app)

    def on_response_complete(self) -> None:
        answered, self._running = self._running, None
        if answered is not None:
            answered.scope["extensions"] = {}  # a request that refers to itself would wait for the garbage collector
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start(cast("Cycle", self.pipeline.pop()[0]))
        else:
            self._rest()

    # ------------------------------------------------------------------------------------------------ rest

    def _rest(self) -> None:
        """One timer for the connection, which looks when it is due, costs less than one set and cancelled per request."""
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Called by uvicorn whenever something arrives."""
        self._idle_since = None

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # it is at work, and rests again afterwards
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        elif not self.transport.is_closing():
            self.transport.close()


@lru_cache(maxsize=1024)
def _address(url: bytes) -> tuple[str, bytes, bytes]:
    """Path, path as it came, and query."""
    parsed = httptools.parse_url(url)
    raw_path = parsed.path
    path = raw_path.decode("ascii")
    return (unquote(path) if "%" in path else path), raw_path, parsed.query or b""


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Raises RuntimeError when one of them would be more than one line."""
    lines = b"\r\n".join([*map(b": ".join, headers), b"\r\n"])
    if len(lines) - len(lines.translate(None, _CONTROLS)) != 2 * len(headers) + 2:
        raise RuntimeError("an answer's header has a control character in it")
    return lines
