"""What was decided about people holds until something about them changes."""

from collections.abc import Callable


class Epoch:
    """Counts the changes that may take a right from somebody. Whoever remembers a decision remembers its number too."""

    __slots__ = ("_listeners", "number")

    def __init__(self) -> None:
        self.number = 0
        self._listeners: list[Callable[[], None]] = []

    def end(self) -> None:
        """Something changed: nothing that was remembered counts any more, and listeners look again."""
        self.number += 1
        for listener in self._listeners:
            listener()

    def on_end(self, listener: Callable[[], None]) -> None:
        """`listener` is called at each end; it must be quick and must not raise."""
        self._listeners.append(listener)
