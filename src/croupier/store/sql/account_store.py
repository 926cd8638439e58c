from collections.abc import Mapping
from functools import lru_cache

import orjson
from sqlalchemy import Connection, select

from croupier.domain.account import Account
from croupier.domain.credential import ApiToken, Session
from croupier.store.accounts import AccountChange
from croupier.store.sql import tables
from croupier.store.sql.account_writes import ChangeAccounts, RecordUse
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.writer import Writer


class SqlAccountStore:
    """`croupier.store.accounts.AccountStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def change(self, change: AccountChange) -> None:
        await self._writer.submit(ChangeAccounts(change))

    async def seen(self, sessions: Mapping[str, int], tokens: Mapping[str, int]) -> None:
        await self._writer.post(RecordUse(dict(sessions), dict(tokens)))

    async def accounts(self) -> list[Account]:
        return await self._read(_accounts)

    async def sessions(self) -> list[Session]:
        return await self._read(_sessions)

    async def tokens(self) -> list[ApiToken]:
        return await self._read(_tokens)


def _accounts(connection: Connection) -> list[Account]:
    kept = tables.accounts
    # Names are looked up once, not once for each of ten thousand rows; and most accounts are in the same few groups.
    groups_of = lru_cache(maxsize=1024)(_names)
    columns = [column for column in kept.c if column.name != "folded"]
    names = [column.name for column in columns]
    found = []
    for row in connection.execute(select(*columns).order_by(kept.c.created_ms, kept.c.id)):
        fields = dict(zip(names, row, strict=True))
        fields["groups"] = groups_of(fields["groups"])
        fields["invite_sha256"] = fields["invite_sha256"] or b""
        found.append(Account(**fields))
    return found


def _sessions(connection: Connection) -> list[Session]:
    kept = tables.sessions
    rows = connection.execute(select(kept).order_by(kept.c.created_ms, kept.c.id))
    return [Session(**row) for row in rows.mappings()]


def _tokens(connection: Connection) -> list[ApiToken]:
    kept = tables.api_tokens
    found = []
    for row in connection.execute(select(kept).order_by(kept.c.created_ms, kept.c.id)).mappings():
        limits = {"permissions": _limit(row["permissions"]), "scopes": _limit(row["scopes"])}
        found.append(ApiToken(**(dict(row) | limits)))
    return found


def _limit(names: str | None) -> frozenset[str] | None:
    return None if names is None else _names(names)


def _names(names: str) -> frozenset[str]:
    return frozenset(orjson.loads(names))
