"""Credentials that are in force: in memory, with when each was last used."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Generic, TypeVar

from croupier.domain.credential import ApiToken, Session, Shown
from croupier.server.access.clock import Clock
from croupier.server.access.epoch import Epoch

C = TypeVar("C", Session, ApiToken)

WRITTEN_AFTER_MS = 60_000
"""The time of use is written when it is this much younger than what was written before."""

FORGOTTEN_AT_ONCE = 1_000

_FUTURE_MS = 300_000
"""A credential that was made so much later than now is one of a clock that went wrong."""


class _Use:
    __slots__ = ("seen_ms",)

    def __init__(self, seen_ms: int) -> None:
        self.seen_ms = seen_ms


class LiveCredentials(ABC, Generic[C]):
    """Each method that ends credentials does so here first, so that a disk that refuses keeps nobody in."""

    def __init__(self, *, clock: Clock, epoch: Epoch, idle_ms: int | None) -> None:
        """`idle_ms`: one that was not used for so long has ended."""
        self._clock = clock
        self._epoch = epoch
        self._idle_ms = idle_ms
        self._live: dict[str, C] = {}
        self._uses: dict[str, _Use] = {}
        self._by_owner: defaultdict[str, dict[str, C]] = defaultdict(dict)
        self._ended: set[str] = set()
        """What is still to be forgotten on disk."""

    @abstractmethod
    async def _read(self) -> Sequence[C]: ...

    @abstractmethod
    async def _forget(self, ids: Sequence[str]) -> None: ...

    @abstractmethod
    async def _write_seen(self, seen: dict[str, int]) -> None: ...

    async def begin(self) -> None:
        now = self._clock()
        late = []
        for each in await self._read():
            if each.created_ms > now + _FUTURE_MS:
                late.append(each.id)
            else:
                self._take(each)
        self._ended.update(late)
        await self._forget_ended()

    def find(self, shown: Shown) -> C | None:
        """The credential that was shown, if it is in force. It is used by that."""
        found = self._live.get(shown.id)
        return found if found is not None and shown.is_of(found.secret_sha256) and self.use(found.id) else None

    def use(self, credential_id: str) -> bool:
        """Whether it is in force; this counts as its use."""
        if not self.is_live(credential_id):
            return False
        self._uses[credential_id].seen_ms = self._clock()
        return True

    def is_live(self, credential_id: str) -> bool:
        found = self._live.get(credential_id)
        return found is not None and not self._is_over(found, self._clock())

    def get(self, credential_id: str) -> C | None:
        return self._live.get(credential_id) if self.is_live(credential_id) else None

    def ends_ms(self, credential_id: str) -> int:
        """When it ends unless it is used again; 0 for one that is not in force."""
        found = self.get(credential_id)
        if found is None:
            return 0
        idle = found.until_ms if self._idle_ms is None else self.seen_ms(credential_id) + self._idle_ms
        return min(found.until_ms, idle)

    def seen_ms(self, credential_id: str) -> int:
        """When it was last used; 0 is never."""
        use = self._uses.get(credential_id)
        return use.seen_ms if use is not None else 0

    def of(self, user_id: str = "") -> list[C]:
        """Those in force of one account, or of all; the oldest first."""
        now = self._clock()
        found = self._by_owner.get(user_id, {}) if user_id else self._live
        return [each for each in found.values() if not self._is_over(each, now)]

    async def end(self, ids: Collection[str]) -> None:
        """They are of no use from now on, and what hangs on them ends."""
        gone = [found for each in ids if (found := self._live.pop(each, None)) is not None]
        for each in gone:
            self._drop(each)
        if gone:
            self._epoch.end()
            self._ended.update(each.id for each in gone)
            await self._forget_ended()

    async def end_all(self, user_id: str, *, but: str = "") -> int:
        """Returns how many ended."""
        ids = [each for each in self._by_owner.get(user_id, {}) if each != but]
        await self.end(ids)
        return len(ids)

    async def sweep(self) -> None:
        """Forget those that are over, and write down when the others were used. Raises Unavailable; do it again then."""
        await self._forget_ended()
        now = self._clock()
        await self.end([each.id for each in self._live.values() if self._is_over(each, now)])
        if seen := dict(self._newly_seen()):
            await self._write_seen(seen)

    async def _forget_ended(self) -> None:
        while ids := sorted(self._ended)[:FORGOTTEN_AT_ONCE]:
            await self._forget(ids)
            self._ended.difference_update(ids)

    def _newly_seen(self) -> Iterator[tuple[str, int]]:
        for each in self._live.values():
            if self._uses[each.id].seen_ms - each.seen_ms >= WRITTEN_AFTER_MS:
                yield each.id, self._uses[each.id].seen_ms

    def _drop(self, credential: C) -> None:
        del self._uses[credential.id]
        owned = self._by_owner[credential.user_id]
        del owned[credential.id]
        if not owned:
            del self._by_owner[credential.user_id]

    def _take(self, credential: C) -> None:
        self._live[credential.id] = credential
        self._by_owner[credential.user_id][credential.id] = credential
        use = self._uses.get(credential.id)
        self._uses[credential.id] = _Use(max(credential.seen_ms, use.seen_ms if use is not None else 0))

    def _is_over(self, credential: C, now: int) -> bool:
        if now >= credential.until_ms:
            return True
        return self._idle_ms is not None and now - self._uses[credential.id].seen_ms >= self._idle_ms
