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

    def __init__(self, inbox: asyncio.Queue[bytes | None], outbox: asyncio.Queue[bytes | None]) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._cut = asyncio.Event()

    async def read(self) -> bytes | None:
        if self._cut.is_set():
            raise StreamBroken("cut")
        item = await self._inbox.get()
        if item is None and self._cut.is_set():
            raise StreamBroken("cut")
        return item

    async def write(self, message: bytes) -> None:
        if self._cut.is_set():
            raise StreamBroken("cut")
        await self._outbox.put(message)

    async def end(self) -> None:
        await self._outbox.put(None)

    def cut(self) -> None:
        """Break the pipe; what is under way is lost."""
        self._cut.set()
        while not self._inbox.empty():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)


def memory_streams() -> tuple[MemoryStream, MemoryStream]:
    one: asyncio.Queue[bytes | None] = asyncio.Queue(1024)
    other: asyncio.Queue[bytes | None] = asyncio.Queue(1024)
    return MemoryStream(one, other), MemoryStream(other, one)
