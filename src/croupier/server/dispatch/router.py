import asyncio
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from croupier.codes import Code
from croupier.domain import choices
from croupier.domain.call import Call, Route
from croupier.domain.routing import Canary, Skipped
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from croupier.server.dispatch.agents import Agent, Agents, Offer
from croupier.server.dispatch.canary import Canaries, drawn
from croupier.server.dispatch.link import Link

MOST_TARGETS = 1_000
"""The most game servers of one broadcast."""


T = TypeVar("T")


class Target(NamedTuple):
    """Who receives a call. A tuple, because every call makes one."""

    link: Link
    service_id: str = ""
    """The game server that must run it; empty leaves the choice to the agent."""
    candidates: int = 1
    """Among how many it was chosen: agents for lb, game servers for the others."""
    why: str = choices.ONLY


class Router:
    """Decides who receives a call. Scope is a wall: only agents of the call's game and env are ever looked at."""

    def __init__(self, agents: Agents, canaries: Canaries | None = None) -> None:
        self._agents = agents
        self._canaries = canaries or Canaries()

    def route(self, call: Call) -> Target:
        """Raises NotFound for a function or target nobody has, Unavailable when those who have it are away, FailedPrecondition
        for a target of which there are two.
        """
        usable = self._usable(call)
        if self._canaries and (rule := self._canaries.rule(call)) is not None:
            return _split(call, usable, rule)
        match call.route:
            case Route.LB:
                return _balanced(call, usable)
            case Route.TARGETED:
                return self._targeted(call, usable)
            case Route.HASH:
                return _hashed(call, usable)
            case Route.BROADCAST:
                raise InvalidArgument(
                    "a job runs on one game server: start one for each with route=targeted "
                    "(GET /api/function_instances lists them), or run a call with route=broadcast"
                )

    def everyone(self, call: Call) -> tuple[list[Target], list[Skipped]]:
        """Every healthy game server that offers the function, and those that were left out.

        Raises as `route` does when nobody is left, InvalidArgument when there are more than MOST_TARGETS.
        """
        usable = self._usable(call)
        targets, skipped = _healthy(call, usable)
        if not targets:
            raise _all_ill(call, [each.service_id or each.agent_id for each in skipped])
        if len(targets) > MOST_TARGETS:
            raise InvalidArgument(
                f"{len(targets)} game servers offer {call.function_id}; a broadcast reaches at most {MOST_TARGETS}: "
                "narrow it by version, or call each with route=targeted"
            )
        asked = {agent.agent_id for agent in usable}
        away = [agent for agent in self.offering(call).values() if not agent.usable and agent.agent_id not in asked]
        skipped += [
            Skipped(agent.agent_id, offer.service_id, _away(agent)) for agent in away for offer in _offers(call, agent)
        ]
        return targets, skipped[:MOST_TARGETS]

    async def wait(self, call: Call, choose: Callable[[Call], T], deadline: float) -> T:
        """What `choose` (`well` or `everyone`) finds, as soon as it finds somebody; at most `call.wait_for` seconds and
        until `deadline`, on the loop's clock.

        Raises what `choose` raised last; what waiting cannot mend, at once.
        """
        end = min(deadline, asyncio.get_running_loop().time() + call.wait_for)
        while True:
            try:
                return choose(call)
            except (NotFound, Unavailable) as error:
                missing = error
            try:
                async with asyncio.timeout_at(end):
                    await self._agents.change(call.scope, call.function_id)
            except TimeoutError:
                raise missing from None

    def well(self, call: Call) -> Target:
        """As `route`, but only somebody who answers: for a call that may rather wait."""
        target = self.route(call)
        agent = self.offering(call)[target.link.agent_id]
        if _is_well(call, agent, target.service_id):
            return target
        raise _all_ill(call, [target.service_id or target.link.agent_id])

    def require_offered(self, scope: Scope, function_id: str) -> None:
        """Raises NotFound for a function that nobody has, Unavailable for one whose game servers may be on their way back."""
        if not self._agents.offering(scope, function_id):
            raise self._nobody(scope, function_id, [])

    def offering(self, call: Call) -> Mapping[str, Agent]:
        """Every agent of the call's scope that offers its function, by id."""
        return self._agents.offering(call.scope, call.function_id)

    def _usable(self, call: Call) -> list[Agent]:
        """The agents that could take the call now; never empty.

        One that moves from edge to edge is the last choice, but where the choice is not free it keeps its place.
        """
        offering = self.offering(call).values()
        usable = [agent for agent in offering if agent.usable]
        if not usable or call.route is not Route.LB:
            usable += self._agents.moving(offering)
        if not usable:
            raise self._nobody(call.scope, call.function_id, list(offering))
        return _with_version(call, usable) if call.version else usable

    def _nobody(self, scope: Scope, function_id: str, offering: list[Agent]) -> NotFound | Unavailable:
        if offering:
            return Unavailable(
                f"no agent available for {function_id} in {scope}: "
                f"{_names(offering)} offered it and is not connected now; try again when it is back",
                {"function": function_id, "scope": str(scope), "agents": _names(offering)},
                code=Code.AGENTS_AWAY,
            )
        if name := self._agents.left(scope, function_id):
            return Unavailable(
                f"no agent available for {function_id} in {scope}: {name} offered it until a moment ago; nothing ran, "
                "try again when it is back",
                {"function": function_id, "scope": str(scope), "names": name},
                code=Code.GAME_SERVERS_AWAY,
            )
        if self._agents.returning:
            return self._returning(scope, function_id)
        elsewhere = sorted(
            {
                str(other)
                for (other, known) in self._agents.functions()
                if known == function_id and other.game_id == scope.game_id  # other games are none of its caller's
            }
        )
        hint = f"; it exists in {', '.join(elsewhere[:5])}" if elsewhere else ""
        return NotFound(
            f"unknown function {function_id} in {scope}: no agent available there offers it{hint}; "
            "check the id, and that the game server is running and attached to its agent",
            {"function": function_id, "scope": str(scope), "elsewhere": ", ".join(elsewhere[:5])},
            code=Code.FUNCTION_UNKNOWN,
        )

    def _targeted(self, call: Call, usable: list[Agent]) -> Target:
        target = call.target_service_id
        if not target:
            raise InvalidArgument("route targeted needs target_service_id", code=Code.TARGET_MISSING)
        found = [agent for agent in usable if any(offer.service_id == target for offer in _offers(call, agent))]
        if len(found) > 1:  # it moved, and the agent that it left does not know yet; or two have one name
            found = [agent for agent in found if _is_well(call, agent, target)] or found[:1]
        if len(found) > 1:
            raise FailedPrecondition(
                f"two game servers are called {target}, at {_names(found)}: nobody can say which is meant; nothing ran, give "
                "each an id of its own",
                {"target": target, "agents": _names(found)},
                code=Code.TARGET_AMBIGUOUS,
            )
        if found:
            return Target(_link(found[0]), target, 1, choices.NAMED)
        away = [
            agent
            for agent in self.offering(call).values()
            if not agent.usable and any(offer.service_id == target for offer in _offers(call, agent))
        ]
        if away:
            raise self._nobody(call.scope, call.function_id, away)
        if self._agents.went(call.scope, target):
            raise _all_ill(call, [target])
        if self._agents.returning:
            raise self._returning(call.scope, call.function_id)
        raise NotFound(
            f"target service not found: {target} does not offer {call.function_id} in {call.scope}",
            {"target": target, "function": call.function_id, "scope": str(call.scope)},
            code=Code.TARGET_UNKNOWN,
        )

    @staticmethod
    def _returning(scope: Scope, function_id: str) -> Unavailable:
        missing = Unavailable(
            f"no agent available for {function_id} in {scope}: this server was started anew a moment ago and its agents "
            "may be on their way back; nothing ran, try again in a moment",
            {"function": function_id, "scope": str(scope)},
            code=Code.AGENTS_RETURNING,
        )
        missing.retry_after = 1.0
        return missing


def _link(agent: Agent) -> Link:
    if agent.link is None:
        raise Unavailable(f"agent not connected: {agent.agent_id}")
    return agent.link


def _balanced(call: Call, usable: list[Agent]) -> Target:
    """Of two drawn game servers, the one whose agent has fewer calls under way for each of its game servers.

    That is nearly as good as the best of all, without everyone choosing the same one. In a tie, as when nothing is under way,
    the first drawn is taken: every game server then has an equal share.
    """
    if len(usable) == 1:
        return Target(_link(usable[0]))
    weights = [_weight(call, agent) for agent in usable]
    if not any(weights):
        weights = [1] * len(usable)
    chosen = min(_drawn(weights), key=lambda at: _link(usable[at]).outstanding / weights[at])
    return Target(_link(usable[chosen]), "", len(usable), choices.LESS_BUSY)


def _weight(call: Call, agent: Agent) -> int:
    if call.version:
        return sum(offer.healthy for offer in _offers(call, agent))
    return agent.well[call.function_id]


def _drawn(weights: list[int]) -> list[int]:
    """Two different places, drawn by weight; of two as well: in a tie the first drawn is taken."""
    places = range(len(weights))
    first = random.choices(places, weights)[0]  # noqa: S311 — spreads load, no secret
    others = [0 if place == first else weight for place, weight in enumerate(weights)]
    return [first, random.choices(places, others)[0]] if any(others) else [first]  # noqa: S311


def _offers(call: Call, agent: Agent) -> Iterator[Offer]:
    """Those that fit the call's version, if it has one."""
    return (offer for offer in agent.offers(call.function_id) if call.version in {"", offer.version})


def _is_well(call: Call, agent: Agent, service_id: str) -> bool:
    """Whether that game server answers; without a name, any of the agent's."""
    return any(offer.healthy for offer in _offers(call, agent) if service_id in {"", offer.service_id})


def _with_version(call: Call, usable: list[Agent]) -> list[Agent]:
    matching = [agent for agent in usable if any(_offers(call, agent))]
    if not matching:
        found = sorted({offer.version or "(none)" for agent in usable for offer in agent.offers(call.function_id)})
        raise NotFound(
            f"{call.function_id} has no version {call.version} in {call.scope}; there is {', '.join(found)}",
            {
                "function": call.function_id,
                "version": call.version,
                "scope": str(call.scope),
                "versions": ", ".join(found[:20]),
            },
            code=Code.VERSION_UNKNOWN,
        )
    return matching


def _hashed(call: Call, usable: list[Agent]) -> Target:
    """Rendezvous hashing: each game server scores the key, the highest wins; one that leaves moves only its own keys."""
    return _highest(call, _able(call, usable), choices.HASHED)


def _highest(call: Call, able: list[tuple[Offer, Agent]], why: str) -> Target:
    if not call.hash_key:
        raise InvalidArgument("route hash needs hash_key", {"function": call.function_id}, code=Code.HASH_KEY_MISSING)
    offer, agent = max(able, key=lambda each: _score(each[0].service_id or each[1].agent_id, call.hash_key))
    return Target(_link(agent), offer.service_id, len(able), why)


def _able(call: Call, usable: list[Agent]) -> list[tuple[Offer, Agent]]:
    """The healthy game servers, or all when none is."""
    offers = [(offer, agent) for agent in usable for offer in _offers(call, agent)]
    return [(offer, agent) for offer, agent in offers if offer.healthy] or offers


def _split(call: Call, usable: list[Agent], rule: Canary) -> Target:
    """On its side of a canary; on the other when nobody is there, since an answer is worth more than a share."""
    inside = drawn(rule, call)
    able = _able(call, usable)
    side = [(offer, agent) for offer, agent in able if (offer.version == rule.version) is inside]
    how = choices.HASHED if call.route is Route.HASH else choices.DRAWN
    why = choices.by_canary(rule.percent, rule.version, how, inside=inside, empty=not side)
    if call.route is Route.HASH:
        return _highest(call, side or able, why)
    both = random.sample(side or able, min(2, len(side or able)))
    offer, agent = min(both, key=lambda each: _link(each[1]).outstanding / max(1, each[1].well[call.function_id]))
    return Target(_link(agent), offer.service_id, len(side or able), why)


def _score(name: str, key: str) -> bytes:
    return hashlib.blake2b(f"{name}\0{key}".encode(), digest_size=8).digest()


def _healthy(call: Call, usable: list[Agent]) -> tuple[list[Target], list[Skipped]]:
    """Each game server once, however many versions of the function it offers."""
    targets: list[Target] = []
    skipped: list[Skipped] = []
    for agent in usable:
        for service_id, healthy in {offer.service_id: offer.healthy for offer in _offers(call, agent)}.items():
            if healthy:
                targets.append(Target(_link(agent), service_id))
            else:
                skipped.append(Skipped(agent.agent_id, service_id, choices.ILL))
    return targets, skipped


def _all_ill(call: Call, names: list[str]) -> Unavailable:
    return Unavailable(
        f"no healthy game server offers {call.function_id} in {call.scope} ({', '.join(sorted(names)[:5])} does not answer "
        "or drains); nothing ran, try again when it is back",
        {"function": call.function_id, "scope": str(call.scope), "names": ", ".join(sorted(names)[:5])},
        code=Code.GAME_SERVERS_AWAY,
    )


def _away(agent: Agent) -> str:
    return choices.DRAINS if agent.connected else choices.DISCONNECTED


def _names(agents: list[Agent]) -> str:
    return ", ".join(sorted(agent.agent_id for agent in agents)[:5])
