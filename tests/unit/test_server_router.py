"""Who receives a call: scope is a wall, and each route keeps its promise."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.codes import Code
from croupier.domain.call import Call, Result, Route
from croupier.domain.function import FunctionRef, Service
from croupier.domain.routing import Skipped
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.router import MOST_TARGETS, Router, Target
from croupier.tunnel.frames import JobAnswer, JobStarted

HERE, THERE = Scope("demo", "dev"), Scope("demo", "prod")


@dataclass(eq=False)
class StillLink:
    """A way to an agent on which nothing moves: routing looks at it, and sends nothing."""

    agent_id: str
    outstanding: int = 0
    usable: bool = True
    connected: bool = True
    told: list[tuple[str, int, bool]] = field(default_factory=list)

    async def invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        raise Unavailable("nothing moves here")

    async def start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
        raise Unavailable("nothing moves here")

    async def ask(self, job_id: str, timeout: float) -> JobAnswer:
        raise Unavailable("nothing moves here")

    def cancel_job(self, job_id: str, reason: str) -> None: ...

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None: ...

    def pause(self) -> None: ...

    def proceed(self) -> None: ...


def game_server(service_id: str, *functions: str, version: str = "1.0", healthy: bool = True) -> Service:
    return Service(
        service_id=service_id, healthy=healthy, functions=tuple(FunctionRef(name, version) for name in functions)
    )


def table(*agents: Agent) -> Agents:
    made = Agents()
    for agent in agents:
        made.put(agent)
    return made


def reachable(agent_id: str, *services: Service, scope: Scope = HERE, **link: object) -> Agent:
    return Agent(agent_id=agent_id, scope=scope, services=services, link=StillLink(agent_id, **link))  # type: ignore[arg-type]


def call(function_id: str = "f", scope: Scope = HERE, **fields: object) -> Call:
    return Call(id="c", function_id=function_id, scope=scope, payload=b"", caller="x", **fields)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ the wall

names = st.sampled_from(["a", "b", "c"])
scopes = st.builds(Scope, names, names)
services = st.builds(
    game_server,
    st.sampled_from(["s1", "s2", "s3"]),
    names,
    names,
    version=st.sampled_from(["1", "2"]),
    healthy=st.booleans(),
)
agents = st.builds(
    lambda agent_id, scope, offered, usable, by_name: Agent(
        agent_id=agent_id,
        scope=scope,
        services=tuple(offered),
        registered=(FunctionRef(by_name),) if by_name else (),
        link=StillLink(agent_id, usable=usable) if usable is not None else None,
    ),
    st.integers(0, 9).map(str),
    scopes,
    st.lists(services, max_size=3),
    st.sampled_from([True, False, None]),
    st.sampled_from(["", "a", "b", "c"]),
)
calls = st.builds(
    call,
    names,
    scopes,
    route=st.sampled_from(Route),
    hash_key=names,
    target_service_id=st.sampled_from(["s1", "s2", "s3"]),
    version=st.sampled_from(["", "1", "2"]),
)


@given(st.lists(st.tuples(agents, st.booleans()), max_size=12), st.lists(calls, min_size=1, max_size=5))
def test_a_call_never_reaches_an_agent_of_another_scope_or_without_its_function(
    history: list[tuple[Agent, bool]], wanted: list[Call]
) -> None:
    known = Agents()
    for agent, leaves in history:  # agents come, move to another scope, and go
        known.put(agent)
        if leaves:
            known.drop(agent.agent_id)
    for each in wanted:
        for target in targets_of(Router(known), each):
            agent = known.get(target.link.agent_id)
            assert agent is not None
            assert agent.scope == each.scope
            assert agent.usable
            offers = [offer for offer in agent.offers(each.function_id) if each.version in {"", offer.version}]
            assert target.service_id in {"", *(offer.service_id for offer in offers)}
            assert offers


def targets_of(router: Router, wanted: Call) -> list[Target]:
    try:
        return router.everyone(wanted)[0] if wanted.route is Route.BROADCAST else [router.route(wanted)]
    except CroupierError:
        return []


def test_a_function_of_another_scope_is_unknown_and_the_error_names_both() -> None:
    router = Router(table(reachable("x", game_server("s", "f"), scope=THERE)))
    with pytest.raises(NotFound, match=r"unknown function f in demo\|dev: no agent available .* exists in demo\|prod"):
        router.route(call())


def test_an_unknown_function_says_nothing_of_other_games() -> None:
    router = Router(table(reachable("x", game_server("s", "f"), scope=Scope("other", "dev"))))
    with pytest.raises(NotFound, match="unknown function f") as told:
        router.route(call())
    assert "other" not in told.value.message
    assert told.value.details["elsewhere"] == ""


def test_a_function_whose_last_game_server_has_just_gone_is_not_available_instead_of_unknown() -> None:
    agents = table(reachable("a", game_server("s", "f")))
    agents.put(reachable("a"))  # it was started anew, and its game servers have not found it yet
    with pytest.raises(Unavailable, match=r"no agent available for f in demo\|dev: s offered it") as told:
        Router(agents).route(call())
    assert (told.value.code, told.value.details["names"]) == (Code.GAME_SERVERS_AWAY, "s")
    with pytest.raises(NotFound, match="unknown function f"):
        Router(agents).route(call(scope=THERE))


# ------------------------------------------------------------------------------------------------ lb


def test_of_two_agents_the_one_with_fewer_calls_under_way_is_taken() -> None:
    router = Router(
        table(reachable("busy", game_server("s1", "f"), outstanding=3), reachable("free", game_server("s2", "f")))
    )
    assert {router.route(call()).link.agent_id for _ in range(50)} == {"free"}


def test_agents_with_equally_many_calls_share_them() -> None:
    router = Router(table(*(reachable(f"a{n}", game_server(f"s{n}", "f")) for n in range(2))))
    taken = Counter(router.route(call()).link.agent_id for _ in range(400))
    assert min(taken["a0"], taken["a1"]) > 100


def test_an_agent_with_more_game_servers_gets_more_calls() -> None:
    big = reachable("big", *(game_server(f"s{n}", "f") for n in range(9)), game_server("ill", "f", healthy=False))
    router = Router(table(big, reachable("small", game_server("s", "f"), game_server("ill2", "f", healthy=False))))
    taken = Counter(router.route(call()).link.agent_id for _ in range(400))
    assert taken["big"] > 300


def test_while_nothing_is_under_way_every_game_server_has_its_share() -> None:
    big = reachable("big", *(game_server(f"s{n}", "f") for n in range(4)))
    router = Router(table(big, reachable("small", game_server("s", "f"))))
    taken = Counter(router.route(call()).link.agent_id for _ in range(1000))
    assert 100 < taken["small"] < 300


def test_load_is_counted_for_each_game_server_of_an_agent() -> None:
    servers = [game_server(f"s{n}", "f") for n in range(10)]
    router = Router(
        table(reachable("big", *servers, outstanding=8), reachable("small", game_server("s", "f"), outstanding=1))
    )
    assert {router.route(call()).link.agent_id for _ in range(30)} == {"big"}
    router = Router(
        table(reachable("big", *servers, outstanding=30), reachable("small", game_server("s", "f"), outstanding=1))
    )
    assert {router.route(call()).link.agent_id for _ in range(30)} == {"small"}


def test_an_agent_whose_game_servers_are_all_ill_is_taken_only_when_there_is_no_other() -> None:
    ill = reachable("ill", game_server("s1", "f", healthy=False))
    assert Router(table(ill)).route(call()).link.agent_id == "ill"
    router = Router(table(ill, reachable("well", game_server("s2", "f"), outstanding=9)))
    assert {router.route(call()).link.agent_id for _ in range(20)} == {"well"}


def test_an_agent_that_is_not_connected_is_named_in_the_error() -> None:
    router = Router(table(reachable("away", game_server("s", "f"), usable=False)))
    with pytest.raises(Unavailable, match=r"no agent available for f in demo\|dev: away offered it"):
        router.route(call())


def aimed(target: str) -> Call:
    return call(route=Route.TARGETED, target_service_id=target)


def refusal(router: Router, wanted: Call) -> Code | None:
    with pytest.raises((NotFound, Unavailable)) as refused:
        router.route(wanted)
    return refused.value.code


def test_a_target_that_is_away_is_not_called_unknown() -> None:
    now = [100.0]
    known = Agents(lambda: now[0])
    known.put(reachable("a", game_server("s1", "f")))
    known.put(reachable("b", game_server("s2", "f"), game_server("s3", "f"), usable=False))
    router = Router(known)
    assert refusal(router, aimed("s2")) is Code.AGENTS_AWAY
    known.put(reachable("b", game_server("s3", "f")))
    assert router.route(aimed("s3")).service_id == "s3"
    assert refusal(router, aimed("s2")) is Code.GAME_SERVERS_AWAY
    now[0] += 301.0
    assert refusal(router, aimed("s2")) is Code.TARGET_UNKNOWN
    known.drop("b")
    assert refusal(router, aimed("s3")) is Code.GAME_SERVERS_AWAY


def test_of_two_game_servers_with_one_id_the_one_that_answers_is_meant_and_of_two_that_do_none() -> None:
    one, moved = reachable("a", game_server("s1", "f", healthy=False)), reachable("b", game_server("s1", "f"))
    assert Router(table(one, moved)).route(aimed("s1")).link.agent_id == "b"
    router = Router(table(reachable("a", game_server("s1", "f")), moved))
    with pytest.raises(FailedPrecondition, match="two game servers are called s1, at a, b") as refused:
        router.route(aimed("s1"))
    assert refused.value.code is Code.TARGET_AMBIGUOUS


def test_after_a_server_was_started_anew_what_is_unknown_may_be_on_its_way_back() -> None:
    now = [100.0]
    known = Agents(lambda: now[0], returning=15.0)
    router = Router(known)
    assert refusal(router, call()) is Code.AGENTS_RETURNING
    known.put(reachable("a", game_server("s1", "f")))
    assert router.route(call()).link.agent_id == "a"
    assert refusal(router, call("g")) is Code.AGENTS_RETURNING
    assert refusal(router, aimed("s2")) is Code.AGENTS_RETURNING
    now[0] += 15.0
    assert refusal(router, call("g")) is Code.FUNCTION_UNKNOWN
    assert refusal(router, aimed("s2")) is Code.TARGET_UNKNOWN


def moving(agent_id: str, *services: Service) -> Agent:
    """Its edge went away, and it is expected back over another."""
    return reachable(agent_id, *services, usable=False, connected=False)


def test_an_agent_whose_edge_went_away_takes_calls_only_when_there_is_no_other_and_only_for_a_while() -> None:
    there, gone = reachable("a", game_server("g1", "f")), moving("b", game_server("g2", "f"))
    agents = table(there, gone)
    agents.expect(gone, 10.0)
    router = Router(agents)
    assert {router.route(call()).link.agent_id for _ in range(20)} == {"a"}
    agents.drop("a")
    assert router.route(call()).link.agent_id == "b"
    agents.expect(gone, -1.0)
    with pytest.raises(Unavailable, match="not connected now"):
        router.route(call())


def test_where_the_choice_is_not_free_an_agent_that_moves_keeps_its_place() -> None:
    there, gone = reachable("a", game_server("g1", "f")), moving("b", game_server("g2", "f"))
    agents = table(there, gone)
    agents.expect(gone, 10.0)
    router = Router(agents)
    assert router.route(call(route=Route.TARGETED, target_service_id="g2")).link.agent_id == "b"
    hashed = {router.route(call(route=Route.HASH, hash_key=str(key))).link.agent_id for key in range(50)}
    assert hashed == {"a", "b"}
    targets, skipped = router.everyone(call(route=Route.BROADCAST))
    assert {target.service_id for target in targets} == {"g1", "g2"}
    assert [each.service_id for each in skipped] == []


def test_a_version_narrows_every_route() -> None:
    router = Router(
        table(
            reachable("old", game_server("s1", "f", version="1.0")),
            reachable("new", game_server("s2", "f", version="2.0")),
        )
    )
    assert {router.route(call(version="2.0")).link.agent_id for _ in range(20)} == {"new"}
    hashed = [router.route(call(version="2.0", route=Route.HASH, hash_key=str(n))).service_id for n in range(20)]
    assert set(hashed) == {"s2"}
    with pytest.raises(NotFound, match="target service not found: s1"):
        router.route(call(version="2.0", route=Route.TARGETED, target_service_id="s1"))
    with pytest.raises(NotFound, match=r"no version 3 in demo\|dev; there is 1.0, 2.0"):
        router.route(call(version="3"))


# ------------------------------------------------------------------------------------------------ targeted, hash


def test_a_targeted_call_reaches_the_agent_of_its_target() -> None:
    router = Router(
        table(
            reachable("a", game_server("s1", "f"), game_server("s2", "f")), reachable("b", game_server("s3", "f", "g"))
        )
    )
    target = router.route(call(route=Route.TARGETED, target_service_id="s2"))
    assert (target.link.agent_id, target.service_id) == ("a", "s2")
    with pytest.raises(NotFound, match="target service not found: s2 does not offer g"):
        router.route(call("g", route=Route.TARGETED, target_service_id="s2"))
    with pytest.raises(InvalidArgument, match="target_service_id"):
        router.route(call(route=Route.TARGETED))


KEYS = [f"player-{n}" for n in range(600)]


def placed(router: Router) -> dict[str, str]:
    found = {}
    for key in KEYS:
        target = router.route(call(route=Route.HASH, hash_key=key))
        found[key] = target.service_id or target.link.agent_id
    return found


@pytest.mark.parametrize("gone", range(6))
def test_a_game_server_that_leaves_moves_only_its_own_keys(gone: int) -> None:
    everyone = [game_server(f"s{n}", "f") for n in range(6)]
    before = placed(Router(table(reachable("a", *everyone[:3]), reachable("b", *everyone[3:]))))
    left = [one for one in everyone if one.service_id != f"s{gone}"]
    after = placed(Router(table(reachable("a", *left[:2]), reachable("b", *left[2:]))))
    assert all(after[key] == place for key, place in before.items() if place != f"s{gone}")
    assert f"s{gone}" not in after.values()
    assert min(Counter(before.values()).values()) > 50


@given(
    st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=2, max_size=12),
    st.lists(st.text(max_size=20).filter(bool), min_size=1, max_size=30),
    st.randoms(),
)
def test_whoever_leaves_moves_only_its_own_keys_however_the_rest_is_spread_over_agents(
    names: set[str], keys: list[str], chance: random.Random
) -> None:
    ordered = sorted(names)
    gone = chance.choice(ordered)

    def places(present: list[str]) -> dict[str, str]:
        agents = [reachable(f"a{n}", *(game_server(name, "f") for name in present[n::3])) for n in range(3)]
        router = Router(table(*agents))
        return {key: router.route(call(route=Route.HASH, hash_key=key)).service_id for key in keys}

    before, after = places(ordered), places([name for name in ordered if name != gone])
    assert {key for key in keys if before[key] != after[key]} == {key for key in keys if before[key] == gone}


def test_a_ninth_game_server_takes_about_a_ninth_of_the_keys() -> None:
    keys = [f"player-{n}" for n in range(3_000)]

    def places(count: int) -> list[str]:
        router = Router(table(reachable("a", *(game_server(f"s{n}", "f") for n in range(count)))))
        return [router.route(call(route=Route.HASH, hash_key=key)).service_id for key in keys]

    moved = [new for old, new in zip(places(8), places(9), strict=True) if old != new]
    assert set(moved) == {"s8"}
    assert 3_000 / 9 * 0.7 < len(moved) < 3_000 / 9 * 1.3


def test_an_ill_game_server_gives_its_keys_to_the_others() -> None:
    before = placed(Router(table(reachable("a", game_server("s1", "f"), game_server("s2", "f")))))
    after = placed(Router(table(reachable("a", game_server("s1", "f"), game_server("s2", "f", healthy=False)))))
    assert set(before.values()) == {"s1", "s2"}
    assert set(after.values()) == {"s1"}


def test_agents_that_do_not_name_their_game_servers_share_the_keys_too() -> None:
    plain = [
        Agent(agent_id=name, scope=HERE, registered=(FunctionRef("f"),), link=StillLink(name))
        for name in ("a", "b", "c")
    ]
    before, after = placed(Router(table(*plain))), placed(Router(table(*plain[:2])))
    assert set(before.values()) == {"a", "b", "c"}
    assert all(after[key] == place for key, place in before.items() if place != "c")


def test_hash_needs_a_key() -> None:
    router = Router(table(reachable("a", game_server("s", "f"))))
    with pytest.raises(InvalidArgument, match="hash_key"):
        router.route(call(route=Route.HASH))


def test_a_job_cannot_be_a_broadcast_and_the_error_says_what_to_do() -> None:
    router = Router(table(reachable("a", game_server("s", "f"))))
    with pytest.raises(InvalidArgument, match="start one for each with route=targeted"):
        router.route(call(route=Route.BROADCAST))


# ------------------------------------------------------------------------------------------------ broadcast


def everyone(router: Router, **fields: object) -> tuple[list[tuple[str, str]], list[Skipped]]:
    targets, skipped = router.everyone(call(route=Route.BROADCAST, **fields))
    return [(target.link.agent_id, target.service_id) for target in targets], skipped


def test_a_broadcast_reaches_each_healthy_game_server_once_and_says_whom_it_left_out() -> None:
    both = Service(service_id="s2", functions=(FunctionRef("f", "1"), FunctionRef("f", "2")))
    router = Router(
        table(
            reachable("a", game_server("s1", "f"), both, game_server("ill", "f", healthy=False)),
            reachable("b", game_server("s3", "f"), game_server("s4", "g")),
            reachable("away", game_server("s5", "f"), usable=False, connected=False),
            reachable("draining", game_server("s6", "f"), usable=False),
            reachable("other", game_server("s7", "f"), scope=THERE),
        )
    )
    reached, skipped = everyone(router)
    assert reached == [("a", "s1"), ("a", "s2"), ("b", "s3")]
    assert [(each.agent_id, each.service_id) for each in skipped] == [("a", "ill"), ("away", "s5"), ("draining", "s6")]
    assert [each.why for each in skipped[1:]] == ["its agent is not connected", "its agent drains"]
    assert everyone(router, version="2")[0] == [("a", "s2")]


def test_an_agent_that_names_no_game_servers_gets_one_call_of_a_broadcast() -> None:
    plain = Agent(
        agent_id="plain", scope=HERE, registered=(FunctionRef("f"), FunctionRef("f", "2")), link=StillLink("p")
    )
    assert everyone(Router(table(plain)))[0] == [("p", "")]


def test_a_broadcast_that_reaches_nobody_fails_as_any_call() -> None:
    with pytest.raises(NotFound, match="unknown function f"):
        everyone(Router(table()))
    with pytest.raises(Unavailable, match="no agent available"):
        everyone(Router(table(reachable("a", game_server("s", "f"), usable=False))))
    with pytest.raises(
        Unavailable, match=r"no healthy game server offers f in demo\|dev \(s does not answer or drains\)"
    ):
        everyone(Router(table(reachable("a", game_server("s", "f", healthy=False)))))


def test_a_broadcast_to_more_than_a_thousand_game_servers_is_refused_and_names_their_number() -> None:
    agents = [reachable(f"a{n}", *(game_server(f"s{n}-{m}", "f") for m in range(500))) for n in range(3)]
    assert len(everyone(Router(table(*agents[:2])))[0]) == MOST_TARGETS
    with pytest.raises(InvalidArgument, match="1500 game servers offer f; a broadcast reaches at most 1000"):
        everyone(Router(table(*agents)))
