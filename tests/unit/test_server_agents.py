"""The table of agents, on a clock that the test moves."""

from dataclasses import dataclass

import pytest

from croupier.domain.function import FunctionRef, Service
from croupier.domain.scope import Scope
from croupier.server.dispatch import agents as agents_module
from croupier.server.dispatch.agents import ABSENCE, TTL, Agent, Agents, Offer
from croupier.server.dispatch.link import TunnelLink
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig
from croupier.tunnel.frames import Hello
from croupier.tunnel.peer import AcceptorPeer

SCOPE = Scope("demo", "dev")


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


class Heedless:
    """Takes no notice of what an agent says."""

    def registered(self, *said: object) -> None: ...

    def job_event(self, *said: object) -> None: ...

    def draining(self, *said: object) -> None: ...

    def closed(self, *said: object) -> None: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def agents(clock: Clock) -> Agents:
    return Agents(clock)


def registered(agents: Agents, agent_id: str = "a", *functions: str) -> Agent:
    agent = Agent(
        agent_id=agent_id,
        scope=SCOPE,
        registered=tuple(FunctionRef(name, "1") for name in functions or ("f",)),
        control_session="t1",
        expires=agents.now() + TTL,
    )
    agents.put(agent)
    return agent


def tunnel(agent_id: str = "a") -> TunnelLink:
    hello = Hello(agent_id=agent_id, game_id="demo", env="dev")
    acceptor = Acceptor(hello, session_id="t", incarnation="s", config=AcceptorConfig())
    acceptor.connect(hello, 0.0)
    return TunnelLink(agent_id, AcceptorPeer(acceptor, Heedless()), lambda _link, _event: None)


def test_a_registration_that_is_not_renewed_runs_out_after_its_time(agents: Agents, clock: Clock) -> None:
    registered(agents)
    clock.now += TTL - 1
    assert agents.expire() == []
    clock.now += 1
    assert agents.expire() == ["a"]
    assert agents.get("a") is None
    assert not agents.functions()
    assert not agents.renew("a")


def test_a_heartbeat_renews_for_a_whole_time_to_live(agents: Agents, clock: Clock) -> None:
    registered(agents)
    clock.now += TTL - 1
    assert agents.renew("a")
    clock.now += TTL - 1
    assert agents.expire() == []


def test_only_a_registered_agent_can_be_renewed(agents: Agents) -> None:
    agents.put(Agent(agent_id="dialled", scope=SCOPE))
    assert not agents.renew("dialled")
    assert not agents.renew("nobody")


async def test_an_agent_whose_tunnel_is_up_stays_when_its_registration_runs_out(agents: Agents, clock: Clock) -> None:
    agent = registered(agents)
    agent.link = tunnel()
    clock.now += TTL
    assert agents.expire() == ["a"]
    assert agents.get("a") is agent
    assert agent.connected
    assert not agents.functions()


async def test_an_agent_without_its_tunnel_is_known_for_its_time_to_live(agents: Agents, clock: Clock) -> None:
    agent = Agent(
        agent_id="a", scope=SCOPE, link=tunnel(), services=(Service(service_id="s", functions=(FunctionRef("f"),)),)
    )
    agents.put(agent)
    agents.disconnected(agent)
    assert list(agents.offering(SCOPE, "f")) == ["a"]
    assert not agent.usable
    assert not agents.renew("a")
    clock.now += TTL
    assert agents.expire() == ["a"]
    assert not agents.offering(SCOPE, "f")


def test_who_offered_a_function_last_is_remembered_for_a_while(agents: Agents, clock: Clock) -> None:
    services = (Service(service_id="s", functions=(FunctionRef("f"),)),)
    agents.put(Agent(agent_id="a", scope=SCOPE, services=services, registered=(FunctionRef("g"),)))
    assert agents.left(SCOPE, "f") == ""
    agents.put(Agent(agent_id="a", scope=SCOPE))
    clock.now += ABSENCE - 1
    assert (agents.left(SCOPE, "f"), agents.left(SCOPE, "g")) == ("s", "a")
    assert (agents.left(Scope("other", "prod"), "f"), agents.left(SCOPE, "never")) == ("", "")
    clock.now += 1
    assert agents.left(SCOPE, "f") == ""
    agents.put(Agent(agent_id="a", scope=SCOPE, services=services))
    assert agents.left(SCOPE, "f") == ""


def test_of_functions_that_nobody_offers_any_more_so_many_are_remembered(
    agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents_module, "MOST_LEFT", 2)
    registered(agents, "a", "f", "g", "h")
    agents.drop("a")
    assert [name for name in "fgh" if agents.left(SCOPE, name)] == ["g", "h"]


def test_an_agent_that_moves_to_another_scope_leaves_nothing_behind(agents: Agents) -> None:
    registered(agents, "a", "f", "g")
    other = Scope("other", "prod")
    agents.put(Agent(agent_id="a", scope=other, registered=(FunctionRef("g"),)))
    assert not agents.offering(SCOPE, "f")
    assert not agents.offering(SCOPE, "g")
    assert list(agents.offering(other, "g")) == ["a"]
    assert len(agents) == 1


def test_what_game_servers_say_goes_before_what_their_agent_registered(agents: Agents) -> None:
    agent = Agent(
        agent_id="a",
        scope=SCOPE,
        registered=(FunctionRef("f", "1"), FunctionRef("g", "1")),
        services=(Service(service_id="s", functions=(FunctionRef("f", "2"),), healthy=False),),
    )
    agents.put(agent)
    assert agent.offers("f") == (Offer("s", "2", healthy=False),)
    assert agent.offers("g") == (Offer("", "1", healthy=True),)
    assert agent.offers("h") == ()


async def test_the_way_to_an_agent_leads_into_its_own_scope_only(agents: Agents) -> None:
    link = tunnel()
    agents.put(Agent(agent_id="a", scope=SCOPE, link=link))
    assert agents.way_to("a", SCOPE) is link
    assert agents.way_to("a", Scope("demo", "prod")) is None
    assert agents.way_to("b", SCOPE) is None
