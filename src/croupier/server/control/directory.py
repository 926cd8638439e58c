"""The table of agents, as operators see it."""

import asyncio
import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from croupier.domain.assignment import Assignment
from croupier.domain.function import Function
from croupier.domain.registry import (
    AgentView,
    Coverage,
    FunctionHealth,
    FunctionView,
    InstanceView,
    RegistryView,
)
from croupier.domain.scope import Scope
from croupier.server.catalog import Catalog
from croupier.server.dispatch.agents import TTL, Agent, Agents

MOST_UNCOVERED = 1_000
"""How many uncovered functions of a scope are named."""


class _Served(NamedTuple):
    """What there is of one game and env at one moment."""

    scope: Scope
    functions: Mapping[str, FunctionHealth]
    described: set[str]
    assigned: Assignment | None


class Directory:
    def __init__(self, agents: Agents, catalog: Catalog) -> None:
        self._agents = agents
        self._catalog = catalog

    async def registry(self) -> RegistryView:
        coverage = await asyncio.to_thread(_coverage, self._served())
        return RegistryView(
            agents=tuple(self._agent(agent) for agent in sorted(self._agents, key=lambda agent: agent.agent_id)),
            functions=tuple(
                FunctionView(game_id=scope.game_id, env=scope.env, id=function_id, agents=len(agents))
                for (scope, function_id), agents in sorted(
                    self._agents.functions().items(), key=lambda item: (str(item[0][0]), item[0][1])
                )
            ),
            assignments={
                str(scope): assigned.patterns
                for scope, assigned in sorted(self._catalog.assignments.items(), key=lambda item: str(item[0]))
            },
            coverage=coverage,
        )

    def instances(self, function_id: str, scope: Scope | None) -> list[InstanceView]:
        """Who offers the function; an empty id is every function."""
        found = []
        for (where, offered), agents in self._agents.functions().items():
            if (scope is None or where == scope) and function_id in {"", offered}:
                found += [view for agent in agents.values() for view in _instances(agent, offered)]
        return sorted(found, key=lambda view: (view.game_id, view.env, view.agent_id, view.service_id))

    def health(self, scope: Scope | None, function_ids: Collection[str]) -> dict[str, FunctionHealth]:
        """How many game servers offer each of the functions, in a scope or in every one."""
        counts = {function_id: [0, 0] for function_id in function_ids}
        places: Iterable[tuple[Scope, str]] = (
            self._agents.functions() if scope is None else [(scope, function_id) for function_id in counts]
        )
        for where, function_id in places:
            if (count := counts.get(function_id)) is not None:
                for agent in self._agents.offering(where, function_id).values():
                    offers = agent.offers(function_id)
                    count[0] += sum(offer.healthy for offer in offers) if agent.usable else 0
                    count[1] += len(offers)
        return {each: FunctionHealth(healthy=healthy, total=total) for each, (healthy, total) in counts.items()}

    def function(self, scope: Scope, function_id: str) -> Function | None:
        return self._catalog.function(scope, function_id)

    def _agent(self, agent: Agent) -> AgentView:
        connected = agent.usable
        left = agent.expires - self._agents.now() if agent.expires else (TTL if connected else 0.0)
        return AgentView(
            agent_id=agent.agent_id,
            game_id=agent.scope.game_id,
            env=agent.scope.env,
            rpc_addr=agent.rpc_addr,
            ip=agent.ip,
            edge=agent.edge,
            version=agent.version,
            functions=len(agent.offered),
            healthy=connected,
            expires_in_sec=max(0, int(left)),
            region=agent.region,
            zone=agent.zone,
            labels=agent.labels,
        )

    def _served(self) -> list[_Served]:
        by_scope: dict[Scope, dict[str, FunctionHealth]] = {scope: {} for scope in self._catalog.scopes()}
        for (scope, function_id), agents in self._agents.functions().items():
            views = [view for agent in agents.values() for view in _instances(agent, function_id)]
            by_scope.setdefault(scope, {})[function_id] = FunctionHealth(
                healthy=sum(view.healthy for view in views), total=len(views)
            )
        return [
            _Served(scope, functions, self._catalog.described(scope), self._catalog.assignments.get(scope))
            for scope, functions in by_scope.items()
        ]


def _coverage(served: Sequence[_Served]) -> tuple[Coverage, ...]:
    """Takes long where many scopes have many functions."""
    return tuple(_covered(*each) for each in sorted(served, key=lambda each: str(each.scope)))


def _covered(
    scope: Scope, functions: Mapping[str, FunctionHealth], described: set[str], assigned: Assignment | None
) -> Coverage:
    expected = described
    if assigned is not None:
        expected = {name for name in described if assigned.admits(name)} | assigned.ids
    healthy = {name for name, health in functions.items() if health.healthy}
    uncovered = (expected | functions.keys()) - healthy
    return Coverage(
        game_env=str(scope),
        functions=dict(sorted(functions.items())),
        uncovered=tuple(heapq.nsmallest(MOST_UNCOVERED, uncovered)),
        uncovered_count=len(uncovered),
        partial=tuple(sorted(name for name in healthy if functions[name].healthy < functions[name].total)),
    )


def _instances(agent: Agent, function_id: str) -> list[InstanceView]:
    services = {service.service_id: service for service in agent.services}
    views = []
    for service_id, version, healthy in agent.offers(function_id):
        service = services.get(service_id)
        views.append(
            InstanceView(
                agent_id=agent.agent_id,
                game_id=agent.scope.game_id,
                env=agent.scope.env,
                service_id=service_id,
                version=service.version if service else "",
                addr=service.addr if service else agent.rpc_addr,
                function_version=version,
                healthy=healthy and agent.usable,
                outstanding=agent.link.outstanding if agent.link else 0,
            )
        )
    return views
