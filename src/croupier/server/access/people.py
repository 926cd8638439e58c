"""What may be asked about people from outside: their accounts, sessions and tokens. Each use case begins with the guard.

Whoever takes over an account can do what it may, so nobody changes one that may more than they do (`rank`); groups carry rights
of their own and need `roles:manage` besides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from croupier.codes import Code
from croupier.domain.account import Account
from croupier.domain.credential import ApiToken, Session
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.clock import Clock
from croupier.server.access.guard import Guard
from croupier.server.access.login import Login, Visitor
from croupier.server.access.passwords import Passwords, check_new
from croupier.server.access.rank import check_rank
from croupier.server.access.sessions import Sessions
from croupier.server.access.setup import Setup
from croupier.server.access.tokens import Tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Revoked:
    sessions: int
    tokens: int


class People:
    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        clock: Clock,
        accounts: Accounts,
        sessions: Sessions,
        tokens: Tokens,
        passwords: Passwords,
        login: Login,
        setup: Setup,
    ) -> None:
        self._guard = guard
        self._audit = audit
        self.clock = clock
        self._accounts = accounts
        self._sessions = sessions
        self._tokens = tokens
        self._passwords = passwords
        self.login = login
        self.setup = setup

    # ---------------------------------------------------------------------------------------------- accounts

    def me(self, caller: Principal) -> Account | None:
        """The caller's account; None for the bearer of the settings' token."""
        return self._accounts.get(caller.user_id)

    def session(self, caller: Principal) -> Session | None:
        """The session the caller came by, if it was one."""
        return self._sessions.get(caller.credential)

    def session_ends_ms(self, caller: Principal) -> int:
        """When that session ends unless it is used again; 0 where it was none."""
        return self._sessions.ends_ms(caller.credential)

    def owner(self, user_id: str) -> Account | None:
        """Whose a session or a token is, for those who may know of it."""
        return self._accounts.get(user_id)

    async def accounts(self, caller: Principal) -> Sequence[Account]:
        await self._guard.require(caller, "users.read", None)
        return self._accounts.all()

    async def account(self, caller: Principal, user_id: str) -> Account:
        await self._guard.require(caller, "users.read", None, user_id)
        return self._accounts.known(user_id)

    async def named(self, caller: Principal, name: str) -> Account | None:
        await self._guard.require(caller, "users.read", None)
        return self._accounts.named(name)

    async def add(self, caller: Principal, name: str, *, password: str = "", **fields: Any) -> Account:
        """A new account; without a password, its owner is to be invited."""
        await self._guard.require(caller, "users.manage", None)
        if fields.get("groups"):
            await self._guard.require(caller, "roles.manage", None)
        if password:
            check_new(password, name)
            fields["password_hash"] = await self._passwords.hash(password)
        told = {key: fields[key] for key in ("display_name", "email") if key in fields}
        groups = sorted(fields.get("groups", ()))
        async with self._audit.act(caller, "users.add", target=name[:64], details=told | {"groups": groups}) as act:
            account = await self._accounts.add(name, created_by=caller.name, **fields)
            act.add(user_id=account.id)
        return account

    async def change(self, caller: Principal, user_id: str, **fields: Any) -> Account:
        """Change what is named of `display_name`, `email` and `groups`."""
        await self._require_manage(caller, user_id)
        if "groups" in fields:
            await self._guard.require(caller, "roles.manage", None, user_id)
        told = {key: sorted(value) if key == "groups" else value for key, value in fields.items()}
        async with self._audit.act(caller, "users.change", target=self._named(user_id), details=told):
            return await self._accounts.change(user_id, **fields)

    async def disable(self, caller: Principal, user_id: str) -> Account:
        """It can do nothing any more, and nothing goes on for it. Its sessions end; its tokens wait until it is enabled."""
        await self._require_manage(caller, user_id)
        if user_id == caller.user_id:
            raise FailedPrecondition(
                "this is your own account: ask another administrator to disable it", code=Code.ACCOUNT_OWN
            )
        async with self._audit.act(caller, "users.disable", target=self._named(user_id)):
            account = await self._accounts.change(user_id, disabled=True, invite_sha256=b"", invite_until_ms=0)
            await self._sessions.end_all(user_id)
        return account

    async def enable(self, caller: Principal, user_id: str) -> Account:
        await self._require_manage(caller, user_id)
        async with self._audit.act(caller, "users.enable", target=self._named(user_id)):
            return await self._accounts.change(user_id, disabled=False)

    async def invite(self, caller: Principal, user_id: str) -> tuple[str, int]:
        """The secret with which its owner may set a password, and until when. A password it has stays until then."""
        await self._require_manage(caller, user_id)
        if self._accounts.known(user_id).disabled:
            raise FailedPrecondition("this account is disabled: enable it first", code=Code.ACCOUNT_DISABLED)
        async with self._audit.act(caller, "users.invite", target=self._named(user_id)):
            return await self.setup.invite(user_id)

    async def set_password(self, caller: Principal, user_id: str, password: str) -> Account:
        """Set another's password and end their sessions."""
        await self._require_manage(caller, user_id)
        account = self._accounts.known(user_id)
        async with self._audit.act(caller, "users.password", target=account.name):
            return await self._set_password(account, password)

    async def accept(self, visitor: Visitor, invitation: str, password: str) -> Account:
        """Set the password of who was invited, by the secret of the invitation. Raises Unauthenticated, InvalidArgument."""
        account = self.setup.invited(invitation)
        owner = replace(_owner(account), address=visitor.address)
        async with self._audit.act(owner, "me.password", target=account.name):
            await self.setup.accept(invitation, password)
            await self._sessions.end_all(account.id)
        return account

    async def revoke(self, caller: Principal, user_id: str) -> Revoked:
        """End every session and every token of the account."""
        await self._require_manage(caller, user_id)
        account = self._accounts.known(user_id)
        async with self._audit.act(caller, "users.revoke", target=account.name):
            return Revoked(
                sessions=await self._sessions.end_all(account.id), tokens=await self._tokens.end_all(account.id)
            )

    async def change_password(self, caller: Principal, visitor: Visitor, current: str, password: str) -> Account:
        """Change one's own; every session but the one that asks ends."""
        account = self._own(caller)
        await self.login.confirm(visitor, account, current)
        async with self._audit.act(caller, "me.password", target=account.name):
            return await self._set_password(account, password, but=caller.credential)

    async def _set_password(self, account: Account, password: str, *, but: str = "") -> Account:
        check_new(password, account.name)
        hashed = await self._passwords.hash(password)
        changed = await self._accounts.change(account.id, password_hash=hashed, invite_sha256=b"", invite_until_ms=0)
        await self._sessions.end_all(account.id, but=but)
        return changed

    def _own(self, caller: Principal) -> Account:
        account = self._accounts.get(caller.user_id)
        if account is None or self._sessions.get(caller.credential) is None:
            raise PermissionDenied("only who signed in with a name and a password can do this: use /api/login")
        return account

    async def _require_manage(self, caller: Principal, user_id: str) -> None:
        """Raises PermissionDenied, NotFound."""
        await self._guard.require(caller, "users.manage", None, user_id)
        check_rank(self._guard.policy, caller, _owner(self._accounts.known(user_id)))

    def _named(self, user_id: str) -> str:
        return self._accounts.known(user_id).name

    # ---------------------------------------------------------------------------------------------- sessions

    async def sessions(self, caller: Principal, user_id: str = "") -> Sequence[tuple[Session, int]]:
        """Sessions and when each was last used, the newest first: the caller's own, or those of `user_id` (`*`: all)."""
        wanted = await self._whose(caller, user_id, "sessions.manage")
        return [(each, self._sessions.seen_ms(each.id)) for each in reversed(self._sessions.of(wanted))]

    async def end_session(self, caller: Principal, session_id: str) -> None:
        session = self._sessions.get(session_id)
        await self._may_end(caller, session.user_id if session is not None else None, "sessions.manage", session_id)
        async with self._audit.act(caller, "sessions.end", target=session_id):
            await self._sessions.end([session_id])

    # ---------------------------------------------------------------------------------------------- tokens

    async def tokens(self, caller: Principal, user_id: str = "") -> Sequence[tuple[ApiToken, int]]:
        """As `sessions`."""
        wanted = await self._whose(caller, user_id, "tokens.manage")
        return [(each, self._tokens.seen_ms(each.id)) for each in reversed(self._tokens.of(wanted))]

    async def create_token(self, caller: Principal, user_id: str = "", **wanted: Any) -> tuple[ApiToken, str]:
        """A token for the caller, or for `user_id`. A token makes no tokens, so that a stolen one ends when it expires."""
        if self._tokens.get(caller.credential) is not None:
            raise PermissionDenied("a token cannot make tokens: sign in, then make one")
        owner = user_id or caller.user_id
        if not owner:
            raise InvalidArgument("whose token? You came without an account: name the one that it is for")
        if owner != caller.user_id:
            await self._guard.require(caller, "tokens.manage", None, owner)
            await self._require_manage(caller, owner)
        account = self._accounts.known(owner)
        details = {key: sorted(value) if isinstance(value, frozenset) else value for key, value in wanted.items()}
        async with self._audit.act(caller, "tokens.create", target=account.name, details=details) as act:
            token, text = await self._tokens.create(account.id, created_by=caller.name, **wanted)
            act.add(token_id=token.id)
        return token, text

    async def end_token(self, caller: Principal, token_id: str) -> None:
        token = self._tokens.get(token_id)
        await self._may_end(caller, token.user_id if token is not None else None, "tokens.manage", token_id)
        async with self._audit.act(caller, "tokens.end", target=token_id):
            await self._tokens.end([token_id])

    async def _whose(self, caller: Principal, user_id: str, permission: str) -> str:
        """Whose are to be told: an account's id, or nothing for everybody's."""
        wanted = user_id or caller.user_id or "*"
        if wanted != caller.user_id:
            await self._guard.require(caller, permission, None, wanted)
        return "" if wanted == "*" else wanted

    async def _may_end(self, caller: Principal, owner: str | None, permission: str, subject: str) -> None:
        """Raises NotFound for what is not there, and for what is somebody else's where the caller may not know of it."""
        if owner is not None and owner == caller.user_id:
            return
        try:
            await self._guard.require(caller, permission, None, subject)
        except PermissionDenied:
            raise NotFound(f"unknown: {subject[:64]}") from None
        if owner is None:
            raise NotFound(f"unknown: {subject[:64]}")


def _owner(account: Account) -> Principal:
    """Who proved to be the owner without having signed in."""
    return Principal(name=account.name, kind="user", user_id=account.id, groups=account.groups)
