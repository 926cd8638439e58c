"""The sentences of `croupier.store.catalog`, each a test, over every implementation."""

from dataclasses import replace

from croupier.domain.assignment import Assignment
from croupier.domain.provider import Provider
from croupier.domain.scope import Scope
from croupier.store import Store

HERE, THERE = Scope("demo", "dev"), Scope("demo", "prod")


def a_provider(provider_id: str = "prom", **changes) -> Provider:
    fields = {
        "owner": "token:ann",
        "manifest": b'{"functions":[]}',
        "sha256": "ab",
        "registered_ms": 1,
        "updated_ms": 2,
    }
    return Provider(**{"id": provider_id, **fields} | changes)


async def test_a_provider_is_kept_as_it_was(store: Store):
    provider = a_provider(version="1.2", lang="go", sdk="croupier-go", manifest=b"x" * 100_000)
    await store.catalog.put_provider(provider)
    assert await store.catalog.providers() == [provider]


async def test_a_provider_replaces_what_was_kept_under_its_id(store: Store):
    await store.catalog.put_provider(a_provider())
    changed = replace(a_provider(), owner="token:bob", manifest=b"{}", updated_ms=3)
    await store.catalog.put_provider(changed)
    assert await store.catalog.providers() == [changed]


async def test_providers_come_in_the_order_of_their_registration(store: Store):
    for name, registered in (("c", 1), ("a", 3), ("b", 1)):
        await store.catalog.put_provider(a_provider(name, registered_ms=registered))
    assert [each.id for each in await store.catalog.providers()] == ["b", "c", "a"]


async def test_a_provider_that_is_removed_is_gone(store: Store):
    await store.catalog.put_provider(a_provider())
    await store.catalog.put_provider(a_provider("other"))
    for _ in range(2):
        await store.catalog.remove_provider("prom")
    assert [each.id for each in await store.catalog.providers()] == ["other"]


async def test_assignments_replace_all_that_were_kept(store: Store):
    assert await store.catalog.assignments() == {}
    first = {HERE: Assignment(["player.*", "mail.send"]), THERE: Assignment([])}
    await store.catalog.put_assignments(first)
    assert await store.catalog.assignments() == first
    await store.catalog.put_assignments({THERE: Assignment(["x"])})
    assert await store.catalog.assignments() == {THERE: Assignment(["x"])}
    await store.catalog.put_assignments({})
    assert await store.catalog.assignments() == {}


async def test_what_the_catalog_needs_is_there_after_the_store_is_opened_again(stores):
    store = await stores.open()
    await store.catalog.put_provider(a_provider())
    await store.catalog.put_assignments({HERE: Assignment(["player.*"])})
    await store.close()
    store = await stores.open()
    assert [each.id for each in await store.catalog.providers()] == ["prom"]
    assert await store.catalog.assignments() == {HERE: Assignment(["player.*"])}
    await store.close()
