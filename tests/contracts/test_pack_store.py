"""The sentences of `croupier.store.packs`, each a test, over every implementation."""

from dataclasses import replace

import pytest

from croupier.domain.pack import InstalledPack, PackState, PackVersion
from croupier.errors import CroupierError
from croupier.store import Store


def a_version(digest: str = "ab" * 32, **changes) -> PackVersion:
    return PackVersion(**{"digest": digest, "installed_by": "token:ann", "installed_ms": 1} | changes)


def a_pack(name: str = "prom", *versions: PackVersion, **changes) -> InstalledPack:
    return InstalledPack(
        **{"name": name, "versions": versions or (a_version(),), "changed_by": "token:ann", "changed_ms": 1} | changes
    )


async def test_a_pack_is_kept_with_its_versions_in_their_order(store: Store):
    first = a_version(version="1.0.0", category="metrics", signature='{"key_id":"x"}', signed_by="ops", installed_ms=7)
    pack = a_pack("prom", first, a_version("cd" * 32), first, state=PackState.DISABLED, changed_ms=9)
    await store.packs.replace([pack])
    assert await store.packs.packs() == [pack]


async def test_a_pack_replaces_what_was_kept_under_its_name(store: Store):
    await store.packs.replace([a_pack("prom", a_version(), a_version("cd" * 32)), a_pack("http")])
    changed = a_pack("prom", a_version("ef" * 32), state=PackState.UNINSTALLED, changed_by="token:bob")
    await store.packs.replace([changed])
    assert await store.packs.packs() == [a_pack("http"), changed]


async def test_a_pack_that_is_to_be_forgotten_is_gone(store: Store):
    await store.packs.replace([a_pack("a"), a_pack("b")])
    await store.packs.replace([a_pack("c")], forget=["a", "never"])
    assert [each.name for each in await store.packs.packs()] == ["b", "c"]
    await store.packs.replace([], forget=["b", "c"])
    assert await store.packs.packs() == []


async def test_one_change_of_many_packs_is_kept_whole_or_not_at_all(store: Store):
    await store.packs.replace([a_pack("a")])
    twice = [replace(a_pack("a"), state=PackState.DISABLED), a_pack("b"), a_pack("b")]
    with pytest.raises(CroupierError):
        await store.packs.replace(twice, forget=["a"])
    assert await store.packs.packs() == [a_pack("a")]


async def test_packs_are_there_after_the_store_is_opened_again(stores):
    store = await stores.open()
    await store.packs.replace([a_pack()])
    await store.close()
    store = await stores.open()
    assert await store.packs.packs() == [a_pack()]
    await store.close()
