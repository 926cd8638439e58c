"""Everything that knows people, put together."""

import asyncio
import logging
import time
from collections.abc import Callable

from croupier.domain.principal import Principal
from croupier.errors import CroupierError
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.clock import Clock
from croupier.server.access.credentials import Credentials
from croupier.server.access.epoch import Epoch
from croupier.server.access.guard import Guard
from croupier.server.access.login import Login, SecondFactor
from croupier.server.access.passwords import Passwords
from croupier.server.access.people import People
from croupier.server.access.sessions import Sessions
from croupier.server.access.setup import Grant, Setup
from croupier.server.access.streams import LiveStreams
from croupier.server.access.throttle import Throttle
from croupier.server.access.tokens import Tokens
from croupier.store.accounts import AccountStore

SWEEP_SECONDS = 5.0
"""So long after its time a session is forgotten at the latest; nobody uses it from its time on."""
LOOK_SECONDS = 0.5
"""So long after that the streams that hang on it end at the latest."""

_log = logging.getLogger(__name__)


class Residents:
    """Who is known here. `epoch` ends whenever something about them changes; `begin` before use."""

    def __init__(
        self,
        *,
        store: AccountStore,
        clock: Clock,
        passwords: Passwords,
        session_idle: float,
        session_lifetime: float,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`session_idle` and `session_lifetime` are seconds, and so is what `steady` counts, which only goes on."""
        self.clock = clock
        self.epoch = Epoch()
        self.passwords = passwords
        self.accounts = Accounts(store=store, clock=clock, epoch=self.epoch)
        self.sessions = Sessions(
            store=store,
            clock=clock,
            epoch=self.epoch,
            idle_ms=int(session_idle * 1000),
            lifetime_ms=int(session_lifetime * 1000),
        )
        self.tokens = Tokens(store=store, clock=clock, epoch=self.epoch)
        self.credentials = Credentials(
            accounts=self.accounts, sessions=self.sessions, tokens=self.tokens, epoch=self.epoch, steady=steady
        )
        self.streams = LiveStreams(still=self.credentials.still, epoch=self.epoch)

    async def begin(self) -> None:
        await self.accounts.begin()
        await self.sessions.begin()
        await self.tokens.begin()

    def people(self, *, guard: Guard, audit: Audit, second_factor: SecondFactor, grant_admin: Grant) -> People:
        login = Login(
            accounts=self.accounts,
            sessions=self.sessions,
            passwords=self.passwords,
            throttle=Throttle(),
            clock=self.clock,
            second_factor=second_factor,
            audit=audit,
        )
        setup = Setup(
            accounts=self.accounts, passwords=self.passwords, clock=self.clock, grant_admin=grant_admin, audit=audit
        )
        return People(
            guard=guard,
            audit=audit,
            clock=self.clock,
            accounts=self.accounts,
            sessions=self.sessions,
            tokens=self.tokens,
            passwords=self.passwords,
            login=login,
            setup=setup,
        )

    def whois(self, user: str) -> Principal | None:
        """The account of that id or name, as it would act signed in; None where there is none, or it is disabled."""
        account = self.accounts.get(user) or self.accounts.named(user)
        if account is None or account.disabled:
            return None
        return Principal(name=account.name, kind="user", user_id=account.id, groups=account.groups)

    async def sweep(self) -> None:
        """End what is over, now. Raises Unavailable; do it again then."""
        self.streams.look()
        await self.sessions.sweep()
        await self.tokens.sweep()

    async def run(self) -> None:
        """End what is over, for ever."""
        while True:
            for _ in range(int(SWEEP_SECONDS / LOOK_SECONDS)):
                await asyncio.sleep(LOOK_SECONDS)
                self.streams.look()
            try:
                await self.sweep()
            except CroupierError as error:
                _log.warning("sessions that are over could not be forgotten, next try in a moment: %s", error.message)
