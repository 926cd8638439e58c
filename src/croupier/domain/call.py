from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from croupier.domain.scope import Scope
from croupier.errors import CroupierError


class Route(StrEnum):
    LB = "lb"
    BROADCAST = "broadcast"
    TARGETED = "targeted"
    HASH = "hash"


class CallState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    OUTCOME_UNKNOWN = "outcome_unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a game server answered."""

    payload: bytes
    service_id: str = ""
    agent_id: str = ""
    replayed: bool = False
    """The answer of an earlier call with the same idempotency key."""


Outcome = Result | CroupierError
"""How a call ended: it is a value, because hops pass it on."""
