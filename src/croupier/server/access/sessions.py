from collections.abc import Sequence
from dataclasses import replace

from croupier.codes import Code
from croupier.domain.credential import SESSION_PREFIX, Session, make_credential
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, Unauthenticated
from croupier.server.access.clock import Clock
from croupier.server.access.epoch import Epoch
from croupier.server.access.live import LiveCredentials
from croupier.store.accounts import AccountChange, AccountStore

PER_ACCOUNT = 50
"""Whoever signs in once more ends their oldest session."""

_AGENT_CHARACTERS = 256


class Sessions(LiveCredentials[Session]):
    """Who is signed in. A session ends when it was not used for `idle_ms`, and after `lifetime_ms` at the latest."""

    def __init__(self, *, store: AccountStore, clock: Clock, epoch: Epoch, idle_ms: int, lifetime_ms: int) -> None:
        super().__init__(clock=clock, epoch=epoch, idle_ms=idle_ms)
        self._store = store
        self._lifetime_ms = lifetime_ms

    async def open(self, user_id: str, *, address: str, agent: str, proved_ms: int = 0) -> tuple[Session, str]:
        """A new session, and its text, which is shown once."""
        now = self._clock()
        session_id = new_id("s")
        text, digest = make_credential(SESSION_PREFIX, session_id)
        session = Session(
            id=session_id,
            user_id=user_id,
            secret_sha256=digest,
            created_ms=now,
            until_ms=now + self._lifetime_ms,
            seen_ms=now,
            proved_ms=proved_ms,
            address=address,
            agent="".join(filter(str.isprintable, agent[:_AGENT_CHARACTERS])),
        )
        await self._store.change(AccountChange(sessions=[session]))
        self._take(session)
        await self.end([each.id for each in self.of(user_id)[:-PER_ACCOUNT]])
        return session, text

    async def proved(self, caller: Principal, now_ms: int) -> None:
        """The session by which `caller` came has proved a second factor. Raises FailedPrecondition where it is no session."""
        session_id = caller.credential
        session = self.get(session_id)
        if session is None:
            raise FailedPrecondition("a second factor is proved in a session: sign in with name and password")
        proved = replace(session, proved_ms=now_ms, seen_ms=self.seen_ms(session_id))
        await self._store.change(AccountChange(sessions=[proved]))
        if session_id not in self._live:  # it ended meanwhile, and was written again by us
            await self._forget([session_id])
            raise Unauthenticated("the session has ended: sign in again", code=Code.SESSION_ENDED)
        self._take(proved)
        self._epoch.end()

    async def _read(self) -> Sequence[Session]:
        return await self._store.sessions()

    async def _forget(self, ids: Sequence[str]) -> None:
        await self._store.change(AccountChange(ended_sessions=ids))

    async def _write_seen(self, seen: dict[str, int]) -> None:
        await self._store.seen(seen, {})
        for each, at in seen.items():
            if each in self._live:
                self._take(replace(self._live[each], seen_ms=at))
