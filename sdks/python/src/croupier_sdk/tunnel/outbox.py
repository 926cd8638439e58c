from collections import deque
from collections.abc import Iterator


class Outbox:
    """The events of one job until the agent has stored them, oldest first. Without I/O.

    kept:  acked+1 … sent | sent+1 … last
    """

    __slots__ = ("_sent", "_unsent", "acked", "ended", "last")

    def __init__(self) -> None:
        self.acked = 0
        self.last = 0
        self.ended = False
        """The last event is in."""
        self._sent: deque[bytes] = deque()
        self._unsent: deque[bytes] = deque()

    @property
    def waiting(self) -> int:
        """How many events are not acknowledged."""
        return len(self._sent) + len(self._unsent)

    def add(self, frame: bytes) -> None:
        self.last += 1
        self._unsent.append(frame)

    def take(self, window: int) -> Iterator[bytes]:
        """The events that may be sent now: at most `window` beyond the last acknowledged one."""
        while self._unsent and len(self._sent) < window:
            frame = self._unsent.popleft()
            self._sent.append(frame)
            yield frame

    def acknowledge(self, seq: int) -> None:
        """Forget the events up to `seq`, sent in this session or (by an earlier one) not."""
        while self.acked < seq and self.waiting:
            (self._sent or self._unsent).popleft()
            self.acked += 1

    def rewind(self) -> None:
        """A new session knows nothing of what was sent: all that is not acknowledged is to be sent again."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def clear(self) -> None:
        self._sent.clear()
        self._unsent.clear()
        self.acked = self.last
