"""A port with an ASGI application behind it, inside a process that does other things too."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from croupier.asgi.connection import Connection, State
from croupier.asgi.tls import TlsFiles
from croupier.domain.addresses import join, split

log = logging.getLogger(__name__)

TURNS = 5
"""Of the loop, in which a connection that was accepted just before the door closed turns up."""


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers, since signals belong to the process and not to one of its parts, and without
    its naps: it looks ten times a second whether to end, and then ten times a second whether all has ended.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state: State = State()
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self.server_state.all_left()
        except TimeoutError:
            log.warning("%d HTTP requests did not end in time and are cut off", len(self.server_state.tasks))
            for task in self.server_state.tasks:
                task.cancel()


class HttpServer:
    def __init__(self, app: Any, *, grace: float = 5.0, keep_alive: int = 75, tls: TlsFiles | None = None) -> None:
        """`grace` is how many seconds requests in flight get when the server stops, `keep_alive` how many a connection may
        rest: longer than callers keep it for the next request, since one that is closed just then fails that request. With
        `tls` it speaks HTTPS only.
        """
        self.is_tls = tls is not None
        self._config = uvicorn.Config(
            app,
            http=Connection,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            loop="none",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=65_536,
            timeout_keep_alive=keep_alive,
            timeout_graceful_shutdown=max(1, int(grace)),
            backlog=4096,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls.context,
        )
        self._server = _Quiet(self._config)
        self._task: asyncio.Task[None] | None = None
        self.address = ""
        """host:port once started."""

    async def start(self, address: str) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        host, port = split(address)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
        except OSError as error:
            listening.close()
            raise OSError(error.errno, f"cannot listen on {address}: {error.strerror}") from error
        listening.setblocking(False)
        self.address = join(host, listening.getsockname()[1])
        self._task = asyncio.ensure_future(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise OSError(f"the HTTP server on {address} ended while it started")
            await asyncio.sleep(0.001)

    def close_door(self) -> None:
        """Take no new connections; `stop` finishes the rest."""
        self._server.leave()

    async def stop(self) -> None:
        """Take no new connections, finish what is in flight within the grace."""
        self._server.leave()
        if self._task is not None:
            await self._task
            self._task = None
