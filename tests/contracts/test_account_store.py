"""The sentences of `croupier.store.accounts`, each a test, over every implementation."""

import asyncio
from dataclasses import replace

import pytest

from croupier.domain.account import Account
from croupier.domain.credential import ApiToken, Session
from croupier.errors import Conflict, CroupierError
from croupier.store import Store
from croupier.store.accounts import AccountChange


def an_account(account_id: str = "u1", name: str = "ann", **changes) -> Account:
    return Account(**{"id": account_id, "name": name, "created_ms": 1, "changed_ms": 2} | changes)


def a_session(session_id: str = "s1", **changes) -> Session:
    given = {
        "id": session_id,
        "user_id": "u1",
        "secret_sha256": b"d" * 32,
        "created_ms": 1,
        "until_ms": 9,
        "seen_ms": 1,
    }
    return Session(**given | changes)


def a_token(token_id: str = "t1", **changes) -> ApiToken:
    given = {"id": token_id, "user_id": "u1", "name": "ci", "secret_sha256": b"d" * 32, "created_ms": 1, "until_ms": 9}
    return ApiToken(**given | changes)


async def test_everything_of_an_account_is_kept(store: Store):
    whole = an_account(
        display_name="Ann Ä",
        email="ann@example.org",
        groups=frozenset({"ops", "支持"}),
        disabled=True,
        password_hash="$argon2id$x",
        invite_sha256=b"i" * 32,
        invite_until_ms=5,
        created_by="bob",
    )
    await store.accounts.change(AccountChange(accounts=[whole, an_account("u2", "bob")]))
    assert await store.accounts.accounts() == [whole, an_account("u2", "bob")]


async def test_everything_of_sessions_and_tokens_is_kept(store: Store):
    session = a_session(proved_ms=3, address="192.0.2.1", agent="Firefox")
    narrow = a_token(permissions=frozenset({"packs:read"}), scopes=frozenset(), created_by="ann", seen_ms=3)
    await store.accounts.change(AccountChange(sessions=[session], tokens=[a_token("t0"), narrow]))
    assert await store.accounts.sessions() == [session]
    assert await store.accounts.tokens() == [a_token("t0"), narrow]


async def test_what_is_changed_replaces_what_was_kept_under_its_id(store: Store):
    await store.accounts.change(AccountChange(accounts=[an_account()], sessions=[a_session()]))
    changed = an_account(name="anna")
    await store.accounts.change(AccountChange(accounts=[changed], sessions=[a_session(proved_ms=7)]))
    assert await store.accounts.accounts() == [changed]
    assert await store.accounts.sessions() == [a_session(proved_ms=7)]


async def test_what_ended_is_gone(store: Store):
    await store.accounts.change(AccountChange(sessions=[a_session(), a_session("s2")], tokens=[a_token()]))
    await store.accounts.change(AccountChange(ended_sessions=["s1", "never"], ended_tokens=["t1"]))
    assert await store.accounts.sessions() == [a_session("s2")]
    assert await store.accounts.tokens() == []


async def test_two_accounts_with_one_folded_name_are_a_conflict(store: Store):
    await store.accounts.change(AccountChange(accounts=[an_account(name="Straße")]))
    both = [store.accounts.change(AccountChange(accounts=[an_account(f"u{n}", "STRASSE")])) for n in (2, 3)]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Conflict, Conflict]
    assert "STRASSE" in str(answers[0])


async def test_a_change_is_kept_whole_or_not_at_all(store: Store):
    await store.accounts.change(AccountChange(accounts=[an_account()], sessions=[a_session()]))
    twice = [a_session("s2"), a_session("s2")]
    with pytest.raises(CroupierError):
        await store.accounts.change(
            AccountChange(accounts=[an_account(disabled=True)], sessions=twice, ended_sessions=["s1"])
        )
    assert await store.accounts.accounts() == [an_account()]
    assert await store.accounts.sessions() == [a_session()]


async def test_use_is_recorded_with_the_next_change(store: Store):
    await store.accounts.change(AccountChange(sessions=[a_session()], tokens=[a_token()]))
    await store.accounts.seen({"s1": 77, "never": 1}, {"t1": 88})
    await store.accounts.change(AccountChange(accounts=[an_account()]))
    assert await store.accounts.sessions() == [replace(a_session(), seen_ms=77)]
    assert await store.accounts.tokens() == [replace(a_token(), seen_ms=88)]


async def test_accounts_are_there_after_the_store_is_opened_again(stores):
    store = await stores.open()
    await store.accounts.change(AccountChange(accounts=[an_account()]))
    await store.close()
    store = await stores.open()
    assert await store.accounts.accounts() == [an_account()]
    await store.close()
