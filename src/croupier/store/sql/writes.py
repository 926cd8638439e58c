"""What can be asked of the writer: each a value that is applied in some transaction, alone or with others.

`Write[T]` is answered with a T or with a CroupierError. Two are never equal, so each is a key for its own answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from croupier.domain.approval import Approval
from croupier.domain.audit import Note
from croupier.domain.call import Call, Outcome, Result, Trail
from croupier.domain.entity import Subject
from croupier.domain.job import Job, JobEvent
from croupier.domain.values import value
from croupier.errors import CroupierError
from croupier.store import NOTHING_RAN, CallRecord

T_co = TypeVar("T_co", covariant=True)

ROW_BYTES = 512
"""What a row is taken to weigh besides its payload."""


class Write(Generic[T_co]):
    __slots__ = ()

    @property
    def weight(self) -> int:
        """About how many bytes it holds while it waits."""
        return ROW_BYTES


@value(frozen=True, slots=True, eq=False)
class Begin(Write[CallRecord | None]):
    call: Call
    kind: str
    started_ms: int
    about: Sequence[Subject] = ()
    is_query: bool = False
    approval: Approval | None = None
    """What it waited for; or, of break-glass, what is recorded with it."""
    note: Note | None = None

    @property
    def weight(self) -> int:
        return ROW_BYTES + len(self.call.payload) + (len(self.note.details) if self.note is not None else 0)


@value(frozen=True, slots=True, eq=False)
class Finish(Write[None]):
    call_id: str
    outcome: Outcome
    finished_ms: int
    trail: Trail | None = None
    note: Note | None = None

    @property
    def unsent(self) -> bool:
        return isinstance(self.outcome, CroupierError) and self.outcome.unsent

    @property
    def frees_key(self) -> bool:
        return isinstance(self.outcome, CroupierError) and (self.outcome.unsent or self.outcome.reason in NOTHING_RAN)

    @property
    def body(self) -> bytes:
        return self.outcome.payload if isinstance(self.outcome, Result) else b""

    @property
    def weight(self) -> int:
        return ROW_BYTES + len(self.body)


@dataclass(frozen=True, slots=True, eq=False)
class Abandon(Write[int]):
    finished_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Place(Write[None]):
    job_id: str
    agent_id: str
    service_id: str


@dataclass(frozen=True, slots=True, eq=False)
class AskToStop(Write[None]):
    job_id: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Append(Write[dict[str, int]]):
    events: Sequence[JobEvent]

    @property
    def weight(self) -> int:
        return sum(ROW_BYTES + len(event.payload) + len(event.message) for event in self.events)


@dataclass(frozen=True, slots=True, eq=False)
class Conclude(Write[Job | None]):
    job_id: str
    reason: str
    message: str
    time_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class ExpireKeys(Write[int]):
    before_ms: int
    limit: int


@dataclass(frozen=True, slots=True, eq=False)
class ForgetCalls(Write[None]):
    call_ids: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveJob(Write[None]):
    job_id: str


@dataclass(frozen=True, slots=True, eq=False)
class ForgetEvents(Write[bool]):
    job_id: str
    limit: int
