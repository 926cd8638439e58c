from collections import Counter

import pytest
from tests.unit.agent_parts import instance

from croupier.agent.choice import COMPARED, choose
from croupier.agent.instances import Instances, InstanceState
from croupier.errors import InvalidArgument, NotFound, Unavailable, Unimplemented


@pytest.fixture
def table():
    table = Instances(lambda: None)
    for name in ("a", "b", "c"):
        table.put(instance(name, ("player.ban",), version="1.0.0" if name != "c" else "2.0.0"))
    return table


def chosen(table, **metadata):
    return choose(table, "player.ban", metadata).service.service_id


def test_the_instance_with_the_fewest_calls_under_way_is_chosen(table):
    for name, outstanding in (("a", 2), ("b", 1), ("c", 3)):
        table.get(name).server.outstanding = outstanding
    assert chosen(table) == "b"
    assert chosen(table, route="lb") == "b"


def test_quiet_instances_take_turns(table):
    taken = []
    for turn in range(1, 31):
        taken.append(chosen(table))
        table.get(taken[-1]).server.last_turn = turn
    assert Counter(taken[:3]) == {"a": 1, "b": 1, "c": 1}
    assert taken == taken[:3] * 10


def test_one_that_was_just_started_takes_its_turn_and_not_everything(table):
    for turn, name in enumerate(("a", "b"), 1_000):
        table.get(name).server.last_turn = turn
    taken = []
    for turn in range(2_000, 2_030):
        taken.append(chosen(table))
        table.get(taken[-1]).server.last_turn = turn
    assert Counter(taken) == {"a": 10, "b": 10, "c": 10}


def test_of_many_instances_the_less_busy_of_two_drawn_is_chosen():
    many = Instances(lambda: None)
    for number in range(COMPARED + 4):
        many.put(instance(f"game-{number}", ("player.ban",)))
    busiest = many.get("game-3").server
    busiest.outstanding = 1
    counts = Counter()
    for turn in range(2_000):
        server = choose(many, "player.ban", {}).server
        server.last_turn = turn
        counts[server.service_id] += 1
    assert "game-3" not in counts
    assert len(counts) == COMPARED + 3
    assert max(counts.values()) < 2 * min(counts.values())


def test_a_version_is_a_condition_and_its_absence_names_those_there_are(table):
    assert {chosen(table, version="2.0.0") for _ in range(5)} == {"c"}
    with pytest.raises(NotFound, match=r"no local handler for player.ban in version 3.*there is 1\.0\.0, 2\.0\.0"):
        chosen(table, version="3")


def test_nobody_who_offers_it_is_not_found(table):
    with pytest.raises(NotFound, match=r"no local handler for no\.such"):
        choose(table, "no.such", {})


def test_unhealthy_and_draining_instances_are_passed_over(table):
    table.get("a").state = InstanceState.UNHEALTHY
    table.get("b").state = InstanceState.DRAINING
    assert chosen(table) == "c"


def test_one_that_may_come_back_at_any_moment_is_better_than_none(table):
    for name in ("a", "b"):
        table.get(name).state = InstanceState.UNHEALTHY
    table.get("c").state = InstanceState.WAITING
    assert chosen(table) == "c"


def test_known_but_all_unhealthy_is_unavailable(table):
    for name in ("a", "b", "c"):
        table.get(name).state = InstanceState.UNHEALTHY
    with pytest.raises(Unavailable, match=r"no local handler for player.ban is healthy \(a is unhealthy"):
        chosen(table)


def test_a_target_is_taken_whatever_its_load(table):
    table.get("b").server.outstanding = 1000
    assert chosen(table, route="targeted", target_service_id="b") == "b"


@pytest.mark.parametrize(
    ("metadata", "error", "says"),
    [
        ({"target_service_id": "z"}, NotFound, "target service not found: z"),
        ({}, InvalidArgument, "needs target_service_id"),
        ({"target_service_id": "a", "version": "9"}, NotFound, r"in version 9 on a; there is 1\.0\.0"),
    ],
)
def test_a_target_that_is_not_there_is_said(table, metadata, error, says):
    with pytest.raises(error, match=says):
        chosen(table, route="targeted", **metadata)


def test_a_target_without_the_function_is_not_found(table):
    with pytest.raises(NotFound, match="no local handler for other on a"):
        choose(table, "other", {"route": "targeted", "target_service_id": "a"})


def test_a_target_that_is_unhealthy_is_unavailable(table):
    table.get("a").state = InstanceState.UNHEALTHY
    with pytest.raises(Unavailable):
        chosen(table, route="targeted", target_service_id="a")


def test_a_hash_key_keeps_its_instance_and_only_the_keys_of_one_that_leaves_move(table):
    before = {str(key): chosen(table, route="hash", hash_key=str(key)) for key in range(300)}
    assert set(before.values()) == {"a", "b", "c"}
    table.remove(table.get("b"))
    after = {key: chosen(table, route="hash", hash_key=key) for key in before}
    assert {key for key in before if before[key] != after[key]} == {key for key in before if before[key] == "b"}


def test_hash_without_a_key_and_unknown_routes_are_invalid(table):
    with pytest.raises(InvalidArgument, match="needs hash_key"):
        chosen(table, route="hash")
    with pytest.raises(InvalidArgument, match="unknown route nearest; use lb, targeted or hash"):
        chosen(table, route="nearest")


def test_broadcast_is_not_decided_by_an_agent(table):
    with pytest.raises(Unimplemented, match="broadcast"):
        chosen(table, route="broadcast")
