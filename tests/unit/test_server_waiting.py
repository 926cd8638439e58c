"""Calls that would rather wait than fail: woken by the table, bounded, and told the truth at the end."""

import asyncio

import pytest
from tests.unit.test_server_router import HERE, THERE, StillLink, call, game_server, reachable, table

from croupier.domain.call import Route
from croupier.errors import InvalidArgument, NotFound, RateLimited, Unavailable
from croupier.server.dispatch import agents as agents_module
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.router import Router, Target

FOR_EVER = float("inf")


async def begun(agents: Agents, waiting: int = 1) -> None:
    """Until so many calls wait: each of them has looked, and found nobody."""
    async with asyncio.timeout(90):
        while agents.waiting < waiting:  # noqa: ASYNC110 — the table tells waiters, not those who count them
            await asyncio.sleep(0)


def waiting(router: Router, *, wait_for: float = 60.0, **fields: object) -> "asyncio.Future[Target]":
    wanted = call(wait_for=wait_for, **fields)
    return asyncio.ensure_future(router.wait(wanted, router.well, FOR_EVER))


async def test_a_call_waits_for_an_agent_that_offers_its_function() -> None:
    agents = table(reachable("other", game_server("s0", "f"), scope=THERE))
    found = waiting(Router(agents))
    await begun(agents)
    agents.put(reachable("wrong", game_server("s1", "g")))
    agents.put(reachable("foreign", game_server("s2", "f"), scope=THERE))
    agents.put(reachable("right", game_server("s3", "f")))
    assert (await found).link.agent_id == "right"
    assert agents.waiting == 0


async def test_a_call_waits_for_an_agent_that_is_away_to_resume() -> None:
    agent = reachable("a", game_server("s", "f"), usable=False)
    agents = table(agent)
    found = waiting(Router(agents))
    await begun(agents)
    assert isinstance(agent.link, StillLink)
    agent.link.usable = True
    agents.announce("a")
    assert (await found).link is agent.link


@pytest.mark.parametrize("route", [Route.LB, Route.HASH, Route.TARGETED])
async def test_a_call_that_waits_is_not_given_to_an_ill_game_server(route: Route) -> None:
    agents = table(reachable("a", game_server("s", "f", healthy=False)))
    found = waiting(Router(agents), route=route, hash_key="k", target_service_id="s")
    await begun(agents)
    agents.put(reachable("a", game_server("s", "f")))
    assert (await found).link.agent_id == "a"


async def test_a_broadcast_waits_for_the_first_healthy_game_server() -> None:
    agents = table(reachable("a", game_server("s", "f", healthy=False)))
    router = Router(agents)
    wanted = call(route=Route.BROADCAST, wait_for=60.0)
    found = asyncio.ensure_future(router.wait(wanted, router.everyone, FOR_EVER))
    await begun(agents)
    agents.put(reachable("b", game_server("s2", "f")))
    targets, skipped = await found
    assert ([each.service_id for each in targets], [each.service_id for each in skipped]) == (["s2"], ["s"])


async def test_a_wait_that_ends_says_what_was_missing() -> None:
    agents = table()
    with pytest.raises(NotFound, match="unknown function f"):
        await waiting(Router(agents), wait_for=0.01)
    agents.put(reachable("a", game_server("s", "f"), usable=False))
    router = Router(agents)
    with pytest.raises(Unavailable, match="a offered it"):
        await router.wait(call(wait_for=60.0), router.well, asyncio.get_running_loop().time())
    assert agents.waiting == 0


async def test_what_waiting_cannot_mend_fails_at_once() -> None:
    with pytest.raises(InvalidArgument, match="hash_key"):
        await waiting(Router(table(reachable("a", game_server("s", "f")))), route=Route.HASH)


async def test_a_caller_that_gives_up_waits_no_more() -> None:
    agents = table()
    found = waiting(Router(agents))
    await begun(agents)
    found.cancel()
    await asyncio.gather(found, return_exceptions=True)
    assert agents.waiting == 0


async def test_more_waiting_calls_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_module, "MOST_WAITING", 3)
    agents = table()
    found = [waiting(Router(agents)) for _ in range(3)]
    await begun(agents, 3)
    with pytest.raises(RateLimited, match="3 calls wait"):
        await waiting(Router(agents))
    agents.put(reachable("a", game_server("s", "f")))
    assert {each.link.agent_id for each in await asyncio.gather(*found)} == {"a"}


async def test_a_server_that_stops_ends_every_wait() -> None:
    agents = table(Agent(agent_id="a", scope=HERE))
    found = waiting(Router(agents))
    await begun(agents)
    agents.close()
    with pytest.raises(Unavailable, match="the server is stopping"):
        await found
