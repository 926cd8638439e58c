"""The newest stored events of the jobs that had some lately, so that followers need not all read the store."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from croupier.domain.job import JobEvent

JOBS = 256
JOB_EVENTS = 4_096
JOB_BYTES = 4_000_000
ALL_BYTES = 64_000_000


@dataclass(slots=True)
class _Tail:
    events: deque[JobEvent] = field(default_factory=deque)
    size: int = 0


class RecentEvents:
    """Bounded for each job and all together; who does not find an event here reads the store."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, _Tail] = OrderedDict()
        self._size = 0

    def add(self, event: JobEvent) -> None:
        """Events of a job come in order; one that came before changes nothing, and a gap starts over."""
        tail = self._jobs.get(event.job_id)
        if tail is None:
            tail = self._jobs[event.job_id] = _Tail()
        elif tail.events[-1].seq >= event.seq:
            return
        elif tail.events[-1].seq + 1 < event.seq:
            self._size -= tail.size
            tail = self._jobs[event.job_id] = _Tail()
        self._jobs.move_to_end(event.job_id)
        tail.events.append(event)
        self._grow(tail, weight(event))
        while len(tail.events) > 1 and (len(tail.events) > JOB_EVENTS or tail.size > JOB_BYTES):
            self._grow(tail, -weight(tail.events.popleft()))
        while len(self._jobs) > 1 and (len(self._jobs) > JOBS or self._size > ALL_BYTES):
            self._size -= self._jobs.popitem(last=False)[1].size

    def _grow(self, tail: _Tail, size: int) -> None:
        tail.size += size
        self._size += size

    def after(self, job_id: str, seq: int, limit: int) -> list[JobEvent]:
        """The events that follow `seq` directly; nothing when they are not all here."""
        tail = self._jobs.get(job_id)
        if tail is None or tail.events[0].seq > seq + 1:
            return []
        start = seq + 1 - tail.events[0].seq
        return [tail.events[index] for index in range(start, min(len(tail.events), start + limit))]


def weight(event: JobEvent) -> int:
    return len(event.payload) + len(event.message)
