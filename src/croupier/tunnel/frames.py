"""The tunnel's frames as values. `codec.py` knows their bytes; nothing else sees a wire type."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.domain.function import Service
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError

SESSION = "session"
"""The capability of everything that the contract does not have (docs/reference/tunnel.md)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hello:
    agent_id: str
    game_id: str
    env: str
    capabilities: tuple[str, ...] = ()
    session_id: str = ""
    received: int = 0
    incarnation: str = ""
    version: str = ""
    region: str = ""
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Welcome:
    session_id: str
    resumed: bool
    received: int
    incarnation: str
    heartbeat_ms: int
    job_window: int


@dataclass(frozen=True, slots=True)
class Register:
    services: tuple[Service, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Invoke:
    request_id: str
    function_id: str
    payload: bytes
    idempotency_key: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    deadline_ms: int = 0
    """Time left when sent; 0 for no limit."""
    traceparent: str = ""
    game_id: str = ""
    env: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartJob(Invoke):
    job_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallResult:
    request_id: str
    payload: bytes = b""
    error: CroupierError | None = None
    service_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobStarted:
    request_id: str
    job_id: str = ""
    error: CroupierError | None = None
    service_id: str = ""


@dataclass(frozen=True, slots=True)
class CancelCall:
    request_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CancelJob:
    job_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobEvents:
    """One event, in the frame that carries it."""

    event: JobEvent


@dataclass(frozen=True, slots=True)
class JobAck:
    job_id: str
    seq: int
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Drain:
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListLocal:
    request_id: str
    function_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalList:
    request_id: str
    function_id: str
    service_ids: tuple[str, ...] = ()
    error: CroupierError | None = None


@dataclass(frozen=True, slots=True)
class JobQuery:
    request_id: str
    job_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobAnswer:
    request_id: str
    state: str = ""
    payload: bytes = b""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    pass


Request = Invoke | StartJob | ListLocal | JobQuery
Answer = CallResult | JobStarted | LocalList | JobAnswer
Frame = Hello | Welcome | Register | Request | Answer | CancelCall | CancelJob | JobEvents | JobAck | Drain | Heartbeat
