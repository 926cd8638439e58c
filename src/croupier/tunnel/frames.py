"""The tunnel's frames as values. `codec.py` knows their bytes; nothing else sees a wire type.

They are structs rather than frozen dataclasses because every call makes several: a tenth of the time each, and nothing for
the garbage collector to look at (they hold no reference back).
"""

from collections.abc import Mapping

from msgspec import Struct, field

from croupier.domain.function import Service
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError

SESSION = "session"
"""The capability of everything that the contract does not have (docs/reference/tunnel.md)."""


class Hello(Struct, frozen=True, kw_only=True, gc=False):
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


class Welcome(Struct, frozen=True, kw_only=True, gc=False):
    session_id: str
    resumed: bool
    received: int
    incarnation: str
    heartbeat_ms: int
    job_window: int


class Register(Struct, frozen=True, gc=False):
    services: tuple[Service, ...]


class Invoke(Struct, frozen=True, kw_only=True, gc=False):
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


class StartJob(Invoke, frozen=True, kw_only=True, gc=False):
    job_id: str = ""


class CallResult(Struct, frozen=True, kw_only=True, gc=False):
    request_id: str
    payload: bytes = b""
    error: CroupierError | None = None
    service_id: str = ""
    handler_us: int = 0
    """Microseconds in the game server; 0 is not known."""
    agent_us: int = 0
    """Microseconds in the agent; 0 is not known."""


class JobStarted(Struct, frozen=True, kw_only=True, gc=False):
    request_id: str
    job_id: str = ""
    error: CroupierError | None = None
    service_id: str = ""


class CancelCall(Struct, frozen=True, gc=False):
    request_id: str
    reason: str = ""


class CancelJob(Struct, frozen=True, gc=False):
    job_id: str
    reason: str = ""


class JobEvents(Struct, frozen=True, gc=False):
    """One event, in the frame that carries it."""

    event: JobEvent


class JobAck(Struct, frozen=True, gc=False):
    job_id: str
    seq: int
    stop: bool = False


class Drain(Struct, frozen=True, gc=False):
    reason: str = ""


class ListLocal(Struct, frozen=True, gc=False):
    request_id: str
    function_id: str


class LocalList(Struct, frozen=True, kw_only=True, gc=False):
    request_id: str
    function_id: str
    service_ids: tuple[str, ...] = ()
    error: CroupierError | None = None


class JobQuery(Struct, frozen=True, gc=False):
    request_id: str
    job_id: str


class JobAnswer(Struct, frozen=True, kw_only=True, gc=False):
    request_id: str
    state: str = ""
    payload: bytes = b""
    error: str = ""


class Heartbeat(Struct, frozen=True, gc=False):
    pass


Request = Invoke | StartJob | ListLocal | JobQuery
Answer = CallResult | JobStarted | LocalList | JobAnswer
Frame = Hello | Welcome | Register | Request | Answer | CancelCall | CancelJob | JobEvents | JobAck | Drain | Heartbeat
