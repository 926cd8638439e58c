"""Every error Croupier raises on purpose, drawn:

    CroupierError
    ├── InvalidArgument         the request is wrong; sending it again will not help
    │   └── PayloadTooLarge     more than the limit of bytes
    ├── Unauthenticated         no token, or one nobody issued
    ├── PermissionDenied        known, but not allowed
    ├── NotFound                no such function, job, call, target
    ├── Conflict                the same idempotency key with another payload
    ├── FailedPrecondition      right request, wrong moment
    │   └── AwaitingApproval    recorded; it runs when somebody else has approved it
    ├── RateLimited             too many; wait
    ├── Unavailable             nothing ran; safe to send again
    ├── DeadlineExceeded        time ran out; the game server may have acted
    ├── Canceled                the caller or an operator stopped it
    ├── OutcomeUnknown          the connection was lost after sending; the game server may have acted
    ├── FunctionRejected        the function said no, on purpose, with its own message
    ├── HandlerFailed           the function broke
    ├── Unimplemented           this build cannot do it
    └── InternalError           a fault of ours

Inside the program only these travel. HTTP statuses are looked up in `server/http/problems.py`, gRPC codes in
`tunnel/status.py`, each once. A message says what to do next; it never holds a secret or a payload.
"""

from collections.abc import Mapping
from typing import ClassVar, Self

from croupier.codes import Code


class CroupierError(Exception):
    """A failure with a `reason` (stable, for programs), a message (for people) and details (short, for both).

    `code` says which one it is, where that is worth saying in other words; its parameters are in the details.
    """

    reason: ClassVar[str] = "internal"
    spent: tuple[int, int] = (0, 0)
    """Microseconds in the agent and in the game server, where the failure came from there; 0 is not known."""
    agent_id: str = ""
    service_id: str = ""
    """The agent and the game server that the call was given to, where that is known, whether or not they said so."""
    call_id: str = ""
    """The call that has the record, where that is not the one that was made: the first with its idempotency key."""
    replayed: bool = False
    """That call's end, told once more."""
    unsent: bool = False
    """No game server was given the call, whatever the reason: its idempotency key is free again."""
    on_record: bool = False
    """The audit record says already that somebody was refused so."""
    retry_after: float = 0.0
    """Seconds until it is worth trying again, where that is known."""

    def __init__(self, message: str, details: Mapping[str, str] | None = None, *, code: Code | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, str] = details or {}
        self.code = code

    def of_call(self, call_id: str, *, replayed: bool = True) -> Self:
        """As it is told to who repeats an idempotency key. A copy: the first caller is told the same failure, maybe just now."""
        told = type(self).__new__(type(self))
        told.__dict__.update(self.__dict__)
        told.args = self.args
        told.call_id, told.replayed = call_id, replayed
        return told


class InvalidArgument(CroupierError):
    reason = "invalid_argument"


class PayloadTooLarge(InvalidArgument):
    reason = "payload_too_large"


class Unauthenticated(CroupierError):
    reason = "unauthenticated"


class PermissionDenied(CroupierError):
    reason = "permission_denied"


class NotFound(CroupierError):
    reason = "not_found"


class Conflict(CroupierError):
    reason = "conflict"


class FailedPrecondition(CroupierError):
    reason = "failed_precondition"


class AwaitingApproval(FailedPrecondition):
    """Not a failure: nothing ran yet. Details: `approval_id` and `call_id`, under which the result will be.

    It is not in `BY_REASON`: only the server's own gate says so, never a game server, an agent or a record.
    """

    reason = "awaiting_approval"


class RateLimited(CroupierError):
    """Refused before anything ran; as certain as Unavailable."""

    reason = "rate_limited"


class Unavailable(CroupierError):
    """Nothing ran, for certain: an idempotency key is free again after it. So it is never made of a stranger's words."""

    reason = "unavailable"


class DeadlineExceeded(CroupierError):
    reason = "deadline_exceeded"


class Canceled(CroupierError):
    reason = "canceled"


class OutcomeUnknown(CroupierError):
    reason = "outcome_unknown"


class FunctionRejected(CroupierError):
    reason = "function_rejected"


class HandlerFailed(CroupierError):
    reason = "handler_failed"


class Unimplemented(CroupierError):
    reason = "unimplemented"


class InternalError(CroupierError):
    reason = "internal"


BY_REASON: Mapping[str, type[CroupierError]] = {
    kind.reason: kind
    for kind in (
        InvalidArgument,
        PayloadTooLarge,
        Unauthenticated,
        PermissionDenied,
        NotFound,
        Conflict,
        FailedPrecondition,
        RateLimited,
        Unavailable,
        DeadlineExceeded,
        Canceled,
        OutcomeUnknown,
        FunctionRejected,
        HandlerFailed,
        Unimplemented,
        InternalError,
    )
}
