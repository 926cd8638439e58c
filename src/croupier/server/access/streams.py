"""What goes on for long is ended when the one for whom it goes on may no longer."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from croupier.codes import Code
from croupier.domain.principal import Principal
from croupier.errors import Unauthenticated
from croupier.server.access.epoch import Epoch

T = TypeVar("T")

ENDED = "your access has changed or ended: sign in again, or ask who revoked it"


class _Hold:
    __slots__ = ("ended", "principal")

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.ended = asyncio.Event()


class LiveStreams:
    """Every live stream holds itself here; `still` says whether its caller may go on, and is asked at each epoch's end."""

    def __init__(self, *, still: Callable[[Principal], bool], epoch: Epoch) -> None:
        self._still = still
        self._holds: set[_Hold] = set()
        epoch.on_end(self.look)

    def __len__(self) -> int:
        return len(self._holds)

    def look(self) -> None:
        """End what hangs on credentials that are no longer in force."""
        self.end(lambda principal: not self._still(principal))

    def end(self, whose: Callable[[Principal], bool]) -> None:
        """End the streams of those whom `whose` names. They may come back, and are asked anew then."""
        for hold in self._holds:
            if not hold.ended.is_set() and whose(hold.principal):
                hold.ended.set()

    def is_in_force(self, principal: Principal) -> bool:
        """Whether what was shown still counts, though it may allow less than before."""
        return self._still(principal)

    @contextmanager
    def hold(self, principal: Principal) -> Iterator[asyncio.Event]:
        """The event is set when what goes on for `principal` must end."""
        hold = _Hold(principal)
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
                        raise Unauthenticated(ENDED, code=Code.SESSION_ENDED)
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
