"""One HTTP request and the way to answer it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from croupier.asgi import SHORTCUT, Shortcut
from croupier.domain.call import Outcome
from croupier.domain.principal import Principal
from croupier.domain.trace import trace_of
from croupier.errors import AwaitingApproval, CroupierError, PayloadTooLarge
from croupier.server.http import problems
from croupier.server.http.documents import to_json
from croupier.server.http.problems import Headers
from croupier.telemetry import Span

JSON = b"application/json"
BYTES = b"application/octet-stream"
REPLAYED = (b"x-replayed", b"true")
"""The header of an answer that an earlier call with the same idempotency key was given."""

_NOBODY = Principal(name="", kind="nobody")

_DISCARDED_BYTES = 64_000_000
"""A refused body up to this size is read to its end, so that its sender gets to see the refusal."""


class Answer(NamedTuple):
    status: int
    content_type: bytes
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()


class Exchange:
    """What is known of a request: `caller` once it is authenticated, `call_id` once there is a call.

    `traceparent` is what the next hop goes on from; `span` is there where spans are collected.
    """

    __slots__ = (
        "call_id",
        "caller",
        "headers",
        "method",
        "path",
        "receive",
        "refused",
        "scope",
        "send",
        "shortcut",
        "span",
        "trace",
        "trace_id",
        "traceparent",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.trace = trace_of(self.headers.get(b"traceparent"))
        self.trace_id, self.traceparent, _ = self.trace
        self.span: Span | None = None
        self.caller = _NOBODY
        self.call_id = ""
        self.refused: CroupierError | None = None
        """Why the answer is a 403."""
        extensions = scope.get("extensions")
        self.shortcut: Shortcut | None = extensions.get(SHORTCUT) if extensions else None
        """What our own web server offers beside ASGI."""

    def framed_headers(self) -> Headers:
        """What every answer of the framework carries. (Nobody caches the answer to a POST, and headers cost.)"""
        return [
            (b"x-trace-id", self.trace_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]

    async def answer(self, answer: Answer, *more: tuple[bytes, bytes]) -> None:
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-trace-id", self.trace_id.encode()),
        ]
        if self.call_id:
            headers.append((b"x-call-id", self.call_id.encode()))
        headers += answer.headers
        headers += more
        if self.shortcut is not None:
            await self.shortcut.answer(answer.status, headers, answer.body)
            return
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": answer.body})

    async def answer_unchanged(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """304: who asks has it already; no header tells of a body that is not sent (RFC 9110, section 15.4.5)."""
        told = [(b"x-trace-id", self.trace_id.encode()), *headers]
        if self.shortcut is not None:
            await self.shortcut.answer(304, told, b"")
            return
        await self.send({"type": "http.response.start", "status": 304, "headers": told})
        await self.send({"type": "http.response.body", "body": b""})

    def refusal(
        self,
        error: CroupierError,
        *,
        status: int | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Answer:
        """The problem document of `error`; `status` only where it is not that of the error's reason."""
        if isinstance(error, AwaitingApproval):
            return self._accepted(error)
        status = problems.STATUS[error.reason] if status is None else status
        if status == HTTPStatus.FORBIDDEN:
            self.refused = error
        self.call_id = error.call_id or self.call_id
        found = problems.document(error, status=status, trace_id=self.trace_id, call_id=self.call_id, errors=errors)
        told = [*problems.headers(error, status), *served_by(error), *headers]
        if error.replayed:
            told.append(REPLAYED)
        if isinstance(error, PayloadTooLarge) and not self._ends_soon():
            told.append((b"connection", b"close"))
        return Answer(status, problems.PROBLEM_TYPE, to_json(found), told)

    def _accepted(self, error: AwaitingApproval) -> Answer:
        """Nothing failed: the call waits, under the id that it keeps."""
        self.call_id = error.details["call_id"]
        found = {**error.details, "message": error.message}
        location = header_value(f"/api/approvals/{error.details['approval_id']}")
        return Answer(202, JSON, to_json(found), [(b"location", location)])

    def _ends_soon(self) -> bool:
        declared = self.headers.get(b"content-length", b"")
        return declared.isdigit() and len(declared) < 12 and int(declared) <= _DISCARDED_BYTES


def served_by(outcome: Outcome) -> Headers:
    """Who was given the call, where that is known."""
    headers = []
    if outcome.service_id:
        headers.append((b"x-service-id", header_value(outcome.service_id)))
    if outcome.agent_id:
        headers.append((b"x-agent-id", header_value(outcome.agent_id)))
    return headers


@lru_cache(maxsize=4096)
def header_value(text: str) -> bytes:
    """`text` as a header's value: percent-encoded where it is not printable ASCII, since peers choose their names."""
    if text.isascii() and text.isprintable():
        return text.encode()
    return quote(text, safe=" !#$&'()*+,/:;=?@[]~", errors="replace").encode()
