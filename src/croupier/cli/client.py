"""The server's HTTP API, as the command line uses it."""

import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import aiohttp

from croupier.cli.exits import Problem, RequestFailed
from croupier.cli.sse import EventParser, MalformedStream, ServerSentEvent
from croupier.domain.limits import CALL_TIMEOUT_MAX, MESSAGE_BYTES
from croupier.errors import FailedPrecondition
from croupier.settings import ClientSettings

CONNECT_SECONDS = 5.0
NO_CONTENT = 204
SILENCE_SECONDS = 45.0
"""A stream says something every 15 s; after three times that the connection is taken for dead."""

GRACE_SECONDS = 10.0
"""How long after a call's own deadline the server may take to say so."""

UPLOAD_SECONDS = 900.0

EVENT_BYTES = 4 * MESSAGE_BYTES
"""One event of a stream: a payload of the largest size, grown by base64 and escapes."""

_REASON_BY_STATUS = {
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    413: "payload_too_large",
    429: "rate_limited",
    503: "unavailable",
    504: "deadline_exceeded",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    payload: bytes
    headers: Mapping[str, str]


class Client:
    """One connection to one server. Every method raises RequestFailed."""

    def __init__(self, settings: ClientSettings) -> None:
        self._url = settings.url
        self._headers = {"X-Game-ID": settings.game_id, "X-Env": settings.env}
        self._token = settings.token
        self._ca = settings.ca
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {name: value for name, value in self._headers.items() if value}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        connector = aiohttp.TCPConnector(ssl=_trusting(self._ca)) if self._ca else None
        self._session = aiohttp.ClientSession(headers=headers, connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def call(self, path: str, body: bytes, *, timeout: float | None) -> Answer:
        """POST that makes something happen: losing the connection after sending leaves the outcome unknown."""
        total = (CALL_TIMEOUT_MAX if timeout is None else timeout) + GRACE_SECONDS
        async with self._request("POST", path, data=body, total=total, lost="outcome_unknown") as response:
            return Answer(payload=await _read(response), headers=response.headers)

    async def ask(self, path: str, query: Mapping[str, str | list[str]]) -> Any:
        """GET a JSON document."""
        async with self._request("GET", path, params=query, total=30.0, lost="unreachable") as response:
            return _json(await _read(response))

    async def read(self, path: str) -> Answer:
        """GET what a game server answers, which changes nothing there."""
        async with self._request("GET", path, total=CALL_TIMEOUT_MAX, lost="unreachable") as response:
            return Answer(payload=await _read(response), headers=response.headers)

    async def post(self, path: str, document: Mapping[str, Any]) -> Any:
        """POST that may be repeated safely, and its JSON answer."""
        body = json.dumps(document).encode()
        async with self._request("POST", path, data=body, total=30.0, lost="unreachable") as response:
            return _json(await _read(response))

    async def put(self, path: str, document: Mapping[str, Any]) -> Any:
        """PUT, and its JSON answer."""
        body = json.dumps(document).encode()
        async with self._request("PUT", path, data=body, total=30.0, lost="unreachable") as response:
            return _json(await _read(response))

    async def patch(self, path: str, document: Mapping[str, Any]) -> Any:
        """PATCH that may be repeated safely, and its JSON answer."""
        body = json.dumps(document).encode()
        async with self._request("PATCH", path, data=body, total=30.0, lost="unreachable") as response:
            return _json(await _read(response))

    async def delete(self, path: str) -> Any:
        """DELETE that may be repeated safely, and its JSON answer; nothing where there is none."""
        async with self._request("DELETE", path, total=30.0, lost="unreachable") as response:
            body = await _read(response)
            return _json(body) if body or response.status != NO_CONTENT else {}

    async def download(self, path: str, query: Mapping[str, str | list[str]], file: BinaryIO) -> None:
        """GET a file of any size and write it to `file` as it comes."""
        async with self._request("GET", path, params=query, total=UPLOAD_SECONDS, lost="unreachable") as response:
            async for piece in response.content.iter_any():
                file.write(piece)

    async def upload(
        self,
        path: str,
        query: Mapping[str, str | list[str]],
        file: BinaryIO,
        content_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """POST a file as it is read, and its JSON answer. What was lost on the way is not kept by the server."""
        async with self._request(
            "POST",
            path,
            params=query,
            data=file,
            headers={"Content-Type": content_type, **(headers or {})},
            total=UPLOAD_SECONDS,
            lost="unreachable",
        ) as response:
            return _json(await _read(response))

    async def events(
        self, path: str, query: Mapping[str, str], after: int, *, opened: Callable[[], None]
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """The events of a stream after number `after`, until the server ends it; `opened` is told when it begins."""
        headers = {"Last-Event-ID": str(after), "Accept": "text/event-stream"}
        parser = EventParser(EVENT_BYTES)
        async with self._request(
            "GET",
            path,
            params=query,
            headers=headers,
            silence=SILENCE_SECONDS,
            lost="unreachable",
        ) as response:
            opened()
            async for chunk in response.content.iter_any():
                for event in parser.feed(chunk):
                    yield event

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        lost: str,
        total: float | None = None,
        silence: float | None = None,
        **options: Any,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("the client is used outside `async with`")
        limits = aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS, sock_read=silence)
        if "data" in options:
            options.setdefault("headers", {"Content-Type": "application/json"})
        try:
            async with self._session.request(
                method, self._url + path, timeout=limits, allow_redirects=False, **options
            ) as response:
                if response.status >= 300:
                    raise RequestFailed(_problem(response.status, await _read(response)))
                if response.status == 202 and response.headers.get("Location", "").startswith("/api/approvals/"):
                    raise RequestFailed(_waiting(_json(await _read(response))))
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _failed("unreachable", f"no server answers at {self._url} ({_cause(error)})") from error
        except TimeoutError as error:
            reason = "deadline_exceeded" if total else lost
            raise _failed(reason, f"the server at {self._url} sent nothing in time") from error
        except (aiohttp.ClientError, MalformedStream) as error:
            raise _failed(lost, f"the connection to {self._url} was lost ({_cause(error)})") from error


def _trusting(ca: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca)
    except (OSError, ssl.SSLError) as error:
        raise FailedPrecondition(f"{ca} is no file of certificates to trust") from error
    return context


def _failed(reason: str, detail: str) -> RequestFailed:
    return RequestFailed(Problem(reason=reason, detail=detail))


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number) if number and number > 0 else str(error.os_error)
    if isinstance(error, aiohttp.ClientPayloadError):
        return "it ended too early"
    return str(error) or type(error).__name__


async def _read(response: aiohttp.ClientResponse) -> bytes:
    # The header may be absent, and compression hides the size: what arrives is counted.
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > EVENT_BYTES:
            raise _failed("payload_too_large", f"the answer is larger than {EVENT_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _failed("internal", "the answer is not JSON: is this address a Croupier server?") from error


def _waiting(document: Any) -> Problem:
    """What a call that somebody else has to approve is answered with: no problem document, since nothing failed."""
    found = document if isinstance(document, dict) else {}
    detail = str(found.get("message") or "somebody else has to approve it")
    return Problem(reason="awaiting_approval", detail=detail, document={**found, "reason": "awaiting_approval"})


def _problem(status: int, body: bytes) -> Problem:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and isinstance(document.get("reason"), str):
        detail = document.get("detail") or document.get("title") or f"HTTP status {status}"
        return Problem(reason=document["reason"], detail=str(detail), document=document)
    reason = _REASON_BY_STATUS.get(status, "internal")
    return Problem(reason=reason, detail=f"HTTP status {status} without a reason: is this address a Croupier server?")
