"""What goes on for long is ended when the one for whom it goes on may no longer."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from croupier.domain.principal import Principal
from croupier.errors import Unauthenticated
from croupier.server.access.epoch import Epoch

T = TypeVar("T")

ENDED = "your access has changed or ended: sign in again, or ask who revoked it"


Rights = Callable[[Principal], object]
"""What somebody may do, as a value that is another when that changes."""


class _Hold:
    __slots__ = ("ended", "principal", "rights")

    def __init__(self, principal: Principal, rights: object) -> None:
        self.principal = principal
        self.rights = rights
        self.ended = asyncio.Event()


class LiveStreams:
    """Every live stream holds itself here; `still` says whether its caller may go on, and is asked at each epoch's end."""

    def __init__(self, *, still: Callable[[Principal], bool], epoch: Epoch) -> None:
        self._still = still
        self._rights: Rights = _same
        self._holds: set[_Hold] = set()
        epoch.on_end(self.look)

    def __len__(self) -> int:
        return len(self._holds)

    def watch(self, rights: Rights) -> None:
        """From now on, who has other rights than when a stream began is put out too."""
        self._rights = rights

    def look(self) -> None:
        """End what hangs on credentials that are no longer in force, or give other rights than they did. Whose rights have
        changed may come back, and is asked anew then.
        """
        for hold in self._holds:
            principal = hold.principal
            if not (self._still(principal) and self._rights(principal) == hold.rights):
                hold.ended.set()

    @contextmanager
    def hold(self, principal: Principal) -> Iterator[asyncio.Event]:
        """The event is set when what goes on for `principal` must end."""
        hold = _Hold(principal, self._rights(principal))
        if not self._still(principal):  # since it was authenticated
            hold.ended.set()
        self._holds.add(hold)
        try:
            yield hold.ended
        finally:
            self._holds.discard(hold)

    async def follow(self, principal: Principal, story: AsyncIterator[T]) -> AsyncIterator[T]:
        """`story`, as long as `principal` may. Raises Unauthenticated in the middle of it when that ends."""
        with self.hold(principal) as ended:
            end = asyncio.ensure_future(ended.wait())
            step: asyncio.Future[T] | None = None
            try:
                while True:
                    step = asyncio.ensure_future(anext(story))
                    await asyncio.wait((step, end), return_when=asyncio.FIRST_COMPLETED)
                    if end.done():
                        raise Unauthenticated(ENDED)
                    try:
                        found = step.result()
                    except StopAsyncIteration:
                        return
                    yield found
            finally:
                waiting = [each for each in (step, end) if each is not None]
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
                if isinstance(story, AsyncGenerator):
                    await story.aclose()


def _same(_: Principal) -> object:
    return None
