"""From what is shown to who shows it.

    text ──► looked at within the last second? ──► Principal                   (a microsecond)
               │ no
             remembered? ──► in force? ──► Principal
               │ no
               └──► read, digest compared, account looked up ──► remembered until the epoch ends

What is revoked ends the epoch, so it is forgotten at once; what expires may last a second longer.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from croupier.domain.account import Account
from croupier.domain.credential import SESSION_PREFIX, TOKEN_PREFIX, ApiToken, Session, Shown, read_credential
from croupier.domain.principal import Principal
from croupier.server.access.accounts import Accounts
from croupier.server.access.epoch import Epoch
from croupier.server.access.sessions import Sessions
from croupier.server.access.tokens import Tokens

REMEMBERED = 10_000
FRESH_SECONDS = 1.0


class _Known:
    __slots__ = ("book", "fresh_until", "principal")

    def __init__(self, book: Sessions | Tokens, principal: Principal) -> None:
        self.book = book
        self.principal = principal
        self.fresh_until = 0.0


class Credentials:
    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: Sessions,
        tokens: Tokens,
        epoch: Epoch,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`steady` are seconds that only go on."""
        self._steady = steady
        self._accounts = accounts
        self._sessions = sessions
        self._tokens = tokens
        self._known: dict[bytes, _Known] = {}
        epoch.on_end(self._known.clear)

    def principal(self, text: bytes) -> Principal | None:
        """Who shows this session or API token; None when nobody may by it."""
        known = self._known.get(text)
        if known is None:
            return self._learn(text)
        now = self._steady()
        if now < known.fresh_until:
            return known.principal
        if not known.book.use(known.principal.credential):
            del self._known[text]
            return None
        known.fresh_until = now + FRESH_SECONDS
        return known.principal

    def session(self, text: bytes) -> Principal | None:
        """As above, of sessions only."""
        return self.principal(text) if text.startswith(b"crs_") else None

    def still(self, principal: Principal) -> bool:
        """Whether what was shown is still in force and gives the same. It does not count as use."""
        if not principal.user_id:
            return True
        found = self._of(self._sessions.get(principal.credential) or self._tokens.get(principal.credential))
        # Who proves a second factor may more than before, not less.
        now = None if found is None else replace(found, proved_ms=principal.proved_ms, acting_as=principal.acting_as)
        return now == principal

    def _learn(self, text: bytes) -> Principal | None:
        shown = read_credential(text)
        found = self._find(shown) if shown is not None else None
        if found is None:
            return None
        book, principal = found
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[text] = _Known(book, principal)
        return principal

    def _find(self, shown: Shown) -> tuple[Sessions | Tokens, Principal] | None:
        book: Sessions | Tokens
        if shown.prefix == SESSION_PREFIX:
            book = self._sessions
        elif shown.prefix == TOKEN_PREFIX:
            book = self._tokens
        else:
            return None
        principal = self._of(book.find(shown))
        return (book, principal) if principal is not None else None

    def _of(self, credential: Session | ApiToken | None) -> Principal | None:
        account = self._accounts.get(credential.user_id) if credential is not None else None
        if credential is None or account is None or account.disabled:
            return None
        return (
            session_principal(account, credential) if isinstance(credential, Session) else _bearer(account, credential)
        )


def session_principal(account: Account, session: Session) -> Principal:
    return Principal(
        name=account.name,
        kind="user",
        user_id=account.id,
        groups=account.groups,
        credential=session.id,
        proved_ms=session.proved_ms,
    )


def _bearer(account: Account, token: ApiToken) -> Principal:
    return Principal(
        name=account.name,
        kind="token",
        user_id=account.id,
        groups=account.groups,
        credential=token.id,
        permissions=token.permissions,
        scopes=token.scopes,
    )
