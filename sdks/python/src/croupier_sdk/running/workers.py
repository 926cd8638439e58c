import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from croupier_sdk.errors import Failure

Outcome = bytes | Failure
"""How a handler ended."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A piece of work given to a thread. `withdrawn` keeps it from starting; one that has started goes on to its end."""

    work: Callable[[], Outcome]
    done: Callable[[Outcome], None]
    started: bool = False
    withdrawn: bool = False


class Workers:
    """At most `size` threads for handlers that block, made as they are needed.

    They are daemons, unlike those of `concurrent.futures`: a handler that never returns must not keep the game server from ending.
    Outcomes come back on the loop, many for one wake-up.
    """

    def __init__(self, size: int, name: str) -> None:
        if size < 1:
            raise ValueError(f"{name}: at least one thread is needed")
        self._size = size
        self._name = name
        self._threads = 0
        self._idle = threading.Semaphore(0)
        self._tickets: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._outcomes: deque[tuple[Ticket, Outcome]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Callable[[], Outcome], done: Callable[[Outcome], None]) -> Ticket:
        """Run `work`, which never raises, in a thread, and then `done` on the loop. Call on the loop."""
        self._loop = self._loop or asyncio.get_running_loop()
        ticket = Ticket(work, done)
        self._tickets.put(ticket)
        if not self._idle.acquire(blocking=False) and self._threads < self._size:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"{self._name}-{self._threads}", daemon=True).start()
        return ticket

    def close(self) -> None:
        """Let the threads end once they are done with what they run."""
        for _ in range(self._threads):
            self._tickets.put(None)

    def _serve(self) -> None:
        while (ticket := self._tickets.get()) is not None:
            if not ticket.withdrawn:
                ticket.started = True
                self._report(ticket, ticket.work())
            self._idle.release()

    def _report(self, ticket: Ticket, outcome: Outcome) -> None:
        first = not self._outcomes
        self._outcomes.append((ticket, outcome))
        if first and self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop is closed: the provider ended long before this handler, and nobody waits
                self._outcomes.clear()

    def _deliver(self) -> None:
        while self._outcomes:
            ticket, outcome = self._outcomes.popleft()
            ticket.done(outcome)
