"""The agents this server can reach, by what they offer.

An agent may be known by its tunnel (it dialled in and registered over it), by ControlService.Register (the contract's
unary way), or both; either alone is enough to call it when there is a way to it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from croupier.domain.function import FunctionRef, Service
from croupier.domain.scope import Scope
from croupier.server.dispatch.link import Link

TTL = 90.0
"""Seconds after its last heartbeat that a registered agent counts as there (contract)."""


@dataclass(kw_only=True, slots=True)
class Agent:
    """One agent. Mutable, but only through `Agents`."""

    agent_id: str
    scope: Scope
    version: str = ""
    ip: str = ""
    region: str = ""
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    rpc_addr: str = ""
    services: tuple[Service, ...] = ()
    """What it reported over its tunnel."""
    registered: tuple[FunctionRef, ...] = ()
    """What it registered by ControlService."""
    control_session: str = ""
    expires: float = 0.0
    """When the control registration ends, on the table's clock; 0 without one."""
    link: Link | None = None

    @property
    def usable(self) -> bool:
        return self.link is not None and self.link.usable

    def offers(self, function_id: str) -> Iterable[tuple[str, str, bool]]:
        """(service_id, function version, healthy) of every game server with the function; no service_id if unknown."""
        known = False
        for service in self.services:
            for ref in service.functions:
                if ref.id == function_id:
                    known = True
                    yield service.service_id, ref.version, service.healthy
        if not known:
            for ref in self.registered:
                if ref.id == function_id:
                    yield "", ref.version, True

    def function_ids(self) -> set[str]:
        return {ref.id for service in self.services for ref in service.functions} | {ref.id for ref in self.registered}


class Agents:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._agents: dict[str, Agent] = {}
        self._offering: dict[tuple[Scope, str], dict[str, Agent]] = {}
        self._indexed: dict[str, list[tuple[Scope, str]]] = {}

    def __iter__(self) -> Iterator[Agent]:
        return iter(list(self._agents.values()))

    def get(self, agent_id: str) -> Agent | None:
        return self._agents.get(agent_id)

    def offering(self, scope: Scope, function_id: str) -> Mapping[str, Agent]:
        """The agents of exactly this scope that offer the function, by id."""
        return self._offering.get((scope, function_id), {})

    def functions(self) -> Mapping[tuple[Scope, str], Mapping[str, Agent]]:
        return self._offering

    def put(self, agent: Agent) -> None:
        """Add or replace, and index what it offers."""
        self.drop(agent.agent_id)
        self._agents[agent.agent_id] = agent
        keys = [(agent.scope, function_id) for function_id in agent.function_ids()]
        self._indexed[agent.agent_id] = keys
        for key in keys:
            self._offering.setdefault(key, {})[agent.agent_id] = agent

    def drop(self, agent_id: str) -> Agent | None:
        for key in self._indexed.pop(agent_id, ()):
            agents = self._offering[key]
            del agents[agent_id]
            if not agents:
                del self._offering[key]
        return self._agents.pop(agent_id, None)

    def renew(self, agent_id: str) -> bool:
        """A heartbeat. False when nobody of that id has registered."""
        agent = self._agents.get(agent_id)
        if agent is None or not agent.expires:
            return False
        agent.expires = self._clock() + TTL
        return True

    def now(self) -> float:
        return self._clock()

    def expire(self) -> list[str]:
        """Forget control registrations that ran out; agents with nothing left go. Returns the ids that changed."""
        now = self._clock()
        changed = [agent for agent in self._agents.values() if agent.expires and agent.expires <= now]
        for agent in changed:
            agent.expires = 0.0
            agent.control_session = ""
            agent.registered = ()
            if agent.link is None or not agent.services:
                self.drop(agent.agent_id)
            else:
                self.put(agent)
        return [agent.agent_id for agent in changed]
