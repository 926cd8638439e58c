"""What the agent can ask of a game server, whichever way it is reached."""

from collections.abc import Callable
from typing import Protocol

from croupier.errors import CroupierError
from croupier.tunnel.frames import Answer, Invoke

Done = Callable[[Answer | CroupierError, bytes], None]
"""Told how a call ended, with the bytes of the answer's frame, or none where the frame is still to be encoded."""


class GameServer(Protocol):
    service_id: str
    incarnation: str
    """Tells a process from the one that replaces it under the same id; empty where that is not known."""
    capabilities: frozenset[str]
    """What it said it can do, beyond what every game server can."""
    listens: bool
    """It is called by its address, and numbers nothing."""
    outstanding: int
    """Calls under way, counted by who passes them on."""
    last_turn: int
    """The number of the last call that was given to it, of all calls given to any; 0 for none."""

    def call(self, frame: Invoke, raw: bytes, timeout: float | None, done: Done) -> str:
        """Pass a request on: `raw` is its encoded frame, if there is one. `timeout` in seconds, None for none.

        `done` is told once, later, never from within. Returns the name under which the call can be canceled.
        Raises CroupierError, mostly Unavailable or RateLimited, when it was not sent.
        """

    def cancel(self, name: str, reason: str) -> None:
        """Nobody waits for this call any more; `done` will not be told."""

    def cancel_job(self, job_id: str, reason: str) -> None: ...

    def acknowledge(self, job_id: str, seq: int, *, stop: bool) -> None:
        """The job's events up to `seq` are in safe hands; with `stop` nobody wants the job or more of its events."""

    def pause(self) -> None:
        """Bring no more job events until `proceed`, if that can be."""

    def proceed(self) -> None: ...

    def abandon(self, why: str) -> None:
        """It broke the rules: end whatever runs there."""
