from collections.abc import Sequence
from dataclasses import replace

from croupier.codes import Code
from croupier.domain.account import checked_text
from croupier.domain.credential import TOKEN_PREFIX, ApiToken, make_credential
from croupier.domain.identifiers import new_id
from croupier.domain.permission import Permissions
from croupier.domain.policy import read_place
from croupier.errors import InvalidArgument, RateLimited
from croupier.server.access.clock import Clock
from croupier.server.access.epoch import Epoch
from croupier.server.access.live import LiveCredentials
from croupier.store.accounts import AccountChange, AccountStore

PER_ACCOUNT = 100
LONGEST_SECONDS = 366 * 86_400
SHORTEST_SECONDS = 60
MOST_SCOPES = 1_000


class Tokens(LiveCredentials[ApiToken]):
    """API tokens that are in force."""

    def __init__(self, *, store: AccountStore, clock: Clock, epoch: Epoch) -> None:
        super().__init__(clock=clock, epoch=epoch, idle_ms=None)
        self._store = store

    async def create(
        self,
        user_id: str,
        *,
        name: str,
        seconds: float,
        permissions: frozenset[str] | None = None,
        scopes: frozenset[str] | None = None,
        created_by: str,
    ) -> tuple[ApiToken, str]:
        """A new token that is in force for so long, and its text, which is shown once.

        Raises InvalidArgument, RateLimited when its owner has too many.
        """
        if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            raise InvalidArgument(
                "a token expires: after a minute at the earliest, after a year at the latest",
                {"of": "token"},
                code=Code.LIFETIME_WRONG,
            )
        permissions = permissions if permissions is None else Permissions(permissions).patterns
        for scope in scopes or ():
            read_place(scope)
        if len(scopes or ()) > MOST_SCOPES:
            raise InvalidArgument(
                f"a token names at most {MOST_SCOPES} scopes",
                {"field": "scopes", "most": str(MOST_SCOPES)},
                code=Code.TOO_MANY,
            )
        if len(self.of(user_id)) >= PER_ACCOUNT:
            raise RateLimited(f"this account has {PER_ACCOUNT} tokens already: revoke those that nobody uses")
        now = self._clock()
        token_id = new_id("t")
        text, digest = make_credential(TOKEN_PREFIX, token_id)
        token = ApiToken(
            id=token_id,
            user_id=user_id,
            name=checked_text(name, "a token's name", field="name"),
            secret_sha256=digest,
            permissions=permissions,
            scopes=scopes,
            created_by=created_by,
            created_ms=now,
            until_ms=now + int(seconds * 1000),
        )
        await self._store.change(AccountChange(tokens=[token]))
        self._take(token)
        return token, text

    async def _read(self) -> Sequence[ApiToken]:
        return await self._store.tokens()

    async def _forget(self, ids: Sequence[str]) -> None:
        await self._store.change(AccountChange(ended_tokens=ids))

    async def _write_seen(self, seen: dict[str, int]) -> None:
        await self._store.seen({}, seen)
        for each, at in seen.items():
            if each in self._live:
                self._take(replace(self._live[each], seen_ms=at))
