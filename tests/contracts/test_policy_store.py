"""The sentences of `croupier.store.policy`, each a test, over every implementation."""

from dataclasses import replace

from croupier.domain.policy import Binding, Role
from croupier.store import Store
from croupier.store.policy import PolicyChange

SUPPORT = Role(name="support", permissions=frozenset({"function:player.*", "calls:read"}), description="客服")
ANN = Binding(subject="user:ann", role="support", game_id="game1", env="prod", created_by="root", created_ms=5)
OPS = Binding(subject="group:ops", role="operator")


async def test_roles_and_bindings_are_kept_as_they_were(store: Store):
    await store.policy.change(PolicyChange(roles=[SUPPORT], bindings=[ANN, OPS]))
    assert await store.policy.roles() == [SUPPORT]
    kept = await store.policy.bindings()
    assert kept == [OPS, ANN]
    assert (kept[1].created_by, kept[1].created_ms) == ("root", 5)


async def test_a_role_and_a_binding_replace_what_was_kept_of_the_same(store: Store):
    await store.policy.change(PolicyChange(roles=[SUPPORT], bindings=[ANN]))
    changed = replace(SUPPORT, permissions=frozenset({"calls:read"}))
    await store.policy.change(PolicyChange(roles=[changed], bindings=[replace(ANN, created_by="bob")]))
    assert await store.policy.roles() == [changed]
    assert [each.created_by for each in await store.policy.bindings()] == ["bob"]


async def test_what_is_forgotten_is_gone_and_nothing_else(store: Store):
    await store.policy.change(PolicyChange(roles=[SUPPORT], bindings=[ANN, OPS, replace(ANN, env="test")]))
    await store.policy.change(PolicyChange(forgotten_roles=["support", "unknown"], forgotten_bindings=[ANN, ANN]))
    assert await store.policy.roles() == []
    assert await store.policy.bindings() == [OPS, replace(ANN, env="test")]


async def test_thousands_are_kept_at_once_and_found_again(stores):
    store = await stores.open()
    bindings = [replace(ANN, subject=f"user:u{number:05}") for number in range(3_000)]
    await store.policy.change(PolicyChange(bindings=bindings))
    await store.close()
    store = await stores.open()
    assert await store.policy.bindings() == bindings
    await store.close()
