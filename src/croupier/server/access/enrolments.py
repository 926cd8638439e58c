"""Who may put a second factor before an account: somebody who just showed that it is theirs.

A stolen session could else be given a second factor by the thief, who would from then on prove to be the owner.
"""

from collections.abc import Callable

from croupier.codes import Code
from croupier.domain.account import Account
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, PermissionDenied
from croupier.server.access.accounts import Accounts
from croupier.server.access.login import Login, Visitor
from croupier.server.access.second_factors import SecondFactors
from croupier.server.access.sessions import Sessions
from croupier.server.access.totp import Enrolment

FRESH_MS = 600_000
"""So long after it began, a session shows by itself whose it is, where no password can."""

Clock = Callable[[], int]


class Enrolments:
    def __init__(
        self, *, factors: SecondFactors, accounts: Accounts, login: Login, sessions: Sessions, clock: Clock
    ) -> None:
        self._factors = factors
        self._accounts = accounts
        self._login = login
        self._sessions = sessions
        self._clock = clock

    async def begin(self, caller: Principal, visitor: Visitor, password: str) -> Enrolment:
        """A secret for an authenticator app, for `caller`, who came by a session.

        Raises Unauthenticated for a wrong password, PermissionDenied where there is no password and the session is old,
        FailedPrecondition for whoever came by an API token, RateLimited, Conflict.
        """
        session = self._sessions.get(caller.credential)
        account = self._accounts.get(caller.user_id)
        if session is None or account is None:
            raise FailedPrecondition("a second factor is enrolled in a session: sign in first")
        await self._check(account, visitor, password, session.created_ms)
        return self._factors.enrol(caller, account.name)

    async def _check(self, account: Account, visitor: Visitor, password: str, since_ms: int) -> None:
        if account.password_hash:
            await self._login.confirm(visitor, account, password)
        elif self._clock() - since_ms > FRESH_MS:
            raise PermissionDenied(
                "you signed in too long ago for this: sign out and in again, then enrol", code=Code.SIGNED_IN_LONG_AGO
            )
