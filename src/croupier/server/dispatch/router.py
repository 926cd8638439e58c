import hashlib
import random
from dataclasses import dataclass

from croupier.domain.call import Call, Route
from croupier.errors import InvalidArgument, NotFound, Unavailable, Unimplemented
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.link import Link


@dataclass(frozen=True, slots=True)
class Target:
    link: Link
    service_id: str = ""
    """The game server that must run it; empty leaves the choice to the agent."""


class Router:
    """Decides who receives a call. Scope is a wall: only agents of the call's game and env are ever looked at."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    def route(self, call: Call) -> Target:
        """Raises NotFound for a function or target nobody has, Unavailable when those who have it are away."""
        offering = list(self._agents.offering(call.scope, call.function_id).values())
        if not offering:
            raise self._nobody(call)
        usable = [agent for agent in offering if agent.usable]
        if not usable:
            raise Unavailable(
                f"no agent available for {call.function_id} in {call.scope}: "
                f"{_names(offering)} offered it and is not connected now; try again when it is back"
            )
        match call.route:
            case Route.LB:
                return self._balanced(call, usable)
            case Route.TARGETED:
                return _targeted(call, usable)
            case Route.HASH:
                return _hashed(call, usable)
            case Route.BROADCAST:
                raise Unimplemented("route broadcast is not part of this version; call each target with route=targeted")

    def _balanced(self, call: Call, usable: list[Agent]) -> Target:
        if call.version:
            usable = _with_version(call, usable)
        if len(usable) > 2:
            usable = random.sample(usable, 2)
        agent = min(usable, key=lambda candidate: candidate.link.outstanding if candidate.link else 0)
        return Target(_link(agent))

    def _nobody(self, call: Call) -> NotFound:
        elsewhere = sorted(
            {str(scope) for (scope, function_id) in self._agents.functions() if function_id == call.function_id}
        )
        hint = f"; it exists in {', '.join(elsewhere[:5])}" if elsewhere else ""
        return NotFound(
            f"unknown function {call.function_id} in {call.scope}: no agent available there offers it{hint}; "
            "check the id, and that the game server is running and attached to its agent"
        )


def _link(agent: Agent) -> Link:
    if agent.link is None:
        raise Unavailable(f"agent not connected: {agent.agent_id}")
    return agent.link


def _with_version(call: Call, usable: list[Agent]) -> list[Agent]:
    matching = [
        agent for agent in usable if any(version == call.version for _, version, _ in agent.offers(call.function_id))
    ]
    if not matching:
        found = sorted({version or "(none)" for agent in usable for _, version, _ in agent.offers(call.function_id)})
        raise NotFound(f"{call.function_id} has no version {call.version} in {call.scope}; there is {', '.join(found)}")
    return matching


def _targeted(call: Call, usable: list[Agent]) -> Target:
    if not call.target_service_id:
        raise InvalidArgument("route targeted needs target_service_id")
    for agent in usable:
        if any(service_id == call.target_service_id for service_id, _, _ in agent.offers(call.function_id)):
            return Target(_link(agent), call.target_service_id)
    raise NotFound(
        f"target service not found: {call.target_service_id} does not offer {call.function_id} in {call.scope}"
    )


def _hashed(call: Call, usable: list[Agent]) -> Target:
    """Rendezvous hashing: each game server scores the key, the highest wins; one that leaves moves only its own keys."""
    if not call.hash_key:
        raise InvalidArgument("route hash needs hash_key")
    offers = [
        (service_id, agent)
        for agent in usable
        for service_id, _, healthy in agent.offers(call.function_id)
        if service_id and healthy
    ]
    if not offers:
        return Target(_link(min(usable, key=lambda agent: agent.agent_id)))
    service_id, agent = max(offers, key=lambda offer: _score(offer[0], call.hash_key))
    return Target(_link(agent), service_id)


def _score(service_id: str, key: str) -> bytes:
    return hashlib.blake2b(f"{service_id}\0{key}".encode(), digest_size=8).digest()


def _names(agents: list[Agent]) -> str:
    return ", ".join(sorted(agent.agent_id for agent in agents)[:5])
