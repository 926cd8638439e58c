"""PORT: an ordered, reliable pipe of messages, which may break at any moment.

`grpc.py` is the real one; the pair below joins two ends in one process and can be cut, for tests and for `croupier dev`.
"""

import asyncio
from typing import Protocol


class StreamBroken(Exception):
    """The stream ended or failed. The text says how, for the log."""


class Stream(Protocol):
    async def read(self) -> bytes | None:
        """The next message, or None when the other side ended the stream in order. Raises StreamBroken when it broke."""

    async def write(self, message: bytes) -> None:
        """Raises StreamBroken when the message cannot be taken. Taken does not mean received."""


class MemoryStream:
    """One end of a pipe in this process. Holds up to 1024 messages each way; then `write` waits."""

    def __init__(
        self, inbox: asyncio.Queue[bytes | None], outbox: asyncio.Queue[bytes | None], broken: asyncio.Event
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._broken = broken

    async def read(self) -> bytes | None:
        self._check()
        item = await self._inbox.get()
        self._check()
        return item

    async def write(self, message: bytes) -> None:
        self._check()
        await self._outbox.put(message)
        self._check()

    async def end(self) -> None:
        """End this direction in order: the other side reads what is under way, then None."""
        await self._outbox.put(None)

    def cut(self) -> None:
        """Break the pipe for both ends; what is under way is lost."""
        self._broken.set()
        for queue in (self._inbox, self._outbox):
            while not queue.empty():
                queue.get_nowait()  # this also wakes an end that waits to write
            queue.put_nowait(None)  # and this one that waits to read

    def _check(self) -> None:
        if self._broken.is_set():
            raise StreamBroken("cut")


def memory_streams() -> tuple[MemoryStream, MemoryStream]:
    one: asyncio.Queue[bytes | None] = asyncio.Queue(1024)
    other: asyncio.Queue[bytes | None] = asyncio.Queue(1024)
    broken = asyncio.Event()
    return MemoryStream(one, other, broken), MemoryStream(other, one, broken)
