"""An ASGI application on a port, and a shortcut past ASGI for requests that come whole and are answered whole.

    socket ─► connection.py (uvicorn's protocol, trimmed) ─┬─ scope, receive, send ─► application
                                                           └─ scope's shortcut ─────►

ASGI tells a request and its answer in pieces, each with a coroutine and a dictionary, and that is most of what a small
request costs. An application that knows the shortcut may use it; under any other web server it is not there, and ASGI does.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

SHORTCUT = "croupier.shortcut"
"""Where the extensions of a scope hold the request's Shortcut."""


class Shortcut(Protocol):
    def content(self) -> bytes | None:
        """The whole body, if all of it is here; `receive` does not tell it again."""

    async def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer the request, in one write; `headers` (names in lower case) must say the content's length.

        Waits while the caller does not read. Raises RuntimeError when `send` began an answer, or for a header of two lines.
        """

    def on_hang_up(self, leave: Callable[[], None] | None) -> None:
        """Call `leave`, once, when the caller hangs up before it is answered; at once when it has already."""
