"""When open requests run out of time."""

import heapq

_SLACK = 1024


class Deadlines:
    """Moments by request id. The entry of a request that ended early is dropped at its moment or when most are dead."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._at)

    @property
    def entries(self) -> int:
        """How many are kept, those of ended requests too."""
        return len(self._heap)

    def set(self, request_id: str, at: float) -> None:
        self._at[request_id] = at
        heapq.heappush(self._heap, (at, request_id))

    def forget(self, request_id: str) -> None:
        if self._at.pop(request_id, None) is not None and len(self._heap) > 2 * len(self._at) + _SLACK:
            self._heap = [(at, request_id) for request_id, at in self._at.items()]
            heapq.heapify(self._heap)

    def clear(self) -> None:
        self._at.clear()
        self._heap.clear()

    def next(self) -> float | None:
        """The nearest moment of a request that is still open."""
        heap = self._heap
        while heap and self._at.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def expired(self, now: float) -> list[str]:
        """The requests whose moment has come, each once, earliest first."""
        over: list[str] = []
        while (at := self.next()) is not None and at <= now:
            _, request_id = heapq.heappop(self._heap)
            del self._at[request_id]
            over.append(request_id)
        return over
