from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple

from croupier.domain.scope import Scope
from croupier.domain.values import value
from croupier.errors import (
    Canceled,
    CroupierError,
    DeadlineExceeded,
    InternalError,
    OutcomeUnknown,
    PayloadTooLarge,
)


class Route(StrEnum):
    LB = "lb"
    BROADCAST = "broadcast"
    TARGETED = "targeted"
    HASH = "hash"


class CallState(StrEnum):
    WAITING = "waiting"
    """For somebody's approval (`domain/approval.py`); nobody was given it."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    """Nobody waits for its answer any more; whether it took effect is as open as below."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """It was given to a game server, and nobody knows whether it took effect: see `may_have_run`."""


@value(frozen=True, kw_only=True, slots=True)
class Call:
    """One wish to run a function. For a job, `id` is the job's id too."""

    id: str
    function_id: str
    scope: Scope
    payload: bytes
    caller: str
    idempotency_key: str = ""
    route: Route = Route.LB
    target_service_id: str = ""
    hash_key: str = ""
    version: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the caller sent along; it reaches the game server as it is."""
    timeout: float | None = None
    """Seconds from arrival, or None for the function's or the platform's default (no limit for a job)."""
    traceparent: str = ""
    replay_of: str = ""
    """The id of the recorded call whose arguments these are."""
    wait_for: float = 0.0
    """Seconds that it may wait for somebody who can take it, within its deadline; 0 fails at once."""


@value(frozen=True, kw_only=True, slots=True)
class Result:
    """What a game server answered."""

    payload: bytes
    service_id: str = ""
    agent_id: str = ""
    replayed: bool = False
    """The answer of an earlier call with the same idempotency key."""
    call_id: str = ""
    """Of a replayed answer: that call, which has the record."""
    agent_us: int = 0
    """Microseconds in the agent; 0 is not known. Kept in the call's trail, not with the result."""
    handler_us: int = 0
    """Microseconds in the game server; 0 is not known."""


@value(frozen=True, kw_only=True, slots=True)
class BroadcastResult(Result):
    """What the game servers of a broadcast answered, in one."""

    failed: int = 0
    """How many of them failed, while others did not."""


class Trail(NamedTuple):
    """The way a call went: who was chosen and why, and how long every hop took. A tuple, because every call makes one.

    Durations are microseconds, each measured by one machine's own steady clock; 0 is not known. Each holds those below it.
    """

    decision: str = ""
    """Who received the call, and why."""
    agent_id: str = ""
    service_id: str = ""
    """Where it was sent, also when no answer came from there."""
    server_us: int = 0
    """From the call's arrival at the spine to its answer."""
    recorded_us: int = 0
    """Of that, waiting until the intent was on disk."""
    agent_us: int = 0
    """In the agent: from the call's arrival to its answer."""
    handler_us: int = 0
    """In the game server's handler."""


UNKNOWN_TRAIL = Trail()


Outcome = Result | CroupierError
"""How a call ended: it is a value, because hops pass it on."""

_MAY_HAVE_RUN = frozenset(
    kind.reason for kind in (OutcomeUnknown, DeadlineExceeded, Canceled, InternalError, PayloadTooLarge)
)
"""PayloadTooLarge: of its answer, which nobody has seen."""


def may_have_run(error: CroupierError) -> bool:
    """Whether a call that was let in and ended so may have taken effect, without anybody knowing.

    What calls, rows of bulk runs, approvals and the audit record say of it all follows from this.
    """
    return error.reason in _MAY_HAVE_RUN and not error.unsent


def state_after(error: CroupierError) -> CallState:
    """Of a call that was let in and ended so."""
    if isinstance(error, Canceled):
        return CallState.CANCELED
    return CallState.OUTCOME_UNKNOWN if may_have_run(error) else CallState.FAILED


def advice(state: CallState, *, keyed: bool) -> str:
    """What to do about a call that ended so and may have taken effect; nothing where that is certain."""
    if state not in {CallState.OUTCOME_UNKNOWN, CallState.CANCELED}:
        return ""
    again = "call again with a new idempotency key" if keyed else "call again"
    return f"look in the game whether it took effect; if it did not, {again}"
