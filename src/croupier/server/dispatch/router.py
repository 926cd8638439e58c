import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from croupier.domain.call import Call, Route
from croupier.errors import InvalidArgument, NotFound, Unavailable, Unimplemented
from croupier.server.dispatch.agents import Agent, Agents, Offer
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
        if call.version:
            usable = _with_version(call, usable)
        match call.route:
            case Route.LB:
                return _balanced(call, usable)
            case Route.TARGETED:
                return _targeted(call, usable)
            case Route.HASH:
                return _hashed(call, usable)
            case Route.BROADCAST:
                raise Unimplemented("route broadcast is not part of this version; call each target with route=targeted")

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


def _balanced(call: Call, usable: list[Agent]) -> Target:
    """The one of two with fewer calls under way: nearly as good as the best of all, without everyone choosing the same."""
    if len(usable) == 1:
        return Target(_link(usable[0]))
    well = [agent for agent in usable if any(offer.healthy for offer in _offers(call, agent))] or usable
    drawn = random.sample(well, 2) if len(well) > 1 else well  # of two as well: in a tie the first drawn is taken
    return Target(min((_link(agent) for agent in drawn), key=lambda link: link.outstanding))


def _offers(call: Call, agent: Agent) -> Iterator[Offer]:
    """Those that fit the call's version, if it has one."""
    return (offer for offer in agent.offers(call.function_id) if call.version in {"", offer.version})


def _with_version(call: Call, usable: list[Agent]) -> list[Agent]:
    matching = [agent for agent in usable if any(_offers(call, agent))]
    if not matching:
        found = sorted({offer.version or "(none)" for agent in usable for offer in agent.offers(call.function_id)})
        raise NotFound(f"{call.function_id} has no version {call.version} in {call.scope}; there is {', '.join(found)}")
    return matching


def _targeted(call: Call, usable: list[Agent]) -> Target:
    if not call.target_service_id:
        raise InvalidArgument("route targeted needs target_service_id")
    for agent in usable:
        if any(offer.service_id == call.target_service_id for offer in _offers(call, agent)):
            return Target(_link(agent), call.target_service_id)
    raise NotFound(
        f"target service not found: {call.target_service_id} does not offer {call.function_id} in {call.scope}"
    )


def _hashed(call: Call, usable: list[Agent]) -> Target:
    """Rendezvous hashing: each game server scores the key, the highest wins; one that leaves moves only its own keys."""
    if not call.hash_key:
        raise InvalidArgument("route hash needs hash_key")
    offers = [(offer, agent) for agent in usable for offer in _offers(call, agent)]
    offers = [(offer, agent) for offer, agent in offers if offer.healthy] or offers
    offer, agent = max(offers, key=lambda each: _score(each[0].service_id or each[1].agent_id, call.hash_key))
    return Target(_link(agent), offer.service_id)


def _score(name: str, key: str) -> bytes:
    return hashlib.blake2b(f"{name}\0{key}".encode(), digest_size=8).digest()


def _names(agents: list[Agent]) -> str:
    return ", ".join(sorted(agent.agent_id for agent in agents)[:5])
