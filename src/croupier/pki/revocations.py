from collections.abc import Callable, Iterable

Told = Callable[[frozenset[str]], None]
"""Told the serials that were revoked just now; must return at once."""


class Revocations:
    """Serials of certificates that count no more, and whoever wants to know at once. Belongs to one event loop."""

    def __init__(self, serials: Iterable[str] = ()) -> None:
        self.serials = frozenset(serials)
        self._listeners: set[Told] = set()

    def __contains__(self, serial: str) -> bool:
        return serial in self.serials

    def replace(self, serials: Iterable[str]) -> None:
        """From now on it is these; whoever listens is told those that are new."""
        before, self.serials = self.serials, frozenset(serials)
        fresh = self.serials - before
        if fresh:
            for told in list(self._listeners):
                told(fresh)

    def listen(self, told: Told) -> Callable[[], None]:
        """Returns what ends the listening."""
        self._listeners.add(told)
        return lambda: self._listeners.discard(told)
