"""An ASGI application on a port, inside a process that does other things too."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from croupier.domain.addresses import join, split

GATHER_BYTES = 65_536


class _Gathering(asyncio.Transport):
    """A transport that sends what is written in one turn of the loop at once.

    uvicorn writes the head and the body of an answer one after the other, and uvloop gives each to the kernel at once:
    system calls are most of what a small answer costs.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(bytes(data))
        self._size += len(data)
        if self._size > GATHER_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._parts:
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts = []
            self._size = 0
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class it extends
        super().connection_made(_Gathering(transport, self.loop))


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers: signals belong to the process, not to one of its parts."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    def __init__(self, app: Any, *, grace: float = 5.0) -> None:
        """`grace` is how many seconds requests in flight get when the server stops."""
        self._config = uvicorn.Config(
            app,
            http=_Protocol,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            loop="none",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=65_536,
            # Longer than callers keep a connection for the next request: one that is closed just then fails that request.
            timeout_keep_alive=75,
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
