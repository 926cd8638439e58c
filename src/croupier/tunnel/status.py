"""Reasons as gRPC codes, looked up here and nowhere else, and errors as the frames' `Status`."""

from collections.abc import Mapping

import grpc

from croupier.errors import (
    BY_REASON,
    Canceled,
    Conflict,
    CroupierError,
    DeadlineExceeded,
    FailedPrecondition,
    FunctionRejected,
    HandlerFailed,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire

CODES: Mapping[str, grpc.StatusCode] = {
    "invalid_argument": grpc.StatusCode.INVALID_ARGUMENT,
    "payload_too_large": grpc.StatusCode.INVALID_ARGUMENT,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "permission_denied": grpc.StatusCode.PERMISSION_DENIED,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "conflict": grpc.StatusCode.ALREADY_EXISTS,
    "failed_precondition": grpc.StatusCode.FAILED_PRECONDITION,
    "awaiting_approval": grpc.StatusCode.FAILED_PRECONDITION,
    "rate_limited": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "deadline_exceeded": grpc.StatusCode.DEADLINE_EXCEEDED,
    "canceled": grpc.StatusCode.CANCELLED,
    "outcome_unknown": grpc.StatusCode.UNKNOWN,
    "function_rejected": grpc.StatusCode.ABORTED,
    "handler_failed": grpc.StatusCode.INTERNAL,
    "unimplemented": grpc.StatusCode.UNIMPLEMENTED,
    "internal": grpc.StatusCode.INTERNAL,
}

_BY_CODE: Mapping[int, type[CroupierError]] = {
    1: Canceled,
    2: HandlerFailed,
    3: InvalidArgument,
    4: DeadlineExceeded,
    5: NotFound,
    6: Conflict,
    7: PermissionDenied,
    8: RateLimited,
    9: FailedPrecondition,
    10: FunctionRejected,
    11: InvalidArgument,
    12: Unimplemented,
    13: HandlerFailed,
    14: Unavailable,
    15: OutcomeUnknown,
    16: Unauthenticated,
}

MESSAGE_LIMIT = 4096
"""Characters of a foreign error message that are kept; the rest is cut with a mark."""


def grpc_code(error: CroupierError) -> grpc.StatusCode:
    return CODES[error.reason]


def bounded(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else message[:MESSAGE_LIMIT] + " … (cut)"


def error_from(code: int, message: str, reason: str = "", details: Mapping[str, str] | None = None) -> CroupierError:
    """A foreign failure as one of ours: by its reason when we know it, else by its gRPC code. A code that gRPC does not have
    is still the peer's failure, not a fault of this program.
    """
    kind = BY_REASON.get(reason) or _BY_CODE.get(code)
    if kind is None:
        kind, message = HandlerFailed, message or f"it failed with the status code {code} and no message"
    return kind(bounded(message), details)


_FINDINGS = frozenset(
    code.value[0]
    for code in (
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNAUTHENTICATED,
    )
)
"""Said by whoever runs functions they are about the game, and something may have been done by then. Our errors of these codes
are about the call itself, and say that it did not run.
"""


def answer_from(code: int, message: str, reason: str = "", details: Mapping[str, str] | None = None) -> CroupierError:
    """As `error_from`, of a peer that runs functions: what it found in the game is its refusal, unless it gives the reason
    or says it in the contract's words. Nobody there judges the caller's token: that gets no further than the server.
    """
    if reason != Unauthenticated.reason and (reason in BY_REASON or code not in _FINDINGS):
        return error_from(code, message, reason, details)
    says_unknown = any(substring in message for substring, kind in _SUBSTRINGS if kind is NotFound)
    return (NotFound if says_unknown else FunctionRejected)(bounded(message), details)


def to_status(error: CroupierError) -> wire.Status:
    return wire.Status(
        code=CODES[error.reason].value[0], reason=error.reason, message=error.message, details=dict(error.details)
    )


def from_status(status: wire.Status, text: str = "") -> CroupierError:
    """`text` is what the frame says beside it, for a peer that says it only there."""
    return answer_from(status.code, status.message or text, status.reason, dict(status.details))


def from_text(error: str) -> CroupierError:
    """What a plain peer's `error` text means: the contract fixes some substrings, and nothing else is known."""
    for substring, kind in _SUBSTRINGS:
        if substring in error:
            return kind(bounded(error))
    return HandlerFailed(bounded(error))


_SUBSTRINGS: tuple[tuple[str, type[CroupierError]], ...] = (
    ("no local handler for", NotFound),
    ("target service not found", NotFound),
    ("unknown job", NotFound),
    # Text does not tell whether anything ran before it was written, so it never becomes Unavailable or RateLimited, which
    # promise that nothing did.
    ("no agent available", OutcomeUnknown),
    ("agent not connected", OutcomeUnknown),
    ("rate limited", FunctionRejected),
    ("tunnel invoke timeout", DeadlineExceeded),
)
