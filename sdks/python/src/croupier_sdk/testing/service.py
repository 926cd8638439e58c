import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from croupier_sdk.testing.job import FakeJob


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A call as the fake agent sends it."""

    function_id: str
    payload: bytes
    timeout: float | None
    """Seconds, or no limit."""
    idempotency_key: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    traceparent: str = ""


class GameServer(Protocol):
    """A game server as the fake agent reaches it: attached or listening."""

    functions: Mapping[str, Mapping[str, Any]]
    entities: Mapping[str, Mapping[str, Any]]

    async def invoke(self, request: Request) -> bytes:
        """Raises CallError."""

    async def start_job(self, request: Request, job: FakeJob) -> str:
        """Start it and return the id it runs under. Raises CallError."""

    async def cancel_job(self, job_id: str, reason: str) -> None: ...

    def drop(self) -> None:
        """Break the connection."""

    async def forget(self) -> None:
        """Let go of what is held for it."""


Entries = dict[str, Mapping[str, Any]]


def read_manifest(manifest_json: bytes) -> tuple[Entries, Entries]:
    """Functions and entities by id, of a manifest: a whole one, or an array of functions as SDKs of old send it."""
    manifest = json.loads(manifest_json) if manifest_json else {}
    if isinstance(manifest, list):
        manifest = {"functions": manifest}
    functions, entities = ({each["id"]: each for each in manifest.get(kind, ())} for kind in ("functions", "entities"))
    return functions, entities
