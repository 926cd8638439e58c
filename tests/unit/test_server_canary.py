"""A share of calls to a new version: of the right size, sticky by key, and never at the price of an answer."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_server_router import HERE, THERE, agents, call, calls, game_server, reachable, table, targets_of

from croupier.domain.call import Call, Route
from croupier.domain.routing import Canary
from croupier.domain.scope import Scope
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.canary import Canaries
from croupier.server.dispatch.preview import preview
from croupier.server.dispatch.router import Router

TABLE = table(
    reachable("a", game_server("old1", "f", version="1"), game_server("new1", "f", version="2")),
    reachable("b", game_server("old2", "f", version="1"), game_server("old3", "f", version="1")),
)


def router(percent: float, agents: Agents = TABLE, *, scope: Scope = HERE) -> Router:
    return Router(agents, Canaries([Canary(scope=scope, function_id="f", version="2", percent=percent)]))


def shares(percent: float, **fields: object) -> Counter[bool]:
    chosen = router(percent)
    return Counter(chosen.route(call(**fields)).service_id == "new1" for _ in range(1_000))


def test_a_canary_gets_its_share_of_the_calls() -> None:
    assert shares(0) == {False: 1_000}
    assert shares(100) == {True: 1_000}
    assert 200 < shares(30)[True] < 400


def test_the_rest_is_spread_over_all_other_game_servers() -> None:
    chosen = router(10)
    taken = Counter(chosen.route(call()).service_id for _ in range(600))
    assert set(taken) == {"old1", "old2", "old3", "new1"}


@pytest.mark.parametrize("route", [Route.LB, Route.HASH])
def test_a_hash_key_stays_on_its_side_and_a_larger_share_keeps_it(route: Route) -> None:
    keys = [f"player-{n}" for n in range(500)]

    def inside(percent: float) -> set[str]:
        chosen = router(percent)
        return {key for key in keys if chosen.route(call(route=route, hash_key=key)).service_id == "new1"}

    small, large = inside(20), inside(50)
    assert small == inside(20)
    assert small < large
    assert 60 < len(small) < 140
    assert inside(100) == set(keys)


def test_a_call_that_chose_for_itself_is_no_part_of_it() -> None:
    chosen = router(100)
    assert chosen.route(call(route=Route.TARGETED, target_service_id="old1")).service_id == "old1"
    assert chosen.route(call(route=Route.HASH, hash_key="k", version="1")).service_id != "new1"
    assert len(chosen.everyone(call(route=Route.BROADCAST))[0]) == 4
    assert "canary" not in router(100, scope=THERE).route(call()).why


def test_when_nobody_healthy_is_on_its_side_the_other_side_takes_the_call() -> None:
    ill = table(
        reachable("a", game_server("old", "f", version="1"), game_server("new", "f", version="2", healthy=False))
    )
    target = router(100, ill).route(call())
    assert target.service_id == "old"
    assert "nobody is there" in target.why
    only = table(reachable("a", game_server("new", "f", version="2")))
    assert router(0, only).route(call()).service_id == "new"


def test_of_two_agents_on_its_side_the_less_busy_one_is_taken() -> None:
    both = table(
        reachable("busy", game_server("s1", "f", version="2"), outstanding=5),
        reachable("free", game_server("s2", "f", version="2")),
    )
    assert {router(100, both).route(call()).link.agent_id for _ in range(20)} == {"free"}


def test_a_preview_says_which_side_a_call_is_on() -> None:
    shown = preview(router(100), call(hash_key="k"))
    assert [each.service_id for each in shown.candidates if each.chosen] == ["new1"]
    assert "canary, 100 % to version 2: in the share" in shown.reason


@given(
    st.lists(agents, max_size=12),
    st.lists(calls, min_size=1, max_size=5),
    st.lists(
        st.builds(
            Canary,
            scope=st.builds(Scope, st.sampled_from("abc"), st.sampled_from("abc")),
            function_id=st.sampled_from("abc"),
            version=st.sampled_from("12"),
            percent=st.floats(0, 100),
        ),
        max_size=5,
    ),
)
def test_a_canary_never_leads_out_of_the_scope(known: list[Agent], wanted: list[Call], rules: list[Canary]) -> None:
    every = Agents()
    for agent in known:
        every.put(agent)
    plain, split = Router(every), Router(every, Canaries(rules))
    for each in wanted:
        targets = targets_of(split, each)
        assert bool(targets) == bool(targets_of(plain, each))
        for target in targets:
            agent = every.get(target.link.agent_id)
            assert agent is not None
            assert (agent.scope, agent.usable) == (each.scope, True)
            assert target.service_id in {"", *(offer.service_id for offer in agent.offers(each.function_id))}
