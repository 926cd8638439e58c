"""The agents this server can reach, by what they offer.

An agent may be known by its tunnel (it dialled in and registered over it), by ControlService.Register (the contract's
unary way), or both; either alone is enough to call it when there is a way to it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from croupier.domain.function import FunctionRef, Service
from croupier.domain.scope import Scope
from croupier.errors import RateLimited, Unavailable
from croupier.server.dispatch.link import Link, TunnelLink

TTL = 90.0
"""Seconds after its last heartbeat that a registered agent counts as there (contract), or that one which lost its tunnel
is remembered: its functions are then "not available now" instead of unknown."""


ABSENCE = 300.0
"""Seconds after the last game server with a function went in which it is "not available now" instead of unknown: an agent that
is started anew offers nothing until its game servers have found it again."""
MOST_LEFT = 50_000
"""So many functions that nobody offers any more are remembered, and so many game servers that went; the latest."""
RETURN = 15.0
"""Seconds after a server was started anew in which its agents may still be on their way back: a heartbeat, the longest pause of
an agent that dials.
"""

MOST_WAITING = 10_000
"""The most calls that wait for somebody to take them."""


class Offer(NamedTuple):
    """One game server with a function."""

    service_id: str
    """Empty when only the agent is known."""
    version: str
    """The function's."""
    healthy: bool


@dataclass(kw_only=True, slots=True)
class Agent:
    """One agent. Mutable, but only through `Agents`."""

    agent_id: str
    scope: Scope
    version: str = ""
    ip: str = ""
    """As the edge says, if there is one."""
    edge: str = ""
    """The id of the edge it hangs on; empty when it dialled this server itself."""
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
    """When it is forgotten unless it is heard of, on the table's clock; 0 while its tunnel alone keeps it."""
    expected_until: float = 0.0
    """Its edge went away, not it: until then, on the table's clock, it takes new calls, which leave when it is back."""
    link: Link | None = None
    offered: Mapping[str, tuple[Offer, ...]] = field(default_factory=dict)
    """By function id; follows from `services` and `registered`, see `Agents.put`."""
    well: Mapping[str, int] = field(default_factory=dict)
    """How many healthy game servers offer each function; follows likewise."""

    @property
    def connected(self) -> bool:
        """It can be told something now, if only about what it does already."""
        return self.link is not None and self.link.connected

    @property
    def usable(self) -> bool:
        """It takes new calls now."""
        return self.link is not None and self.link.usable

    def offers(self, function_id: str) -> tuple[Offer, ...]:
        return self.offered.get(function_id, ())


def _offered(agent: Agent) -> Mapping[str, tuple[Offer, ...]]:
    """What its game servers say of themselves goes before what the agent registered without naming them."""
    offered: dict[str, list[Offer]] = {}
    for service in agent.services:
        for ref in service.functions:
            offered.setdefault(ref.id, []).append(Offer(service.service_id, ref.version, service.healthy))
    registered: dict[str, list[Offer]] = {}
    for ref in agent.registered:
        registered.setdefault(ref.id, []).append(Offer("", ref.version, healthy=True))
    return {function_id: tuple(offers) for function_id, offers in (registered | offered).items()}


class Agents:
    def __init__(self, clock: Callable[[], float] = time.monotonic, *, returning: float = 0.0) -> None:
        """For `returning` seconds what is unknown may be on its way back: this server knew agents before it was started anew."""
        self._clock = clock
        self._returning_until = clock() + returning
        self._agents: dict[str, Agent] = {}
        self._offering: dict[tuple[Scope, str], dict[str, Agent]] = {}
        self._left: dict[tuple[Scope, str], tuple[str, float]] = {}
        """Functions that nobody offers any more: who did last, and when it went."""
        self._names: dict[str, list[tuple[Scope, str]]] = {}
        """The game servers of each agent."""
        self._gone: dict[tuple[Scope, str], float] = {}
        """Those that went, and when."""
        self._indexed: dict[str, list[tuple[Scope, str]]] = {}
        self._waiting: dict[tuple[Scope, str], set[asyncio.Future[None]]] = {}
        self._waiters = 0
        self._closed = False
        self.revision = 0
        """Another number after every change of who offers what."""

    def __len__(self) -> int:
        return len(self._agents)

    def __iter__(self) -> Iterator[Agent]:
        return iter(list(self._agents.values()))

    def get(self, agent_id: str) -> Agent | None:
        return self._agents.get(agent_id)

    def way_to(self, agent_id: str, scope: Scope) -> Link | None:
        """The link of an agent that is connected now and serves exactly this scope."""
        agent = self._agents.get(agent_id)
        return agent.link if agent is not None and agent.scope == scope and agent.connected else None

    def offering(self, scope: Scope, function_id: str) -> Mapping[str, Agent]:
        """The agents of exactly this scope that offer the function, by id."""
        return self._offering.get((scope, function_id), {})

    def functions(self) -> Mapping[tuple[Scope, str], Mapping[str, Agent]]:
        return self._offering

    def put(self, agent: Agent) -> None:
        """Add or replace, and index what it offers."""
        self.drop(agent.agent_id)
        self._agents[agent.agent_id] = agent
        names = self._names[agent.agent_id] = [(agent.scope, service.service_id) for service in agent.services]
        for name in names:
            self._gone.pop(name, None)
        agent.offered = _offered(agent)
        agent.well = {name: sum(offer.healthy for offer in offers) for name, offers in agent.offered.items()}
        keys = [(agent.scope, function_id) for function_id in agent.offered]
        self._indexed[agent.agent_id] = keys
        for key in keys:
            self._offering.setdefault(key, {})[agent.agent_id] = agent
            self._left.pop(key, None)
        self.announce(agent.agent_id)

    def drop(self, agent_id: str) -> Agent | None:
        self.revision += 1
        for key in self._indexed.pop(agent_id, ()):
            agents = self._offering[key]
            agent = agents.pop(agent_id)
            if not agents:
                del self._offering[key]
                self._leave(key, agent.offers(key[1])[0].service_id or agent_id)
        self._go(self._names.pop(agent_id, ()))
        return self._agents.pop(agent_id, None)

    def _leave(self, key: tuple[Scope, str], name: str) -> None:
        self._left[key] = name, self._clock()
        while len(self._left) > MOST_LEFT:
            del self._left[next(iter(self._left))]

    def _go(self, names: Iterable[tuple[Scope, str]]) -> None:
        now = self._clock()
        for name in names:
            self._gone[name] = now
        while len(self._gone) > MOST_LEFT:
            del self._gone[next(iter(self._gone))]

    @property
    def returning(self) -> bool:
        """Whether the server was started anew so short a time ago that its agents may be on their way back."""
        return self._clock() < self._returning_until

    def went(self, scope: Scope, service_id: str) -> bool:
        """Whether this game server was there not long ago, and is not now."""
        since = self._gone.get((scope, service_id))
        return since is not None and self._clock() - since < ABSENCE

    def left(self, scope: Scope, function_id: str) -> str:
        """The game server, or the agent of one without a name, that offered the function last and went not long ago; empty
        where there is none.
        """
        name, since = self._left.get((scope, function_id), ("", 0.0))
        return name if name and self._clock() - since < ABSENCE else ""

    def disconnected(self, agent: Agent) -> None:
        """Its tunnel is gone: it stays known for its time to live, without a way to it."""
        agent.link = None
        agent.expires = self._clock() + TTL

    # ------------------------------------------------------------------------------------------------ waiting for one

    def announce(self, agent_id: str) -> None:
        """The agent may take calls now: whoever waits for one of its functions looks again."""
        if self._waiting:
            for key in self._indexed.get(agent_id, ()):
                for waiter in self._waiting.get(key, ()):
                    if not waiter.done():
                        waiter.set_result(None)

    async def change(self, scope: Scope, function_id: str) -> None:
        """Until an agent that offers the function there is announced, or the table is closed.

        Raises RateLimited when too many wait, Unavailable after the closing.
        """
        if self._closed:
            raise Unavailable("the server is stopping; the call was not sent and may be repeated")
        if self._waiters >= MOST_WAITING:
            raise RateLimited(f"rate limited: {MOST_WAITING} calls wait for an agent already; try again later")
        key = (scope, function_id)
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, set()).add(waiter)
        self._waiters += 1
        try:
            await waiter
        finally:
            self._waiters -= 1
            self._waiting[key].discard(waiter)
            if not self._waiting[key]:
                del self._waiting[key]

    @property
    def waiting(self) -> int:
        """Calls that wait now."""
        return self._waiters

    def close(self) -> None:
        """Nobody new will come: end every wait."""
        self._closed = True
        for waiters in self._waiting.values():
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    # ------------------------------------------------------------------------------------------------ time

    def expect(self, agent: Agent, seconds: float) -> None:
        """Its edge is gone; an agent that lives comes back over another within so many seconds."""
        agent.expected_until = self._clock() + seconds

    def moving(self, agents: Iterable[Agent]) -> list[Agent]:
        """Those that are expected back. A call that is sent to one of them waits for it, and is not sent if it never comes."""
        now = self._clock()
        return [
            agent for agent in agents if agent.expected_until > now and agent.link is not None and not agent.connected
        ]

    def renew(self, agent_id: str) -> bool:
        """A heartbeat. False when nobody of that id has registered."""
        agent = self._agents.get(agent_id)
        if agent is None or not agent.control_session:
            return False
        agent.expires = self._clock() + TTL
        return True

    def now(self) -> float:
        return self._clock()

    def expire(self) -> list[str]:
        """Forget control registrations that ran out, and agents that no tunnel keeps. Returns the ids that changed."""
        now = self._clock()
        changed = [agent for agent in self._agents.values() if agent.expires and agent.expires <= now]
        for agent in changed:
            agent.expires = 0.0
            agent.control_session = ""
            agent.registered = ()
            if isinstance(agent.link, TunnelLink):
                self.put(agent)
            else:
                self.drop(agent.agent_id)
        return [agent.agent_id for agent in changed]
