"""The sentences of `croupier.store.machines`, each a test, over every implementation."""

import asyncio
from dataclasses import replace

from croupier.domain.machine import Certificate, JoinToken, MachineRole
from croupier.store import Store


def a_certificate(serial: str = "ab", **changes) -> Certificate:
    values = {"serial": serial, "identity": "croupier://d/agent/demo/dev/a1", "not_after_ms": 100, "issued_ms": 1}
    return Certificate(**values | changes)


def a_token(name: str = "j1", **changes) -> JoinToken:
    values = {
        "id": name,
        "digest": "cd" * 32,
        "role": MachineRole.AGENT,
        "game_id": "demo",
        "env": "dev",
        "hosts": ("a", "10.0.0.1"),
        "created_ms": 1,
        "created_by": "token:ann",
        "expires_ms": 50,
    }
    return JoinToken(**values | changes)


async def test_a_certificate_replaces_what_was_kept_under_its_serial(store: Store):
    await store.machines.put_certificate(a_certificate("b", issued_ms=2))
    await store.machines.put_certificate(a_certificate("a"))
    revoked = a_certificate("b", issued_ms=2, revoked_ms=9, revoked_by="token:ann", reason="lost")
    await store.machines.put_certificate(revoked)
    assert await store.machines.certificates() == [a_certificate("a"), revoked]


async def test_a_token_is_kept_as_it_is(store: Store):
    await store.machines.put_token(a_token())
    await store.machines.put_token(a_token("j2", created_ms=2, machine_id="a1", hosts=()))
    await store.machines.put_token(replace(a_token(), revoked_ms=7))
    expected = [replace(a_token(), revoked_ms=7), a_token("j2", created_ms=2, machine_id="a1", hosts=())]
    assert await store.machines.tokens() == expected


async def test_a_token_is_used_once_by_whoever_comes_first(store: Store):
    await store.machines.put_token(a_token())
    tries = [store.machines.redeem("j1", a_certificate(f"{n:x}"), 10) for n in range(1, 9)]
    assert sum(await asyncio.gather(*tries)) == 1
    (given,) = await store.machines.certificates()
    (token,) = await store.machines.tokens()
    assert (token.used_ms, token.serial) == (10, given.serial)


async def test_a_token_that_is_over_gives_nothing(store: Store):
    await store.machines.put_token(a_token())
    await store.machines.put_token(a_token("j2", revoked_ms=5))
    assert not await store.machines.redeem("j1", a_certificate(), 50)
    assert not await store.machines.redeem("j2", a_certificate(), 10)
    assert not await store.machines.redeem("j3", a_certificate(), 10)
    assert await store.machines.certificates() == []


async def test_what_is_over_is_forgotten_and_a_bare_revocation_is_not(store: Store):
    bare = Certificate(serial="ff", revoked_ms=3, issued_ms=3)
    for certificate in (a_certificate("a", not_after_ms=10), a_certificate("b", not_after_ms=90), bare):
        await store.machines.put_certificate(certificate)
    await store.machines.put_token(a_token(expires_ms=10))
    await store.machines.forget(50)
    assert [each.serial for each in await store.machines.certificates()] == ["b", "ff"]
    assert await store.machines.tokens() == []


async def test_machines_are_there_after_the_store_is_opened_again(stores):
    store = await stores.open()
    await store.machines.put_certificate(a_certificate())
    await store.machines.put_token(a_token())
    await store.close()
    store = await stores.open()
    assert await store.machines.certificates() == [a_certificate()]
    assert await store.machines.tokens() == [a_token()]
    await store.close()
