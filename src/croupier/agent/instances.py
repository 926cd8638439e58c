"""The game servers this agent knows, and which functions each offers. No I/O; `now` is seconds since 1970."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from croupier.agent.game_server import GameServer
from croupier.domain.function import Service
from croupier.domain.limits import KEY_BYTES
from croupier.errors import InvalidArgument, NotFound, RateLimited

LIFE = 180.0
"""Seconds an instance lives after its last heartbeat: three of the slowest that are in use."""
INSTANCES = 1_000
FUNCTIONS = 10_000
DESCRIPTION_BYTES = 8_000_000
"""Names and manifests together: they travel to the server in one message."""


class InstanceState(StrEnum):
    HEALTHY = "healthy"
    WAITING = "waiting"
    """Attached; its stream broke a moment ago and may be resumed. Calls to it wait that long."""
    UNHEALTHY = "unhealthy"
    """It did not answer where it said it listens; it is being probed."""
    DRAINING = "draining"
    """It asked for no more calls."""


@dataclass(kw_only=True, slots=True, eq=False)
class Instance:
    """One game server as it registered. Changed by `Instances` only."""

    service: Service
    server: GameServer
    session_id: str
    state: InstanceState
    last_seen: float
    expires: float | None
    """None where it lives as long as its stream."""
    versions: Mapping[str, frozenset[str]] = field(init=False)
    """The versions of each function."""
    size: int = field(init=False)
    _idempotent: frozenset[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        versions: dict[str, set[str]] = {}
        for ref in self.service.functions:
            versions.setdefault(ref.id, set()).add(ref.version)
        self.versions = {name: frozenset(found) for name, found in versions.items()}
        self.size = len(self.service.manifest_json) + sum(
            len(ref.id.encode()) + len(ref.version.encode()) + 16 for ref in self.service.functions
        )

    def idempotent_functions(self) -> frozenset[str]:
        """Those that may run twice by its manifest, queries among them; read when first asked for."""
        if self._idempotent is None:
            self._idempotent = _idempotent(self.service.manifest_json)
        return self._idempotent

    @property
    def attached(self) -> bool:
        return self.expires is None


class Instances:
    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._instances: dict[str, Instance] = {}
        self._offering: dict[str, dict[str, Instance]] = {}

    def __len__(self) -> int:
        return len(self._instances)

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self._instances.values()))

    def get(self, service_id: str) -> Instance | None:
        return self._instances.get(service_id)

    def offering(self, function_id: str) -> Mapping[str, Instance]:
        """The instances that offer it, by service_id; none where nobody does."""
        return self._offering.get(function_id, {})

    def functions(self) -> Mapping[str, Mapping[str, Instance]]:
        return self._offering

    def put(self, instance: Instance) -> None:
        """Add it, in the place of the one that has its service_id. Its functions replace all earlier ones.

        Raises InvalidArgument for a malformed service, RateLimited when there would be too much of anything.
        """
        service = instance.service
        _check(service)
        others = [each for name, each in self._instances.items() if name != service.service_id]
        if len(others) >= INSTANCES:
            raise RateLimited(f"rate limited: this agent serves {INSTANCES} game servers already; start another agent")
        if sum(len(each.service.functions) for each in others) + len(service.functions) > FUNCTIONS:
            raise RateLimited(f"rate limited: the game servers of one agent may offer {FUNCTIONS} functions together")
        if sum(each.size for each in others) + instance.size > DESCRIPTION_BYTES:
            raise RateLimited(f"rate limited: one agent keeps {DESCRIPTION_BYTES} bytes of function descriptions")
        before = self._instances.get(service.service_id)
        if before is not None:
            self._unlist(before)
        self._instances[service.service_id] = instance
        for function_id in instance.versions:
            self._offering.setdefault(function_id, {})[service.service_id] = instance
        self._changed()

    def remove(self, instance: Instance) -> bool:
        """False when it was replaced or removed before."""
        if self._instances.get(instance.service.service_id) is not instance:
            return False
        del self._instances[instance.service.service_id]
        self._unlist(instance)
        self._changed()
        return True

    def _unlist(self, instance: Instance) -> None:
        for function_id in instance.versions:
            listed = self._offering[function_id]
            del listed[instance.service.service_id]
            if not listed:
                del self._offering[function_id]

    def set_state(self, server: GameServer, state: InstanceState, now: float) -> None:
        """What `server` found out about itself; nothing when another has taken its place."""
        instance = self._instances.get(server.service_id)
        if instance is None or instance.server is not server or instance.state is state:
            return
        instance.state = state
        if instance.attached:
            instance.last_seen = now
        self._changed()

    def heartbeat(self, service_id: str, now: float) -> None:
        """Raises NotFound for one that never registered, so that SDKs which can register again do."""
        instance = self._instances.get(service_id)
        if instance is None:
            raise NotFound(f"unknown service {service_id[:KEY_BYTES]}: register it again with RegisterLocal")
        instance.last_seen = now
        if instance.expires is not None:
            instance.expires = now + LIFE

    def expired(self, now: float) -> list[Instance]:
        return [each for each in self._instances.values() if each.expires is not None and each.expires <= now]

    def services(self) -> tuple[Service, ...]:
        """All of them, as the server is told."""
        return tuple(
            replace(each.service, healthy=each.state is InstanceState.HEALTHY) for each in self._instances.values()
        )


def _idempotent(manifest_json: bytes) -> frozenset[str]:
    """None in a manifest that cannot be understood: the server tells of that."""
    try:
        manifest = orjson.loads(manifest_json or b"[]")
        functions = manifest.get("functions") or [] if isinstance(manifest, dict) else manifest
        return frozenset(each["id"] for each in functions if _repeatable(each))
    except (ValueError, TypeError, KeyError, AttributeError):
        return frozenset()


def _repeatable(entry: Any) -> bool:
    semantics = entry.get("semantics") or {}
    return semantics.get("idempotent") is True or semantics.get("mode") == "query"


def _check(service: Service) -> None:
    check_name("service_id", service.service_id)
    for label, text in (("version", service.version), ("rpc_addr", service.addr)):
        if len(text.encode()) > KEY_BYTES:
            raise InvalidArgument(f"{label} must have at most {KEY_BYTES} bytes")
    if len(service.functions) > FUNCTIONS:
        raise RateLimited(f"rate limited: a game server may offer {FUNCTIONS} functions")
    for ref in service.functions:
        check_name("a function's id", ref.id)
        if len(ref.version.encode()) > KEY_BYTES:
            raise InvalidArgument(f"the version of {ref.id} must have at most {KEY_BYTES} bytes")


def check_name(label: str, name: str) -> None:
    """Raises InvalidArgument for an empty or overlong name, or one with control characters."""
    if not name:
        raise InvalidArgument(f"{label} is missing")
    if len(name.encode()) > KEY_BYTES or not name.isprintable():
        raise InvalidArgument(f"{label} must have at most {KEY_BYTES} bytes, all of them printable")
