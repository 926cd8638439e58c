import pytest
from tests.unit.agent_parts import ScriptedGameServer, instance

from croupier.agent.instances import DESCRIPTION_BYTES, FUNCTIONS, INSTANCES, LIFE, Instances, InstanceState
from croupier.errors import InvalidArgument, NotFound, RateLimited


class Changes:
    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1


@pytest.fixture
def changes():
    return Changes()


@pytest.fixture
def table(changes):
    return Instances(changes)


def test_a_second_registration_replaces_all_functions_of_the_first(table):
    table.put(instance(functions=("a", "b")))
    table.put(instance(functions=("b", "c")))
    assert sorted(table.functions()) == ["b", "c"]
    assert len(table) == 1


def test_a_removed_instance_offers_nothing(table):
    first = instance()
    table.put(first)
    assert table.remove(first)
    assert not table.offering("player.ban")


def test_removing_what_was_replaced_changes_nothing(table):
    first, second = instance(), instance()
    table.put(first)
    table.put(second)
    assert not table.remove(first)
    assert table.get("game-1") is second


def test_every_change_is_announced_and_a_heartbeat_is_none(table, changes):
    table.put(instance())
    table.set_state(table.get("game-1").server, InstanceState.UNHEALTHY, 1.0)
    assert changes.count == 2
    table.heartbeat("game-1", 2000.0)
    assert changes.count == 2


def test_the_state_of_a_server_that_was_replaced_is_not_heard(table):
    old = ScriptedGameServer()
    table.put(instance(server=old))
    table.put(instance())
    table.set_state(old, InstanceState.UNHEALTHY, 1.0)
    assert table.get("game-1").state is InstanceState.HEALTHY


def test_an_instance_lives_three_of_the_slowest_heartbeats_after_the_last(table):
    table.put(instance(now=1000.0))
    assert LIFE == 180.0
    assert table.expired(1179.9) == []
    table.heartbeat("game-1", 1179.0)
    assert table.expired(1358.9) == []
    assert [each.service.service_id for each in table.expired(1359.0)] == ["game-1"]


def test_an_attached_instance_does_not_expire(table):
    table.put(instance(attached=True))
    assert table.expired(1e12) == []


def test_a_heartbeat_of_an_unknown_service_is_not_found(table):
    with pytest.raises(NotFound, match="register it again"):
        table.heartbeat("game-9", 1.0)


def test_the_server_is_told_who_is_healthy(table):
    table.put(instance("a"))
    table.put(instance("b", state=InstanceState.UNHEALTHY))
    table.put(instance("c", state=InstanceState.DRAINING))
    assert {each.service_id: each.healthy for each in table.services()} == {"a": True, "b": False, "c": False}


@pytest.mark.parametrize(
    ("service_id", "functions", "says"),
    [
        ("", ("f",), "service_id is missing"),
        ("x" * 257, ("f",), "at most 256 bytes"),
        ("é" * 129, ("f",), "at most 256 bytes"),
        ("a\nb", ("f",), "printable"),
        ("game-1", ("",), "a function's id is missing"),
        ("game-1", ("f" * 257,), "at most 256 bytes"),
    ],
)
def test_a_malformed_name_is_refused(table, service_id, functions, says):
    with pytest.raises(InvalidArgument, match=says):
        table.put(instance(service_id, functions))
    assert len(table) == 0


def test_too_many_instances_functions_or_bytes_are_refused_and_a_replacement_is_not(table):
    table.put(instance("big", [f"f{number}" for number in range(FUNCTIONS - 1)]))
    table.put(instance("one", ("f",)))
    with pytest.raises(RateLimited, match="functions together"):
        table.put(instance("two", ("f",)))
    with pytest.raises(RateLimited, match="may offer"):
        table.put(instance("two", [f"f{number}" for number in range(FUNCTIONS + 1)]))
    table.put(instance("one", ("g",)))
    table.put(instance("big", ()))
    with pytest.raises(RateLimited, match="bytes of function descriptions"):
        table.put(instance("two", ("f",), manifest=b"x" * DESCRIPTION_BYTES))
    for number in range(len(table), INSTANCES):
        table.put(instance(f"many-{number}", ()))
    with pytest.raises(RateLimited, match="start another agent"):
        table.put(instance("late", ()))
    table.put(instance("one", ("h",)))
