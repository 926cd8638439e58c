"""Roles and bindings as they are changed: by whom, how far, and never so that nobody is left."""

from dataclasses import replace

import pytest
from tests.planes.audit_testbed import AuditInMemory
from tests.planes.policy_testbed import PolicyInMemory

from croupier.domain.policy import read_binding, read_role
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Conflict, CroupierError, FailedPrecondition, NotFound, PermissionDenied, Unavailable
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.access.roles import Roles

ROOT = Principal(name="developer", root=True)
ANN = Principal(name="ann", kind="user", user_id="u1")
BOB = Principal(name="bob", kind="user", user_id="u2")
SUPPORT = read_role("support", ["function:player.*", "calls:read"])
HERE = Scope("game1", "prod")


class Bed:
    def __init__(self) -> None:
        self.guard = Guard("the-token")
        self.store = PolicyInMemory()
        self.notes = AuditInMemory()
        self.roles = Roles(guard=self.guard, store=self.store, audit=Audit(self.notes, Masker(b"key")), clock=lambda: 5)

    def may(self, caller, action, scope=HERE):
        return self.guard.policy.decide(caller, action, scope).allowed


@pytest.fixture
async def bed():
    bed = Bed()
    await bed.roles.begin()
    return bed


@pytest.fixture
async def ruled(bed):
    """Ann may do everything, bob everything in game1."""
    await bed.roles.grant_admin("u1")
    await bed.roles.bind(ROOT, read_binding("user:bob", "admin", "game1"))
    return bed


async def test_what_was_changed_counts_at_once_and_after_a_restart(ruled):
    await ruled.roles.put_role(ANN, SUPPORT)
    await ruled.roles.bind(ANN, read_binding("user:carl", "support", "game1", "prod"))
    carl = Principal(name="Carl", kind="user", user_id="u3")
    again = Roles(guard=Guard("t"), store=ruled.store, audit=Audit(ruled.notes, Masker(b"key")), clock=lambda: 6)
    await again.begin()
    for policy in (ruled.guard.policy, again._policy):
        assert policy.decide(carl, "function:player.ban", HERE).allowed
        assert not policy.decide(carl, "function:player.ban", Scope("game1", "test")).allowed


async def test_to_bind_once_more_changes_nothing(ruled):
    first = await ruled.roles.bind(ANN, read_binding("user:carl", "viewer"))
    count = len(ruled.store.changes)
    assert await ruled.roles.bind(ANN, read_binding("user:CARL", "viewer")) == first
    assert len(ruled.store.changes) == count


async def test_nobody_without_the_permission_changes_or_reads_anything(bed):
    for deed in (
        bed.roles.put_role(ANN, SUPPORT),
        bed.roles.remove_role(ANN, "support"),
        bed.roles.bind(ANN, read_binding("user:ann", "admin")),
        bed.roles.apply(ANN, [], [], prune=True, dry_run=True),
        bed.roles.roles(ANN),
        bed.roles.bindings(ANN),
    ):
        with pytest.raises(PermissionDenied):
            await deed
    assert not bed.store.changes


async def test_an_administrator_of_a_game_lets_people_into_that_game_only(ruled):
    await ruled.roles.bind(BOB, read_binding("user:carl", "operator", "game1", "test"))
    for place in (("*", "*"), ("game2", "*"), ("*", "prod")):
        with pytest.raises(PermissionDenied, match="ask an administrator"):
            await ruled.roles.bind(BOB, read_binding("user:carl", "viewer", *place))
    with pytest.raises(PermissionDenied):
        await ruled.roles.put_role(BOB, SUPPORT)


async def test_an_administrator_of_a_game_sees_the_bindings_of_that_game_only(ruled):
    await ruled.roles.bind(ANN, read_binding("user:carl", "viewer", "game2"))
    assert [each.place for each in await ruled.roles.bindings(BOB)] == ["game1|*"]
    assert len(await ruled.roles.bindings(ANN)) == 3
    foreign = next(each for each in await ruled.roles.bindings(ANN) if each.game_id == "game2")
    with pytest.raises(NotFound):
        await ruled.roles.unbind(BOB, foreign.id)


async def test_nobody_gives_what_he_has_not(ruled):
    keeper = Principal(name="keeper", kind="user", user_id="u4")
    await ruled.roles.put_role(ANN, read_role("keeper", ["roles:*", "calls:read"]))
    await ruled.roles.bind(ANN, read_binding("user:keeper", "keeper"))
    await ruled.roles.put_role(keeper, read_role("reader", ["calls:read"]))
    for deed in (
        ruled.roles.put_role(keeper, read_role("keeper", ["*"])),
        ruled.roles.put_role(keeper, read_role("more", ["jobs:read"])),
        ruled.roles.bind(keeper, read_binding("user:keeper", "admin")),
        ruled.roles.apply(keeper, [read_role("all", ["*"])], [], prune=False, dry_run=False),
        ruled.roles.apply(keeper, [], [read_binding("user:keeper", "viewer")], prune=False, dry_run=False),
    ):
        with pytest.raises(PermissionDenied, match="nobody gives what he has not"):
            await deed


async def test_a_token_gives_no_more_than_it_has(ruled):
    token = replace(ANN, permissions=frozenset({"roles:*", "calls:read"}))
    await ruled.roles.put_role(token, read_role("reader", ["calls:read"]))
    with pytest.raises(PermissionDenied):
        await ruled.roles.bind(token, read_binding("user:eve", "admin"))


async def test_roles_that_come_with_the_program_stay_as_they_are(ruled):
    for deed in (ruled.roles.put_role(ANN, read_role("viewer", ["*"])), ruled.roles.remove_role(ANN, "auditor")):
        with pytest.raises(Conflict, match="copy it"):
            await deed


async def test_a_role_that_somebody_has_is_not_removed(ruled):
    await ruled.roles.put_role(ANN, SUPPORT)
    bound = await ruled.roles.bind(ANN, read_binding("user:carl", "support"))
    with pytest.raises(FailedPrecondition, match="user:carl"):
        await ruled.roles.remove_role(ANN, "support")
    await ruled.roles.unbind(ANN, bound.id)
    await ruled.roles.remove_role(ANN, "support")
    with pytest.raises(NotFound, match="unknown role"):
        await ruled.roles.role(ANN, "support")


async def test_a_role_that_is_not_there_cannot_be_given(ruled):
    with pytest.raises(NotFound, match="unknown role"):
        await ruled.roles.bind(ANN, read_binding("user:carl", "nothing"))


async def test_the_last_administrator_stays(ruled):
    own = next(each for each in await ruled.roles.bindings(ANN) if each.subject == "user:u1")
    for deed in (
        ruled.roles.unbind(ANN, own.id),
        ruled.roles.unbind(ROOT, own.id),
        ruled.roles.apply(ANN, [], [], prune=True, dry_run=False),
        ruled.roles.apply(ANN, [], [], prune=True, dry_run=True),
        ruled.roles.apply(ANN, [], [read_binding("group:admins", "admin")], prune=True, dry_run=False),
    ):
        with pytest.raises(FailedPrecondition, match="nobody would be left"):
            await deed
    await ruled.roles.bind(ANN, read_binding("user:carl", "admin"))
    await ruled.roles.unbind(ANN, own.id)
    assert not ruled.may(ANN, "calls.read")


async def test_to_apply_a_policy_says_what_changes_and_a_second_time_nothing(ruled):
    bindings = [read_binding("user:u1", "admin"), read_binding("group:gm", "support", "game1")]
    dry = await ruled.roles.apply(ANN, [SUPPORT], bindings, prune=True, dry_run=True)
    assert [role.name for role in dry.added_roles] == ["support"]
    assert [each.subject for each in dry.added_bindings] == ["group:gm"]
    assert [each.subject for each in dry.removed_bindings] == ["user:bob"]
    assert not ruled.store.kept_roles
    assert await ruled.roles.apply(ANN, [SUPPORT], bindings, prune=True, dry_run=False) == dry
    assert (await ruled.roles.apply(ANN, [SUPPORT], bindings, prune=True, dry_run=False)).empty
    changed = replace(SUPPORT, permissions=frozenset({"calls:read"}))
    found = await ruled.roles.apply(ANN, [changed], [], prune=False, dry_run=False)
    assert found.changed_roles == [(SUPPORT, changed)]
    assert not found.removed_bindings


async def test_a_policy_that_names_an_unknown_role_changes_nothing(ruled):
    count = len(ruled.store.changes)
    with pytest.raises(NotFound):
        await ruled.roles.apply(ANN, [SUPPORT], [read_binding("user:x", "suport")], prune=False, dry_run=False)
    assert len(ruled.store.changes) == count


async def test_a_disk_that_refuses_leaves_everything_as_it_was(ruled):
    ruled.store.refusal = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        await ruled.roles.bind(ANN, read_binding("user:carl", "viewer"))
    assert not ruled.may(Principal(name="carl", kind="user", user_id="u3"), "calls.read")


async def test_every_change_is_on_record_with_its_outcome(ruled):
    before = len(ruled.notes.notes)
    await ruled.roles.put_role(ANN, SUPPORT)
    with pytest.raises(CroupierError):
        await ruled.roles.put_role(ANN, read_role("viewer", ["calls:read"]))
    said = [(note.action, str(note.phase.value), note.result) for note in ruled.notes.notes[before:]]
    assert [action for action, _, _ in said] == ["roles.put"] * 4


async def test_a_change_that_takes_something_is_known_to_be_one(ruled):
    policy = ruled.guard.policy
    bound = await ruled.roles.bind(ANN, read_binding("user:carl", "viewer"))
    carl = Principal(name="carl", kind="user", user_id="u3")
    assert not policy.lessened(carl)
    await ruled.roles.unbind(ANN, bound.id)
    assert policy.lessened(carl)
    assert not policy.lessened(ANN)
    assert not policy.lessened(ROOT)
