"""What a reader reads: each feed knows how far it came, and says when there may be more."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence


class Feed(ABC):
    """Of one topic, or several. Used by one task; `wake` is the reader's."""

    head = b""
    """What stands before `seq` in a cursor; empty for one that says how things are, which nobody resumes."""

    def __init__(self, topics: Sequence[str], wake: Callable[[], None]) -> None:
        self.topics = topics
        self.seq = 0
        self.ready = True
        """There may be something to read."""
        self._wake = wake

    @abstractmethod
    async def begin(self) -> None:
        """From now on it says when there is something. Raises CroupierError where the reader may not, or there is no such thing."""

    @abstractmethod
    async def read(self) -> Sequence[bytes]:
        """The next frames, up to a bound; `seq` is that of the last. Raises CroupierError."""

    @abstractmethod
    async def close(self) -> None: ...

    def has_news(self) -> None:
        self.ready = True
        self._wake()
