"""Who would receive a call: the same answer the router gives, with everybody's reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_server_router import THERE, agents, call, calls, game_server, reachable, table

from croupier.codes import Code
from croupier.domain.call import Call, Route
from croupier.domain.function import Function
from croupier.domain.routing import Candidate
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.hashing import with_hash_key
from croupier.server.dispatch.preview import NAMED, preview
from croupier.server.dispatch.router import Router, Target

ROUTER = Router(
    table(
        reachable("a", game_server("s1", "f"), game_server("s2", "f", version="2.0"), outstanding=3),
        reachable("b", game_server("s3", "f"), game_server("ill", "f", healthy=False)),
        reachable("away", game_server("s4", "f"), usable=False, connected=False),
        reachable("draining", game_server("s5", "f"), usable=False),
        reachable("foreign", game_server("s6", "f"), scope=THERE),
    )
)


def seen(**fields: object) -> dict[str, Candidate]:
    return {each.service_id: each for each in preview(ROUTER, call(**fields)).candidates}


def test_every_game_server_of_the_scope_is_named_with_its_reason() -> None:
    found = seen(route=Route.TARGETED, target_service_id="s1", version="1.0")
    assert {name: (each.chosen, each.why) for name, each in found.items()} == {
        "s1": (True, "it was named as target"),
        "s2": (False, "it has version 2.0, not 1.0"),
        "s3": (False, "another one was named as target"),
        "ill": (False, "it does not answer its agent, or drains"),
        "s4": (False, "its agent is not connected"),
        "s5": (False, "its agent drains"),
    }
    assert (found["s1"].outstanding, found["s1"].usable, found["s1"].healthy) == (3, True, True)
    assert (found["s4"].usable, found["ill"].healthy) == (False, False)


def test_every_reason_has_a_name_beside_its_words() -> None:
    found = seen(route=Route.TARGETED, target_service_id="s1", version="1.0")
    assert {name: each.code for name, each in found.items()} == {
        "s1": Code.CHOSEN_NAMED,
        "s2": Code.VERSION_OTHER,
        "s3": Code.NOT_NAMED,
        "ill": Code.GAME_SERVER_ILL,
        "s4": Code.AGENT_DISCONNECTED,
        "s5": Code.AGENT_DRAINS,
    }
    assert found["s2"].parameters == {"has": "2.0", "wanted": "1.0"}


def test_the_reason_of_the_whole_has_a_name_too() -> None:
    shown = preview(ROUTER, call(route=Route.BROADCAST))
    assert (shown.code, shown.parameters) == (Code.CHOSEN_ALL, {"chosen": "3", "skipped": "3"})
    shown = preview(ROUTER, call(route=Route.TARGETED, target_service_id="s1"))
    assert (shown.code, shown.parameters) == (Code.CHOSEN_NAMED, {"candidates": "1"})
    shown = preview(Router(table(reachable("a", game_server("s1", "f"), game_server("s2", "f")))), call())
    assert (shown.code, shown.parameters) == (Code.CHOSEN_ONLY, {"candidates": "1", "agent": "a"})
    assert shown.candidates[0].parameters == {"within": "true"}
    shown = preview(ROUTER, call("nothing"))
    assert shown.code is Code.FUNCTION_UNKNOWN


def test_a_game_server_that_could_not_answer_is_not_said_to_receive_the_call() -> None:
    for target, why in (("ill", Code.GAME_SERVERS_AWAY), ("s5", Code.AGENTS_AWAY), ("nobody", Code.TARGET_UNKNOWN)):
        shown = preview(ROUTER, call(route=Route.TARGETED, target_service_id=target))
        assert (shown.code, [each for each in shown.candidates if each.chosen]) == (why, [])


def test_the_chosen_ones_come_first() -> None:
    shown = preview(ROUTER, call(route=Route.BROADCAST))
    assert [each.chosen for each in shown.candidates] == [True] * 3 + [False] * 3
    assert shown.reason == "every healthy game server is asked: 3, and 3 are left out"


def test_what_an_agent_decides_is_said_so() -> None:
    only = Router(table(reachable("a", game_server("s1", "f"), game_server("s2", "f"))))
    shown = preview(only, call())
    assert {each.service_id for each in shown.candidates if each.chosen} == {"s1", "s2"}
    assert "it takes its least busy game server" in shown.candidates[0].why
    assert "agent a: the only agent that offers it" in shown.reason


def test_that_nobody_can_take_it_is_an_answer_too() -> None:
    shown = preview(ROUTER, call("nothing"))
    assert (shown.candidates, shown.total) == ((), 0)
    assert "unknown function nothing" in shown.reason
    shown = preview(Router(table(reachable("x", game_server("s", "f"), usable=False))), call())
    assert [each.chosen for each in shown.candidates] == [False]
    assert "no agent available" in shown.reason


def test_a_call_that_could_never_be_routed_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="target_service_id"):
        preview(ROUTER, call(route=Route.TARGETED))


def test_a_preview_names_no_more_than_its_bound_and_says_how_many_there_are() -> None:
    many = [reachable(f"a{n}", *(game_server(f"s{n}-{m}", "f") for m in range(300))) for n in range(4)]
    shown = preview(Router(table(*many)), call(route=Route.TARGETED, target_service_id="s3-299"))
    assert (len(shown.candidates), shown.total) == (NAMED, 1_200)
    assert shown.candidates[0].service_id == "s3-299"


def answering(router: Router, wanted: Call) -> list[Target]:
    try:
        return router.everyone(wanted)[0] if wanted.route is Route.BROADCAST else [router.well(wanted)]
    except CroupierError:
        return []


@given(st.lists(agents, max_size=12), st.lists(calls, min_size=1, max_size=5))
def test_a_preview_shows_its_own_scope_only_and_chooses_as_the_router_does_among_those_that_answer(
    known: list[Agent], wanted: list[Call]
) -> None:
    every = Agents()
    for agent in known:
        every.put(agent)
    router = Router(every)
    for each in wanted:
        try:
            shown = preview(router, each)
        except CroupierError:
            continue
        for candidate in shown.candidates:
            agent = every.get(candidate.agent_id)
            assert agent is not None
            assert agent.scope == each.scope
        chosen = {(one.agent_id, one.service_id) for one in shown.candidates if one.chosen}
        targets = {(target.link.agent_id, target.service_id) for target in answering(router, each)}
        assert bool(chosen) == bool(targets)
        if each.route is not Route.LB:  # which draws
            assert chosen == targets


# ------------------------------------------------------------------------------------------------ keys from payloads

BY_PLAYER = Function(id="f", hash_path="$.player.id")


def hashed(payload: bytes, function: Function = BY_PLAYER) -> str:
    wanted = Call(id="c", function_id="f", scope=THERE, payload=payload, caller="x", route=Route.HASH)
    return with_hash_key(wanted, function).hash_key


def test_the_hash_key_is_what_the_function_names_in_the_payload() -> None:
    assert hashed(b'{"player": {"id": "p1"}}') == "p1"
    assert hashed(b'{"player": {"id": 42}}') == "42"
    assert hashed(b'{"player": {"id": true}}') == "true"
    assert hashed(b'[{"id": "x"}]', Function(id="f", hash_path="$[0]['id']")) == "x"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"{}", r"needs a text or number at \$.player.id"),
        (b'{"player": {"id": {"deep": 1}}}', "needs a text or number"),
        (b'{"player": {"id": ""}}', "needs a text or number"),
        (b'{"player": {"id": null}}', "needs a text or number"),
        (b"not json", "must be JSON"),
        (b'{"player": {"id": "%s"}}' % (b"x" * 1_000_000), "longer than 256 bytes"),
    ],
)
def test_a_payload_without_a_usable_key_is_refused_and_the_error_names_the_place(payload: bytes, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        hashed(payload)


def test_without_a_key_and_without_a_path_the_error_says_both() -> None:
    with pytest.raises(InvalidArgument, match=r"hash_key.*routing\.jsonpath"):
        hashed(b"{}", Function(id="f"))
