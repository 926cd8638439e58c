"""A port with an ASGI application behind it, inside a process that does other things too."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from croupier.asgi.connection import Connection
from croupier.domain.addresses import join, split


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers: signals belong to the process, not to one of its parts."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    def __init__(self, app: Any, *, grace: float = 5.0, keep_alive: int = 75) -> None:
        """`grace` is how many seconds requests in flight get when the server stops, `keep_alive` how many a connection may
        rest: longer than callers keep it for the next request, since one that is closed just then fails that request.
        """
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
        self._server.should_exit = True

    async def stop(self) -> None:
        """Take no new connections, finish what is in flight within the grace."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
            self._task = None
