"""Accounts, as they are now: all of them in memory, and on disk before they change here."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from croupier.codes import Code
from croupier.domain.account import Account, checked_groups, checked_name, checked_text, folded
from croupier.domain.identifiers import new_id
from croupier.errors import Conflict, NotFound, RateLimited
from croupier.server.access.clock import Clock
from croupier.server.access.epoch import Epoch
from croupier.store.accounts import AccountChange, AccountStore

ACCOUNTS = 100_000

RESERVED = frozenset({"developer", "system", "setup", "nobody"})
"""What records call others than people."""


class Accounts:
    """Asks nobody whether they may: `People` does, for those who come from outside."""

    def __init__(self, *, store: AccountStore, clock: Clock, epoch: Epoch) -> None:
        self._store = store
        self._clock = clock
        self._epoch = epoch
        self._by_id: dict[str, Account] = {}
        self._by_name: dict[str, str] = {}
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        for account in await self._store.accounts():
            self._keep(account)

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, user_id: str) -> Account | None:
        return self._by_id.get(user_id)

    def named(self, name: str) -> Account | None:
        return self._by_id.get(self._by_name.get(folded(name), ""))

    def known(self, user_id: str) -> Account:
        """Raises NotFound."""
        account = self._by_id.get(user_id)
        if account is None:
            raise NotFound(f"unknown user {user_id[:64]}: `croupier user list` shows them")
        return account

    def all(self) -> Sequence[Account]:
        """Those that were made first come first."""
        return list(self._by_id.values())

    async def add(self, name: str, *, user_id: str = "", created_by: str, **fields: Any) -> Account:
        """A new account. Raises InvalidArgument, Conflict when there is one of that name."""
        now = self._clock()
        account = Account(
            id=user_id or new_id("u"),
            name=checked_name(name),
            created_by=created_by,
            created_ms=now,
            changed_ms=now,
            **_checked(fields),
        )
        async with self._changing:
            if self.named(account.name) is not None or account.folded in RESERVED:
                raise Conflict(
                    f"there is an account {account.name} already: choose another name",
                    {"name": account.name},
                    code=Code.ACCOUNT_EXISTS,
                )
            if len(self._by_id) >= ACCOUNTS:
                raise RateLimited(f"there are {ACCOUNTS} accounts already: no more are possible")
            await self._put(account)
        return account

    async def change(self, user_id: str, **fields: Any) -> Account:
        """Change these fields. Whoever remembered what the account may do, asks again. Raises NotFound, InvalidArgument."""
        async with self._changing:
            before = self.known(user_id)
            after = replace(before, **_checked(fields))
            if after != before:
                after = replace(after, changed_ms=self._clock())
                await self._put(after)
        return after

    async def _put(self, account: Account) -> None:
        await self._store.change(AccountChange(accounts=[account]))
        self._keep(account)
        self._epoch.end()

    def _keep(self, account: Account) -> None:
        self._by_id[account.id] = account
        self._by_name[account.folded] = account.id


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    found = dict(fields)
    if "groups" in found:
        found["groups"] = checked_groups(frozenset(found["groups"]))
    for name, what in (("display_name", "a display name"), ("email", "an email address")):
        if name in found:
            found[name] = checked_text(found[name], what, field=name)
    return found
