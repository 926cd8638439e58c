"""What can go wrong, drawn:

    Rejected        raised by a handler: the function says no, on purpose
    JobCancelled    raised in a job handler by its context, once nobody wants the job any more
    Unavailable     raised by a handler: something it needs cannot be reached, and it did nothing
    OutcomeUnknown  raised by a handler: it asked another system to act, and cannot tell whether that happened
    KeyReused       raised by a KeyStore: the idempotency key was kept with another payload
    BadArgument     made by the SDK, or raised by a handler: the payload is not what the function takes
    Failure         a value: how a call ended that did not succeed, as it travels
    CallError       raised to a caller: what a Failure is at the other end

A reason is a stable word for programs; CODES gives the gRPC status code that goes with it (docs/reference/tunnel.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier_sdk.limits import ERROR_TEXT_BYTES, cut
from croupier_wire.tunnel.v1 import tunnel_pb2

CODES: Mapping[str, int] = {
    "canceled": 1,
    "outcome_unknown": 2,
    "invalid_argument": 3,
    "payload_too_large": 3,
    "deadline_exceeded": 4,
    "not_found": 5,
    "conflict": 6,
    "permission_denied": 7,
    "rate_limited": 8,
    "failed_precondition": 9,
    "function_rejected": 10,
    "unimplemented": 12,
    "handler_failed": 13,
    "internal": 13,
    "unavailable": 14,
    "unauthenticated": 16,
}

REASONS: Mapping[int, str] = {
    code: reason for reason, code in CODES.items() if reason not in {"payload_too_large", "handler_failed"}
}
"""What a code means where no reason came with it."""


class Rejected(Exception):
    """The function says no. The message is shown to the operator as it is; details are short facts beside it."""

    def __init__(self, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = {str(key): str(value) for key, value in (details or {}).items()}


class JobCancelled(Exception):
    """The job was cancelled, ran out of time, or nobody knows it any more. Let it pass; clean up in `finally`."""


class Unavailable(Exception):
    """Something that the function needs cannot be reached, and nothing was done: the same call may be made again, also with its key."""


class OutcomeUnknown(Exception):
    """The function asked another system to act and cannot tell whether that happened. The message says what to check."""


class KeyReused(Exception):
    """The idempotency key was used before, with another payload."""


class BadArgument(Exception):
    """The payload is not what the function takes; the message names the field and what it must be."""

    def __init__(self, message: str, reason: str = "invalid_argument") -> None:
        super().__init__(message)
        self.reason = reason


class CallError(Exception):
    """A call did not succeed: gRPC `code`, `reason` (one of CODES, or "" from a peer that gives none), `message`, and
    `trace_id`, under which logs and traces of the platform have it ("" where it never got there).
    """

    def __init__(
        self, code: int, reason: str, message: str, details: Mapping[str, str] | None = None, *, trace_id: str = ""
    ) -> None:
        super().__init__(f"{reason or f'code {code}'}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details: Mapping[str, str] = details or {}
        self.trace_id = trace_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """How a call ended that did not succeed."""

    reason: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        return CODES[self.reason]

    def to_status(self) -> tunnel_pb2.Status:
        return tunnel_pb2.Status(code=self.code, reason=self.reason, message=self.message, details=self.details)


def failure_of(error: BaseException) -> Failure:
    """What the caller is told of an exception that a handler raised: its type and text, never a traceback."""
    if isinstance(error, Rejected):
        return Failure(reason="function_rejected", message=cut(error.message, ERROR_TEXT_BYTES), details=error.details)
    if isinstance(error, BadArgument):
        return Failure(reason=error.reason, message=cut(str(error), ERROR_TEXT_BYTES))
    if isinstance(error, KeyReused):
        text = "this idempotency key was used with another payload: send the same payload, or a new key for a new call"
        return Failure(reason="conflict", message=cut(str(error), ERROR_TEXT_BYTES) or text)
    for kind, reason in _REASON_OF:
        if isinstance(error, kind):
            return Failure(reason=reason, message=cut(str(error), ERROR_TEXT_BYTES))
    text = cut(str(error), ERROR_TEXT_BYTES)
    return Failure(reason="handler_failed", message=f"{type(error).__name__}: {text}" if text else type(error).__name__)


_REASON_OF = ((JobCancelled, "canceled"), (Unavailable, "unavailable"), (OutcomeUnknown, "outcome_unknown"))
ON_PURPOSE = (Rejected, BadArgument, JobCancelled, Unavailable, OutcomeUnknown)
"""Exceptions by which a handler answers; any other one is a fault of the game's."""


def call_error_of(status: tunnel_pb2.Status, error: str) -> CallError | None:
    """The error in an answer's `status` and `error`, or None for success."""
    if not status.code and not error:
        return None
    code = status.code or CODES["internal"]
    return CallError(code, status.reason or REASONS.get(code, ""), status.message or error, dict(status.details))
