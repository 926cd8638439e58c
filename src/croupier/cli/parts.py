"""Several servers in one process, started one after the other and stopped in the reverse order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from croupier.errors import InternalError

_log = logging.getLogger(__name__)

T = TypeVar("T")
Info = TypeVar("Info")
Info_co = TypeVar("Info_co", covariant=True)


class Startable(Protocol, Generic[Info_co]):
    """Serves until it is cancelled; tells `ready` once it can be reached."""

    def __call__(self, *, ready: Callable[[Info_co], None]) -> Coroutine[Any, Any, None]: ...


class Parts:
    """`async with Parts() as parts`: whatever it started is stopped at the end, the last one first."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (failure := task.exception()) and failure is not error:
                _log.error("%s failed while it stopped", task.get_name(), exc_info=failure)

    async def start(self, name: str, work: Startable[Info]) -> Info:
        """Start `work` and wait until it is ready. Raises what it raised before that."""
        known: asyncio.Future[Info] = asyncio.get_running_loop().create_future()

        def note(info: Info) -> None:
            if not known.done():
                known.set_result(info)

        self.add(name, work(ready=note))
        return await self.while_running(known)

    def add(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def while_running(self, work: Awaitable[T]) -> T:
        """The result of `work`; if a part ends first, what it raised, or InternalError naming it."""
        waiting = asyncio.ensure_future(work)
        try:
            await asyncio.wait({waiting, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in self._tasks:
                if task.done():
                    # Reading the result raises what ended the part.
                    task.result()
                    raise InternalError(f"{task.get_name()} ended by itself")
            return await waiting
        finally:
            waiting.cancel()
