"""Who may do what where, and what a denial says."""

from dataclasses import replace

import orjson
import pytest

from croupier.descriptors import read_descriptor
from croupier.domain.call import Call
from croupier.domain.policy import BUILTIN, Within, narrowed, read_binding, read_role
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, NotFound, PermissionDenied
from croupier.server.access.guard import Guard
from croupier.server.access.policy import Policy
from croupier.server.access.policy.snapshot import Snapshot

HERE, TEST, THERE = Scope("game1", "prod"), Scope("game1", "test"), Scope("game2", "prod")
ANN = Principal(name="Ann", kind="user", user_id="u1", groups=frozenset({"ops"}))
BOB = Principal(name="bob", kind="user", user_id="u2")
ROOT = Principal(name="developer", root=True)


def policy_of(*bindings, roles=()):
    policy = Policy()
    policy.use(Snapshot([read_role(*role) for role in roles], [read_binding(*each) for each in bindings]))
    return policy


def may(policy, caller, action, scope=HERE):
    return policy.decide(caller, action, scope).allowed


def test_nobody_may_do_anything_until_a_binding_allows_it():
    assert not may(Policy(), ANN, "calls.read")
    assert not Policy().visible(ANN, "calls.read").places
    assert may(policy_of(("user:ann", "viewer")), ANN, "calls.read")


def test_the_token_of_the_settings_may_do_everything():
    assert may(Policy(), ROOT, "packs.change", None)


@pytest.mark.parametrize("subject", ["user:u1", "user:ann", "user:ANN", "group:ops"])
def test_a_binding_names_somebody_by_id_by_name_or_by_group(subject):
    policy = policy_of((subject, "viewer"))
    assert may(policy, ANN, "jobs.read")
    assert not may(policy, BOB, "jobs.read")


def test_nobody_takes_anothers_bindings_by_taking_the_others_id_as_name():
    other = "u" + "0" * 27 + "7"
    policy = policy_of((f"user:{other}", "admin"))
    assert may(policy, replace(BOB, user_id=other), "packs.change", None)
    assert not may(policy, replace(BOB, name=other), "packs.change", None)


def test_a_name_that_no_account_stands_behind_has_no_bindings():
    assert not may(policy_of(("user:ann", "admin")), Principal(name="ann"), "packs.read", None)


@pytest.mark.parametrize(
    ("place", "scopes"),
    [
        (("game1", "prod"), {HERE}),
        (("game1", "*"), {HERE, TEST}),
        (("*", "prod"), {HERE, THERE}),
        (("*", "*"), {HERE, TEST, THERE, None}),
    ],
)
def test_a_binding_holds_where_it_says_and_nowhere_else(place, scopes):
    policy = policy_of(("user:u1", "admin", *place))
    assert {scope for scope in (HERE, TEST, THERE, None) if may(policy, ANN, "packs.read", scope)} == scopes


def test_two_bindings_hold_each_in_its_own_place():
    policy = policy_of(("user:u1", "viewer", "game1", "*"), ("group:ops", "operator", "game2", "prod"))
    assert may(policy, ANN, "function:x.y", THERE)
    assert not may(policy, ANN, "function:x.y", HERE)
    assert policy.roles(ANN, THERE) == ["operator"]
    assert policy.visible(ANN, "calls.read") == Within(frozenset({("game1", "*"), ("game2", "prod")}))


def test_a_change_counts_at_once_although_decisions_are_remembered():
    policy = policy_of(("user:u1", "viewer"))
    assert may(policy, ANN, "calls.read")
    told = []
    policy.on_change(lambda: told.append(policy.epoch))
    policy.use(Snapshot((), ()))
    assert not may(policy, ANN, "calls.read")
    assert told == [policy.epoch]


def test_a_role_of_ones_own_cannot_take_the_name_of_one_that_comes_with_the_program():
    policy = policy_of(("user:u1", "viewer"), roles=[("viewer", ["*"])])
    assert not may(policy, ANN, "packs.change", None)


def test_a_binding_to_a_role_that_is_gone_gives_nothing():
    assert not may(policy_of(("user:u1", "support")), ANN, "calls.read")


def test_a_token_narrows_what_its_account_may():
    policy = policy_of(("user:u1", "admin"))
    token = replace(ANN, permissions=frozenset({"packs.*"}), scopes=frozenset({"game1|*"}))
    assert may(policy, token, "packs.read", HERE)
    assert not may(policy, token, "jobs.read", HERE)
    assert not may(policy, token, "packs.read", THERE)
    assert not may(policy, token, "packs.read", None)
    assert policy.visible(token, "packs.read") == Within(frozenset({("game1", "*")}))
    assert not policy.visible(token, "jobs.read").places
    assert "this token" in policy.decide(token, "jobs.read", HERE).why


def test_a_token_cannot_widen_what_its_account_may():
    policy = policy_of(("user:u1", "viewer"))
    assert not may(policy, replace(ANN, permissions=frozenset({"*"}), scopes=frozenset({"*|*"})), "packs.read")


@pytest.mark.parametrize("limits", [{"permissions": frozenset({"a b"})}, {"scopes": frozenset({"nowhere"})}])
def test_a_token_whose_limits_cannot_be_read_may_do_nothing(limits):
    assert not may(policy_of(("user:u1", "admin")), replace(ANN, **limits), "packs.read")


def test_a_machine_registers_what_it_offers_and_does_nothing_else():
    machine = Principal(name="local", kind="machine")
    assert may(Policy(), machine, "providers.register", None)
    assert not may(Policy(), machine, "providers.manage", None)
    assert not may(Policy(), machine, "function:x", HERE)


def test_a_denial_names_what_is_missing_and_whom_to_ask():
    verdict = policy_of(("user:u1", "viewer")).decide_function(ANN, "player.ban", "player:ban", HERE)
    assert verdict.why == "needs function:player.ban or player:ban in game1|prod; ask an admin of game1"
    assert "administrator of the platform" in policy_of().decide(ANN, "packs.read", None).why


def test_an_allowance_names_its_rule():
    verdict = policy_of(("group:ops", "operator", "game1", "*")).decide(ANN, "function:player.ban", HERE)
    assert verdict.why == "role operator allows function:*, which group:ops has in game1|*"


@pytest.mark.parametrize("held", ["function:player.ban", "function:player.*", "player.ban", "player:ban", "player:*"])
def test_a_function_is_called_by_its_id_or_by_the_permission_that_its_description_states(held):
    policy = policy_of(("user:u1", "gm"), roles=[("gm", [held])])
    assert policy.decide_function(ANN, "player.ban", "player:ban", HERE).allowed


def test_a_stated_permission_counts_for_functions_that_state_it_only():
    policy = policy_of(("user:u1", "gm"), roles=[("gm", ["player:ban"])])
    assert not policy.decide_function(ANN, "player.ban", "", HERE).allowed
    assert policy.decide_function(ANN, "other.name", "player.ban", HERE).allowed


@pytest.mark.parametrize("stated", ["calls.read", "*", "player:*", "not a permission", "x"])
def test_a_description_cannot_open_its_function_by_what_everybody_has(stated):
    assert not policy_of(("user:u1", "viewer")).decide_function(ANN, "player.ban", stated, HERE).allowed


def test_who_looks_as_a_role_has_that_role_and_no_other():
    seen = replace(ROOT, root=False, acting_as="viewer")
    assert may(Policy(), seen, "calls.read")
    assert not may(Policy(), seen, "packs.change", None)
    assert not may(policy_of(("user:u1", "admin")), replace(ANN, acting_as="nothing-known"), "calls.read")


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_roles_that_come_with_the_program_can_be_written_as_ones_own(name):
    role = BUILTIN[name]
    assert read_role("copy", role.permissions, role.description).permissions == role.permissions


@pytest.mark.parametrize(
    "binding",
    [
        ("ann", "viewer"), ("user:", "viewer"), ("robot:x", "viewer"), ("user:a\nb", "viewer"), ("user:ann", "No Role"),
        ("user:ann", "viewer", "", "*"), ("user:ann", "viewer", "ga*", "*"), ("user:ann", "viewer", "*", "a|b"),
        ("user:" + "a" * 300, "viewer"), ("user: ann", "viewer"),
    ],
)  # fmt: skip
def test_what_is_no_binding_is_refused(binding):
    with pytest.raises(InvalidArgument):
        read_binding(*binding)


def test_what_two_limits_leave_is_where_both_hold():
    some = Within(frozenset({("game1", "*"), ("*", "test")}))
    other = Within(frozenset({("*", "prod"), ("game2", "*")}))
    assert narrowed(some, other).places == {("game1", "prod"), ("game2", "test")}


# ---------------------------------------------------------------------------------------------------- through the guard


async def test_a_thing_of_another_game_is_not_there_and_one_of_the_own_game_is_forbidden():
    guard = Guard("token", policy=policy_of(("user:u1", "viewer", "game1", "*"), ("user:u2", "viewer", "game2", "*")))
    await guard.require_of(ANN, "jobs.read", HERE, "j1", unknown="unknown job j1")
    with pytest.raises(PermissionDenied):
        await guard.require_of(ANN, "jobs.cancel", HERE, "j1", unknown="unknown job j1")
    with pytest.raises(NotFound, match="unknown job j1"):
        await guard.require_of(BOB, "jobs.cancel", HERE, "j1", unknown="unknown job j1")


async def test_a_list_of_everything_shows_what_the_caller_may_see():
    guard = Guard("token", policy=policy_of(("user:u1", "viewer", "game1", "*")))
    assert await guard.where(ANN, "jobs.read", None) == Within(frozenset({("game1", "*")}))
    assert await guard.where(ANN, "jobs.read", HERE) is None
    assert await guard.where(ROOT, "jobs.read", None) is None
    for caller, scope in ((ANN, THERE), (BOB, None)):
        with pytest.raises(PermissionDenied):
            await guard.where(caller, "jobs.read", scope)


def a_call(payload=b"{}", **fields):
    return Call(id="c1", function_id="player.ban", scope=HERE, payload=payload, caller="ann", **fields)


def described(**auth):
    return read_descriptor(orjson.dumps({"id": "player.ban", "auth": auth}), "test.json")


async def test_a_call_needs_permission_and_the_condition_of_its_function():
    guard = Guard("token", policy=policy_of(("user:u1", "operator", "game1", "*")))
    description = described(allow_if="has_role('operator') && args.days <= 7")
    await guard.require_call(ANN, a_call(b'{"days": 7}'), description)
    for caller, payload, told in ((ANN, b'{"days": 8}', "does not hold"), (BOB, b'{"days": 1}', "needs function:")):
        with pytest.raises(PermissionDenied, match=told):
            await guard.require_call(caller, a_call(payload), description)
    await guard.require_call(ROOT, a_call(b'{"days": 8}'), description)


async def test_who_looks_as_a_role_runs_nothing():
    guard = Guard("token")
    with pytest.raises(PermissionDenied, match="X-See-As"):
        await guard.require_call(replace(ROOT, root=False, acting_as="admin"), a_call(), None)
