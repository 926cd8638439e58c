"""Failures as HTTP says them: RFC 9457 problem documents, and the one table of statuses."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from croupier.errors import CroupierError, InternalError, RateLimited, Unauthenticated
from croupier.server.catalog.checking import Unfit

_log = logging.getLogger(__name__)

PROBLEM_TYPE = b"application/problem+json"

STATUS: Mapping[str, int] = {
    "invalid_argument": 400,
    "payload_too_large": 413,
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "failed_precondition": 409,
    "awaiting_approval": 202,
    "rate_limited": 429,
    "unavailable": 503,
    "deadline_exceeded": 504,
    "canceled": 499,
    "outcome_unknown": 502,
    "function_rejected": 422,
    "handler_failed": 502,
    "unimplemented": 501,
    "internal": 500,
}

_TITLE: Mapping[str, str] = {
    "invalid_argument": "The request is wrong",
    "payload_too_large": "The payload is too large",
    "unauthenticated": "No valid token",
    "permission_denied": "Not allowed",
    "not_found": "Not found",
    "method_not_allowed": "This address does not take this method",
    "conflict": "It clashes with what there is",
    "failed_precondition": "Not possible now",
    "awaiting_approval": "Somebody else has to approve it",
    "rate_limited": "Too many requests",
    "unavailable": "Nothing ran; it is safe to send again",
    "deadline_exceeded": "Time ran out; the game server may have acted",
    "canceled": "Canceled",
    "outcome_unknown": "The game server may have acted",
    "function_rejected": "The function said no",
    "handler_failed": "The function broke",
    "unimplemented": "This server cannot do it",
    "internal": "A fault of the server",
}

Headers = list[tuple[bytes, bytes]]


class MethodNotAllowed(CroupierError):
    """HTTP's own; nothing behind the border raises it."""

    reason = "method_not_allowed"

    def __init__(self, message: str, *, allow: str | None = None) -> None:
        """`allow` are the methods that are possible, unless the framework tells them."""
        super().__init__(message)
        self.allow = allow


def known(error: Exception, call_id: str, trace_id: str) -> CroupierError:
    """`error` as one of ours. A foreign one, or a fault of ours, is logged with the call's id and told without its text; one
    that is told once more was logged already, and recorded with a text for everybody.
    """
    if isinstance(error, CroupierError) and (error.replayed or not isinstance(error, InternalError)):
        return error
    extra = {"call_id": call_id, "trace_id": trace_id}
    _log.error("call %s failed by a fault of the server", call_id or "-", exc_info=error, extra=extra)
    where = f" under call {call_id}" if call_id else ""
    return InternalError(f"the server failed; its log says why{where}")


def document(
    error: CroupierError,
    *,
    status: int,
    trace_id: str,
    call_id: str = "",
    errors: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The problem document of `error`."""
    found: dict[str, Any] = {
        "type": f"urn:croupier:error:{error.reason}",
        "title": _TITLE[error.reason],
        "status": status,
        "detail": error.message,
        "reason": error.reason,
        "trace_id": trace_id,
    }
    if call_id:
        found["call_id"] = call_id
    if error.code is not None:
        found["code"] = error.code.value
    if error.details:
        found["details"] = dict(error.details)
    if isinstance(error, Unauthenticated) and error.details.get("second_factor") == "true":
        found["second_factor"] = True
    if isinstance(error, Unfit):
        found["faults"] = [fault.document() for fault in error.faults]
    if errors:
        found["errors"] = list(errors)
    return found


def headers(error: CroupierError, status: int) -> Headers:
    """What a client library reads before it looks at the document."""
    found: Headers = []
    if isinstance(error, Unauthenticated):
        found.append((b"www-authenticate", b'Bearer realm="croupier"'))
    if isinstance(error, MethodNotAllowed) and error.allow is not None:
        found.append((b"allow", error.allow.encode()))
    if status == 503 or isinstance(error, RateLimited):
        found.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after))))
    return found
