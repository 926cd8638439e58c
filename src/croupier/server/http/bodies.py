"""Request bodies, bounded one by one and all together."""

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from croupier.codes import Code
from croupier.errors import InvalidArgument, PayloadTooLarge, RateLimited
from croupier.server.http.exchange import Exchange

HELD_BYTES = 512_000_000
"""Bodies that may be in memory at once, over all requests."""

PIECE_SECONDS, FILE_SECONDS = 30.0, 900.0
"""How long a caller that sends a file may pause, and take for it all."""


class CallerLeft(Exception):
    """The caller hung up before it was answered."""


class Room:
    """The memory that bodies may take together."""

    def __init__(self, limit: int = HELD_BYTES) -> None:
        self._left = limit

    def take(self, count: int) -> None:
        """Raises RateLimited when there is no room for `count` bytes more."""
        if count > self._left:
            raise RateLimited("rate limited: too many large requests at once; send it again", code=Code.SERVER_FULL)
        self._left -= count

    def give(self, count: int) -> None:
        self._left += count


class Body:
    """One request's body, holding its place in the room until it is let go."""

    __slots__ = ("_held", "_may_be_packed", "_room", "content")

    def __init__(self, room: Room, *, may_be_packed: bool = False) -> None:
        """One that may be packed is read as it comes, by gzip or not; its handler unpacks it."""
        self._room = room
        self._may_be_packed = may_be_packed
        self._held = 0
        self.content = b""

    def take(self, exchange: Exchange, limit: int) -> bytes | None:
        """All of it, if it came with the request's head; most do.

        Raises PayloadTooLarge, RateLimited, InvalidArgument.
        """
        content = exchange.shortcut.content() if exchange.shortcut is not None else None
        if content is not None:
            self._check_encoding(exchange.headers)
            if len(content) > limit:
                raise too_large(limit)
            self._hold(len(content))
            self.content = content
        return content

    async def read(self, exchange: Exchange, limit: int) -> bytes:
        """All of it, waiting for what is not here yet.

        Raises PayloadTooLarge (by Content-Length before anything is read), RateLimited, InvalidArgument, CallerLeft.
        """
        self._check_encoding(exchange.headers)
        self._hold(_declared(exchange.headers, limit))
        chunks = []
        size = 0
        while True:
            message = await exchange.receive()
            if message["type"] == "http.disconnect":
                raise CallerLeft
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            if size > self._held:
                self._hold(size - self._held)
            chunks.append(chunk)
            if not message.get("more_body", False):
                break
        self.content = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return self.content

    def _check_encoding(self, headers: Mapping[bytes, bytes]) -> None:
        if not (self._may_be_packed and headers.get(b"content-encoding") == b"gzip"):
            _check_encoding(headers)

    def let_go(self) -> None:
        self._room.give(self._held)
        self._held = 0

    def _hold(self, count: int) -> None:
        self._room.take(count)
        self._held += count


def paced(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> Receive:
    """`receive` for whoever reads the body itself, piece by piece: one within PIECE_SECONDS, all within FILE_SECONDS.

    Raises PayloadTooLarge or InvalidArgument by the headers, at once, and InvalidArgument when no piece comes.
    """
    _check_encoding(headers)
    _declared(headers, limit)

    loop = asyncio.get_running_loop()
    end = loop.time() + FILE_SECONDS

    async def piece() -> Message:
        try:
            async with asyncio.timeout_at(min(end, loop.time() + PIECE_SECONDS)):
                return await receive()
        except TimeoutError:
            raise InvalidArgument("the request body did not go on: send it without a pause") from None

    return piece


def _declared(headers: Mapping[bytes, bytes], limit: int) -> int:
    """How many bytes are announced."""
    declared = headers.get(b"content-length", b"")
    if not declared.isdigit():
        return 0
    if len(declared) > 18 or int(declared) > limit:
        raise too_large(limit)
    return int(declared)


def _check_encoding(headers: Mapping[bytes, bytes]) -> None:
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise InvalidArgument("compressed bodies are not read: send it without Content-Encoding")


def too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the request body is larger than the {limit} bytes that this address takes")
