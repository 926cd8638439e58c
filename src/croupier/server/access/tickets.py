"""How the developer's own browser gets in: by a link that `croupier dev` prints, which works once and not for long.

No setting makes a server issue tickets; only the program that runs one for development does.
"""

import asyncio
import hashlib
import hmac
import secrets

from croupier.domain.account import Account
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.errors import Unauthenticated
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.clock import Clock
from croupier.server.access.setup import Grant

TICKET_MS = 15 * 60_000

ACCOUNT = "dev"
"""Whom a ticket signs in: an administrator without a password."""

_OVER = "this ticket was used, is too old, or was never issued: start the development server again for a new one"

_NOBODY_YET = Principal(name="setup", kind="system")


class Tickets:
    def __init__(self, *, accounts: Accounts, clock: Clock, grant_admin: Grant, audit: Audit) -> None:
        self._accounts = accounts
        self._clock = clock
        self._grant_admin = grant_admin
        self._audit = audit
        self._digest = b""
        self._until_ms = 0
        self._turn = asyncio.Lock()

    def issue(self) -> str:
        """A new ticket; the one before is of no use any more."""
        secret = secrets.token_urlsafe(32)
        self._digest, self._until_ms = _digest(secret), self._clock() + TICKET_MS
        return secret

    async def redeem(self, ticket: str) -> Account:
        """Whom it signs in; it is of no use any more. Raises Unauthenticated."""
        async with self._turn:
            is_good = bool(self._digest) and self._clock() < self._until_ms
            if not hmac.compare_digest(_digest(ticket), self._digest) or not is_good:
                raise Unauthenticated(_OVER)
            self._digest = b""
            return self._accounts.named(ACCOUNT) or await self._made()

    async def _made(self) -> Account:
        user_id = new_id("u")
        async with self._audit.act(_NOBODY_YET, "users.setup", target=ACCOUNT):
            await self._grant_admin(user_id)
            return await self._accounts.add(ACCOUNT, user_id=user_id, created_by="croupier dev")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
