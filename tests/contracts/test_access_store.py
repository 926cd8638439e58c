"""The sentences of `croupier.store.second_factors` and `.identities`, each a test, over every implementation."""

from dataclasses import replace

from croupier.domain.identity import IdentityLink
from croupier.domain.second_factor import SecondFactor
from croupier.store import Store

FACTOR = SecondFactor(user_id="u1", sealed=b"\x00\xff", confirmed_ms=5, last_step=58_000_000, recovery=("a", "b"))
LINK = IdentityLink(issuer="https://idp.example", subject="s1", user_id="u1", linked_ms=7)


async def test_a_second_factor_is_kept_as_it_was_given(store: Store):
    await store.second_factors.put(FACTOR)
    assert await store.second_factors.factors() == [FACTOR]


async def test_a_second_factor_replaces_the_one_of_its_user(store: Store):
    other = replace(FACTOR, user_id="u0", recovery=())
    await store.second_factors.put(FACTOR)
    await store.second_factors.put(other)
    spent = replace(FACTOR, last_step=58_000_001, recovery=("b",))
    await store.second_factors.put(spent)
    assert await store.second_factors.factors() == [other, spent]


async def test_a_removed_second_factor_is_gone_and_removing_it_again_does_nothing(store: Store):
    await store.second_factors.put(FACTOR)
    await store.second_factors.remove("u1")
    await store.second_factors.remove("u1")
    assert await store.second_factors.factors() == []


async def test_a_link_is_kept_and_replaces_the_one_of_its_issuer_and_subject(store: Store):
    elsewhere = replace(LINK, issuer="https://other.example")
    await store.identities.link(LINK)
    await store.identities.link(elsewhere)
    anew = replace(LINK, user_id="u2", linked_ms=9)
    await store.identities.link(anew)
    assert await store.identities.links() == [anew, elsewhere]


async def test_both_are_there_after_the_store_is_opened_again(stores):
    store = await stores.open()
    await store.second_factors.put(FACTOR)
    await store.identities.link(LINK)
    await store.close()
    store = await stores.open()
    assert await store.second_factors.factors() == [FACTOR]
    assert await store.identities.links() == [LINK]
    await store.close()
