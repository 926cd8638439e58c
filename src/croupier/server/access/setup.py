"""How the first person gets in, and how everybody else gets a password: by a link that works once.

There is no default password. A server that nobody has an account at, and that has no token in its settings, makes a new link
at every start and prints it; the one who opens it makes the first account, the administrator's. Its secret is 32 random bytes,
which nobody guesses, so tries are not counted; a password is hashed for none but the right one.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable

from croupier.codes import Code
from croupier.domain.account import Account
from croupier.domain.credential import INVITE_PREFIX, make_credential, read_credential
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.errors import Unauthenticated
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.clock import Clock
from croupier.server.access.passwords import Passwords, check_new

SETUP_MS = 24 * 3_600_000
INVITE_MS = 3 * 24 * 3_600_000

_SETUP_OVER = "this setup link was used, is too old, or was never made: start the server again for a new one"
_INVITE_OVER = "this invitation was used, is too old, or was never made: ask for a new one"

Grant = Callable[[str], Awaitable[None]]
"""Makes the account of that id an administrator; safe to repeat."""


class Setup:
    def __init__(
        self, *, accounts: Accounts, passwords: Passwords, clock: Clock, grant_admin: Grant, audit: Audit
    ) -> None:
        self._audit = audit
        self._accounts = accounts
        self._passwords = passwords
        self._clock = clock
        self._grant_admin = grant_admin
        self._digest = b""
        self._until_ms = 0
        self._turn = asyncio.Lock()

    def open(self) -> str:
        """The secret of a new setup link; the one before is of no use any more. Empty where somebody has an account."""
        if len(self._accounts):
            return ""
        secret = secrets.token_urlsafe(32)
        self._digest, self._until_ms = _digest(secret), self._clock() + SETUP_MS
        return secret

    async def begin(
        self, secret: str, name: str, password: str, *, display_name: str = "", address: str = ""
    ) -> Account:
        """The first account, an administrator's; `address` is where it is made from. Raises Unauthenticated, InvalidArgument, RateLimited."""
        async with self._turn:
            is_open = bool(self._digest) and self._clock() < self._until_ms and not len(self._accounts)
            if not hmac.compare_digest(_digest(secret), self._digest) or not is_open:
                raise Unauthenticated(_SETUP_OVER, code=Code.SETUP_OVER)
            check_new(password, name)
            user_id = new_id("u")
            hashed = await self._passwords.hash(password)
            nobody_yet = Principal(name="setup", kind="system", address=address)
            async with self._audit.act(nobody_yet, "users.setup", target=name[:64]):
                # First the right, then the account: the other way round, a crash between would leave nobody in charge.
                await self._grant_admin(user_id)
                account = await self._accounts.add(
                    name, user_id=user_id, display_name=display_name, password_hash=hashed, created_by="setup"
                )
            self._digest = b""
        return account

    async def invite(self, user_id: str) -> tuple[str, int]:
        """The secret with which its owner may set a password, and until when. The ones before are of no use any more.

        Raises NotFound.
        """
        text, digest = make_credential(INVITE_PREFIX, user_id)
        until_ms = self._clock() + INVITE_MS
        await self._accounts.change(user_id, invite_sha256=digest, invite_until_ms=until_ms)
        return text, until_ms

    async def accept(self, text: str, password: str) -> Account:
        """Set the password of who was invited. Raises Unauthenticated, InvalidArgument, RateLimited."""
        async with self._turn:
            account = self.invited(text)
            check_new(password, account.name)
            hashed = await self._passwords.hash(password)
            if self.invited(text) != account:  # while it was hashed
                raise Unauthenticated(_INVITE_OVER, code=Code.INVITATION_OVER)
            return await self._accounts.change(account.id, password_hash=hashed, invite_sha256=b"", invite_until_ms=0)

    def invited(self, text: str) -> Account:
        """Whose invitation it is. Raises Unauthenticated."""
        shown = read_credential(text.encode(errors="replace"))
        account = self._accounts.get(shown.id) if shown is not None else None
        if (
            shown is None
            or account is None
            or shown.prefix != INVITE_PREFIX
            or account.disabled
            or not account.invited(self._clock())
            or not shown.is_of(account.invite_sha256)
        ):
            raise Unauthenticated(_INVITE_OVER, code=Code.INVITATION_OVER)
        return account


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
