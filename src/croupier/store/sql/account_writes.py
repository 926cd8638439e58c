"""What can be asked of the writer about people. Applied in the order asked."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, Table, bindparam, delete, insert, select, update

from croupier.codes import Code
from croupier.domain.account import Account
from croupier.domain.credential import ApiToken, Session
from croupier.errors import Conflict, CroupierError
from croupier.store.accounts import AccountChange
from croupier.store.sql.tables import accounts, api_tokens, sessions
from croupier.store.sql.writes import ROW_BYTES, Write

_IDS: BindParameter[Sequence[str]] = bindparam("ids", expanding=True)
_DELETE = {table: delete(table).where(table.c.id.in_(_IDS)) for table in (accounts, sessions, api_tokens)}
_INSERT = {table: insert(table) for table in (accounts, sessions, api_tokens)}
_SEEN = {
    table: update(table).where(table.c.id == bindparam("known")).values(seen_ms=bindparam("at"))
    for table in (sessions, api_tokens)
}
_NAMED = select(accounts.c.id).where(accounts.c.folded == bindparam("name"))


class AccountWrite(Write[None]):
    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> CroupierError | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class ChangeAccounts(AccountWrite):
    change: AccountChange

    @property
    def weight(self) -> int:
        found = self.change
        return ROW_BYTES * (1 + len(found.accounts) + len(found.sessions) + len(found.tokens))

    def run(self, connection: Connection) -> CroupierError | None:
        found = self.change
        for account in found.accounts:
            owner = connection.execute(_NAMED, {"name": account.folded}).scalar_one_or_none()
            if owner not in {None, account.id}:
                return Conflict(
                    f"there is an account {account.name} already: choose another name",
                    {"name": account.name},
                    code=Code.ACCOUNT_EXISTS,
                )
        _replace(connection, accounts, [_account_row(each) for each in found.accounts])
        _replace(connection, sessions, [_session_row(each) for each in found.sessions], found.ended_sessions)
        _replace(connection, api_tokens, [_token_row(each) for each in found.tokens], found.ended_tokens)
        return None


@dataclass(frozen=True, slots=True, eq=False)
class RecordUse(AccountWrite):
    sessions: Mapping[str, int]
    tokens: Mapping[str, int]

    def run(self, connection: Connection) -> None:
        for table, seen in ((sessions, self.sessions), (api_tokens, self.tokens)):
            if seen:
                connection.execute(_SEEN[table], [{"known": known, "at": at} for known, at in seen.items()])


def apply_accounts(connection: Connection, writes: Sequence[AccountWrite]) -> dict[Write[Any], object]:
    return {write: write.run(connection) for write in writes}


def _replace(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], forget: Collection[str] = ()
) -> None:
    names = [*(row["id"] for row in rows), *forget]
    if names:
        connection.execute(_DELETE[table], {"ids": names})
    if rows:
        connection.execute(_INSERT[table], rows)


def _account_row(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "folded": account.folded,
        "display_name": account.display_name,
        "email": account.email,
        "groups": _names(account.groups),
        "disabled": account.disabled,
        "password_hash": account.password_hash,
        "invite_sha256": account.invite_sha256 or None,
        "invite_until_ms": account.invite_until_ms,
        "created_by": account.created_by,
        "created_ms": account.created_ms,
        "changed_ms": account.changed_ms,
    }


def _session_row(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in sessions.c.keys()}  # noqa: SIM118 — a collection of columns, not a dict


def _token_row(token: ApiToken) -> dict[str, Any]:
    row = {name: getattr(token, name) for name in api_tokens.c.keys()}  # noqa: SIM118 — as above
    return row | {"permissions": _limit(token.permissions), "scopes": _limit(token.scopes)}


def _limit(names: frozenset[str] | None) -> str | None:
    return None if names is None else _names(names)


def _names(names: frozenset[str]) -> str:
    return orjson.dumps(sorted(names)).decode()
