"""HTTP for operators: /healthz (the process runs), /readyz (it can do its work), /metrics."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

JSON = "application/json"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of Prometheus' text."""
ALLOWED = ("GET", "HEAD")


class Health:
    """An ASGI application."""

    def __init__(self, *, problems: Callable[[], list[str]], metrics: Callable[[], bytes]) -> None:
        """`problems` says why the agent cannot do its work now; nothing means it is ready."""
        self._problems = problems
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 — no answer here needs a body
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
