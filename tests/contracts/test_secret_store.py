"""The sentences of `croupier.store.secrets`, each a test, over every implementation."""

from dataclasses import replace

from croupier.domain.secret import Secret, SecretPlace, SecretVersion, VersionState
from croupier.store import Store

PLACE = SecretPlace("db.password", "demo", "dev")


def a_secret(place: SecretPlace = PLACE, *numbers: int, **changes) -> Secret:
    versions = tuple(
        SecretVersion(
            number=number, key_id="k", wrapped=b"w\x00", sealed=b"s" * 70_000, created_by="ann", created_ms=number
        )
        for number in numbers
    )
    return Secret(**{"place": place, "versions": versions, "changed_by": "ann", "changed_ms": 7} | changes)


async def test_a_secret_is_kept_as_it_was(store: Store):
    secret = a_secret(PLACE, 3, 4, last=9, note="für die Datenbank")
    await store.secrets.put([secret])
    assert await store.secrets.all() == [secret]


async def test_a_secret_replaces_what_was_kept_in_its_place_only(store: Store):
    other = a_secret(SecretPlace("db.password"), 1)
    await store.secrets.put([a_secret(PLACE, 1, 2), other])
    now = a_secret(PLACE, 2, 3)
    now = replace(now, versions=(replace(now.versions[0], state=VersionState.DESTROYED, sealed=b""), now.versions[1]))
    await store.secrets.put([now])
    assert await store.secrets.all() == [other, now]


async def test_a_secret_that_is_removed_is_gone_with_its_versions(store: Store):
    await store.secrets.put([a_secret(PLACE, 1), a_secret(SecretPlace("another"), 1)])
    for _ in range(2):
        await store.secrets.remove(PLACE)
    await store.secrets.put([a_secret(PLACE)])
    assert await store.secrets.all() == [a_secret(SecretPlace("another"), 1), a_secret(PLACE)]
