"""PORT: what must be kept of people and their credentials. The promises of `croupier.store` hold here too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from croupier.domain.account import Account
from croupier.domain.credential import ApiToken, Session


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountChange:
    """What is kept, in place of what was kept under the same ids, and what is forgotten."""

    accounts: Sequence[Account] = ()
    sessions: Sequence[Session] = ()
    tokens: Sequence[ApiToken] = ()
    ended_sessions: Sequence[str] = ()
    ended_tokens: Sequence[str] = ()


class AccountStore(Protocol):
    async def change(self, change: AccountChange) -> None:
        """All of it or none. Two accounts with one folded name are a Conflict."""

    async def seen(self, sessions: Mapping[str, int], tokens: Mapping[str, int]) -> None:
        """When these, by their ids, were last used. Returns before it is on disk; unknown ones are left unknown."""

    async def accounts(self) -> list[Account]:
        """Those that were made first come first."""

    async def sessions(self) -> list[Session]: ...

    async def tokens(self) -> list[ApiToken]: ...
