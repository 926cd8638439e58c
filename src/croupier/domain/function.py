from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function as one game server offers it."""

    id: str
    version: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One game server as its agent reports it."""

    service_id: str
    version: str = ""
    addr: str = ""
    """Where it listens; empty when it is attached by a stream."""
    healthy: bool = True
    functions: tuple[FunctionRef, ...] = ()
    manifest_json: bytes = b""
    """A provider manifest as JSON, only its array of functions, or nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """What the platform knows of a function: enough to check a call before it is sent."""

    id: str
    version: str = ""
    category: str = ""
    risk: str = "low"
    mode: str = "command"
    """query | command; a query need not wait for its own record."""
    returns: str = ""
    """`job` when the function is long work."""
    idempotent: bool = False
    dry_run: bool = False
    """Whether it heeds `dry_run=true` in a call's metadata: it says what it would do, and does nothing."""
    dry_run_parameter: str = ""
    """The boolean argument that makes it do so, where it is an argument."""
    timeout: float | None = None
    hash_path: str = ""
    """Where in the payload the hash key is, as a singular JSONPath; for calls with route hash that name none."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema 2020-12 of the payload."""
    display_name: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, str] = field(default_factory=dict)
