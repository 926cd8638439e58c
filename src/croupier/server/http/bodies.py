"""Request bodies, bounded one by one and all together."""

from collections.abc import Mapping

from starlette.types import Receive

from croupier.errors import InvalidArgument, PayloadTooLarge, RateLimited
from croupier.server.http.flights import CallerLeft

HELD_BYTES = 512_000_000
"""Bodies that may be in memory at once, over all requests."""


class Room:
    """The memory that bodies may take together."""

    def __init__(self, limit: int = HELD_BYTES) -> None:
        self._left = limit

    def take(self, count: int) -> None:
        """Raises RateLimited when there is no room for `count` bytes more."""
        if count > self._left:
            raise RateLimited("rate limited: too many large requests at once; send it again")
        self._left -= count

    def give(self, count: int) -> None:
        self._left += count


class Body:
    """One request's body, holding its place in the room until it is let go."""

    __slots__ = ("_held", "_room", "content")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0
        self.content = b""

    async def read(self, receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
        """All of it.

        Raises PayloadTooLarge (by Content-Length before anything is read), RateLimited, InvalidArgument, CallerLeft.
        """
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise InvalidArgument("compressed bodies are not read: send it without Content-Encoding")
        declared = headers.get(b"content-length")
        if declared is not None and declared.isdigit():
            if len(declared) > 18 or int(declared) > limit:
                raise too_large(limit)
            self._hold(int(declared))
        chunks = []
        size = 0
        while True:
            message = await receive()
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

    def let_go(self) -> None:
        self._room.give(self._held)
        self._held = 0

    def _hold(self, count: int) -> None:
        self._room.take(count)
        self._held += count


def too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the request body is larger than the {limit} bytes that this address takes")
