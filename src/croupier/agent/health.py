"""HTTP for operators: /healthz (the process runs), /readyz (it can do its work), /metrics."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import orjson
import uvicorn

from croupier.agent.metrics import CONTENT_TYPE

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

JSON = "application/json"
ALLOWED = ("GET", "HEAD")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process, which ends everything in order."""
        yield


class HealthServer:
    def __init__(self, *, problems: Callable[[], list[str]], metrics: Callable[[], bytes]) -> None:
        """`problems` says why the agent cannot do its work now; nothing means it is ready."""
        self._problems = problems
        self._metrics = metrics
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.address = ""
        """host:port once started."""

    async def start(self, address: str) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        listener = _listen(address)
        host = address.rpartition(":")[0]
        self.address = f"{host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            proxy_headers=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=100,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await self._serving

    async def _answer(self, scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = self._route(scope["method"], scope["path"])
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        if status == 405:
            headers.append((b"allow", ", ".join(ALLOWED).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _route(self, method: str, path: str) -> tuple[int, str, bytes]:
        if path not in {"/healthz", "/readyz", "/metrics"}:
            return 404, JSON, orjson.dumps({"error": "not found; there is /healthz, /readyz and /metrics"})
        if method not in ALLOWED:
            return 405, JSON, orjson.dumps({"error": "only GET and HEAD are answered here"})
        if path == "/metrics":
            return 200, CONTENT_TYPE, self._metrics()
        problems = self._problems() if path == "/readyz" else []
        if problems:
            return 503, JSON, orjson.dumps({"status": "not ready", "problems": problems})
        return 200, JSON, orjson.dumps({"status": "ok"})


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {address}: {error.strerror}") from error
    return listener
