"""Signing in and out. Whatever is wrong, the words are the same, and so is the work."""

import logging
from dataclasses import dataclass, field
from typing import Protocol

from croupier.codes import Code
from croupier.domain.account import NAME_CHARACTERS, Account, folded
from croupier.domain.credential import Session, csrf_token
from croupier.domain.principal import Principal
from croupier.errors import CroupierError, RateLimited, Unauthenticated
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.clock import Clock
from croupier.server.access.passwords import Passwords, check_size
from croupier.server.access.sessions import Sessions
from croupier.server.access.throttle import Throttle, network_of

WRONG = "name or password is wrong"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Who stands at the door, as far as one can see."""

    address: str
    agent: str = ""
    """What the browser calls itself."""
    session_id: str = ""
    """The session it had so far, which ends when it signs in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    account: Account
    session: Session
    text: str = field(repr=False)
    """What the browser keeps in its cookie."""

    @property
    def csrf_token(self) -> str:
        return csrf_token(self.text.encode())


class SecondFactor(Protocol):
    """What `second_factors.SecondFactors` is to a sign-in."""

    def asked_of(self, user_id: str) -> bool: ...

    async def check(self, user_id: str, code: str) -> None:
        """Raises Unauthenticated, whose details say `second_factor`, unless `code` is good now; empty: none was given."""


class Login:
    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: Sessions,
        passwords: Passwords,
        throttle: Throttle,
        clock: Clock,
        second_factor: SecondFactor,
        audit: Audit,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock
        self._second_factor = second_factor
        self._audit = audit

    async def sign_in(self, visitor: Visitor, name: str, password: str, code: str = "") -> SignedIn:
        """A new session for who knows the password, and the second factor where there is one.

        Raises Unauthenticated, RateLimited, InvalidArgument.
        """
        check_size(password)
        asked = folded(name[: NAME_CHARACTERS + 1])
        account = self._accounts.named(asked)
        is_known = self._was_here(account, visitor.address)
        attempt = self._throttle.enter(asked, visitor.address, is_known=is_known)
        kept = account.password_hash if account is not None and not account.disabled else ""
        try:
            is_right = await self._passwords.verify(kept, password, is_known=is_known)
        except RateLimited:
            attempt.forgive()  # nobody looked at the password
            raise
        try:
            if not is_right or account is None:
                raise Unauthenticated(WRONG, code=Code.SIGN_IN_WRONG)
            if not code:
                attempt.forgive()  # whoever is asked for a code now has guessed nothing
            proved_ms = await self._second(account, code)
        except CroupierError as error:
            # A name that nobody has is not put on record: people type passwords there.
            await self._audit.denied(_visiting(account, visitor), "login", error)
            raise
        attempt.forgive()
        signed_in = await self.open(visitor, account, proved_ms=proved_ms)
        await self._renew_hash(account, password)
        return signed_in

    async def _second(self, account: Account, code: str) -> int:
        """When the second factor was proved; 0 where none is asked for."""
        if not self._second_factor.asked_of(account.id):
            return 0
        await self._second_factor.check(account.id, code)
        return self._clock()

    async def open(self, visitor: Visitor, account: Account, *, proved_ms: int = 0) -> SignedIn:
        """A session for one who proved to be `account`'s owner. Raises Unauthenticated when it is disabled meanwhile."""
        await self._audit.event(_visiting(account, visitor), "login")
        session, text = await self._sessions.open(
            account.id, address=visitor.address, agent=visitor.agent, proved_ms=proved_ms
        )
        now = self._accounts.get(account.id)
        if now is None or now.disabled:
            await self._sessions.end([session.id])
            raise Unauthenticated(WRONG, code=Code.SIGN_IN_WRONG)
        if visitor.session_id:
            await self._sessions.end([visitor.session_id])
        _log.info("%s signed in from %s", account.name, visitor.address)
        return SignedIn(account=account, session=session, text=text)

    async def sign_out(self, caller: Principal) -> None:
        """End the session that was shown; what else was shown stays."""
        await self._audit.event(caller, "logout")
        await self._sessions.end([caller.credential])

    async def confirm(self, visitor: Visitor, account: Account, password: str) -> None:
        """Raises Unauthenticated unless `password` is the account's; for what one must be sure of again. RateLimited too."""
        check_size(password)
        attempt = self._throttle.enter(
            account.folded, visitor.address, is_known=self._was_here(account, visitor.address)
        )
        if not await self._passwords.verify(account.password_hash, password):
            raise Unauthenticated("the password is wrong", code=Code.PASSWORD_WRONG)
        attempt.forgive()

    def _was_here(self, account: Account | None, address: str) -> bool:
        if account is None:
            return False
        network = network_of(address)
        return any(network_of(each.address) == network for each in self._sessions.of(account.id))

    async def _renew_hash(self, account: Account, password: str) -> None:
        if not self._passwords.is_outdated(account.password_hash):
            return
        try:
            await self._accounts.change(account.id, password_hash=await self._passwords.hash(password))
        except CroupierError as error:  # the next sign-in tries again
            _log.warning("the password hash of %s could not be renewed: %s", account.name, error.message)


def _visiting(account: Account | None, visitor: Visitor) -> Principal:
    if account is None:
        return Principal(name="", kind="nobody", address=visitor.address)
    return Principal(name=account.name, kind="user", user_id=account.id, groups=account.groups, address=visitor.address)
