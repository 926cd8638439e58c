"""What people's addresses take and answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from croupier.domain.account import Account
from croupier.domain.credential import ApiToken, Session
from croupier.domain.principal import Principal
from croupier.server.http.openapi import reference


class SetupBody(msgspec.Struct, kw_only=True):
    """The body of `/api/setup`: who the first administrator is."""

    token: str
    """What stands behind `#` in the setup link."""
    name: str
    password: str
    display_name: str = ""


class InvitationBody(msgspec.Struct, kw_only=True):
    """The body of `/api/setup/password`."""

    invitation: str
    password: str


class LoginBody(msgspec.Struct, kw_only=True):
    """The body of `/api/login`."""

    name: str
    password: str
    code: str = ""
    """Of the second factor, where the account has one."""


class TicketBody(msgspec.Struct, kw_only=True):
    """The body of `/api/login/ticket`."""

    ticket: str
    """What stands behind `#ticket=` in the link."""


class PasswordBody(msgspec.Struct, kw_only=True):
    """The body of `/api/me/password`."""

    current: str
    password: str


class UserBody(msgspec.Struct, kw_only=True):
    """The body of `POST /api/users`. Without a password the answer holds an invitation."""

    name: str
    display_name: str = ""
    email: str = ""
    groups: list[str] = []
    password: str = ""


class UserChange(msgspec.Struct, kw_only=True):
    """The body of `PATCH /api/users/{user_id}`: what is left out stays."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET
    groups: list[str] | msgspec.UnsetType = msgspec.UNSET


class NewPasswordBody(msgspec.Struct, kw_only=True):
    """The body of `/api/users/{user_id}/password`. Without a password the answer holds an invitation."""

    password: str = ""


class TokenBody(msgspec.Struct, kw_only=True):
    """The body of `POST /api/tokens`."""

    name: str
    expires_in: float | str
    """Seconds, or like "12h", "90d"; at most a year."""
    permissions: list[str] | None = None
    """No more than these, whatever the account may; left out: no limit."""
    scopes: list[str] | None = None
    """`game|env`, with `*` for any; left out: no limit."""
    user_id: str = ""
    """Whose it is; left out: the caller's."""


BODIES: tuple[type, ...] = (
    SetupBody,
    InvitationBody,
    LoginBody,
    TicketBody,
    PasswordBody,
    UserBody,
    UserChange,
    NewPasswordBody,
    TokenBody,
)


def takes(body: type) -> Mapping[str, Any]:
    """What OpenAPI says of the request body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference(body.__name__)}}}}


@dataclass(frozen=True, kw_only=True, slots=True)
class UserEntry:
    user_id: str
    name: str
    display_name: str
    email: str
    groups: list[str]
    disabled: bool
    has_password: bool
    invited_until_ms: int
    """0: nobody is invited."""
    created_by: str
    created_ms: int
    changed_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UserList:
    users: list[UserEntry]
    next: str
    """`after` of the next page; empty when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserInvited:
    user: UserEntry
    invitation: str | None
    """The secret that sets a password once, shown here and never again; null where a password was given."""
    link: str | None
    """Where a browser takes it, under `server.public_url`; null where the server does not know under which address people open it."""
    invited_until_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Who somebody is, and how they are known."""

    name: str
    kind: str
    """user: signed in · token: by an API token, or the token of the settings."""
    root: bool
    """The bearer of the settings' token, who may do everything."""
    user: UserEntry | None
    session_id: str
    expires_ms: int
    """When the session ends at the latest; 0: by no session."""
    proved_ms: int
    csrf_token: str
    """To be sent as X-CSRF-Token with what changes something; empty where no cookie was sent."""
    permissions: list[str] | None
    scopes: list[str] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionEntry:
    session_id: str
    user_id: str
    user_name: str
    address: str
    agent: str
    created_ms: int
    last_used_ms: int
    expires_ms: int
    proved_ms: int
    """When a second factor was last proved; 0 is never."""
    current: bool
    """Whether it is the one that asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionList:
    sessions: list[SessionEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenEntry:
    token_id: str
    user_id: str
    user_name: str
    name: str
    permissions: list[str] | None
    scopes: list[str] | None
    created_by: str
    created_ms: int
    last_used_ms: int
    expires_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenList:
    tokens: list[TokenEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewToken:
    token: str
    """Shown here and never again."""
    entry: TokenEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    sessions: int
    tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedSession:
    session_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedToken:
    token_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordSet:
    name: str
    """Of the account, to sign in with."""


def user_entry(account: Account, now_ms: int) -> UserEntry:
    return UserEntry(
        user_id=account.id,
        name=account.name,
        display_name=account.display_name,
        email=account.email,
        groups=sorted(account.groups),
        disabled=account.disabled,
        has_password=bool(account.password_hash),
        invited_until_ms=account.invite_until_ms if account.invited(now_ms) else 0,
        created_by=account.created_by,
        created_ms=account.created_ms,
        changed_ms=account.changed_ms,
    )


def session_entry(session: Session, seen_ms: int, owner: Account | None, caller: Principal) -> SessionEntry:
    return SessionEntry(
        session_id=session.id,
        user_id=session.user_id,
        user_name=owner.name if owner is not None else "",
        address=session.address,
        agent=session.agent,
        created_ms=session.created_ms,
        last_used_ms=seen_ms,
        expires_ms=session.until_ms,
        proved_ms=session.proved_ms,
        current=session.id == caller.credential,
    )


def token_entry(token: ApiToken, seen_ms: int, owner: Account | None) -> TokenEntry:
    return TokenEntry(
        token_id=token.id,
        user_id=token.user_id,
        user_name=owner.name if owner is not None else "",
        name=token.name,
        permissions=names(token.permissions),
        scopes=names(token.scopes),
        created_by=token.created_by,
        created_ms=token.created_ms,
        last_used_ms=seen_ms,
        expires_ms=token.until_ms,
    )


def names(limit: frozenset[str] | None) -> list[str] | None:
    return None if limit is None else sorted(limit)
