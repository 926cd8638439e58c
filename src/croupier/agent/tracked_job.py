"""What is remembered of a job, and where its story goes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from croupier.agent.game_server import GameServer
from croupier.domain.job import JobEvent


class JobSink(Protocol):
    """Where the story of a job goes. Acknowledges through `Jobs.acknowledged`."""

    def deliver(self, event: JobEvent, raw: bytes) -> None:
        """`raw` is the event's encoded frame, or nothing."""

    def waiting(self, job_id: str) -> Sequence[tuple[int, bytes]]:
        """Number and frame of the job's events that are not acknowledged, as far as they would be lost with this process."""

    @property
    def full(self) -> bool:
        """More events should wait where they are made."""


@dataclass(kw_only=True, slots=True, eq=False)
class TrackedJob:
    job_id: str
    function_id: str
    service_id: str
    incarnation: str
    server: GameServer | None
    """None while its game server is away."""
    sink: JobSink
    started: bool = False
    last_seq: int = 0
    acknowledged: int = 0
    end: JobEvent | None = None
    stopped_because: str = ""
    """Why it was asked to stop, if it was: `canceled` or `deadline_exceeded`."""
    stop_words: str = ""
    listens: bool = False
    """Its game server is called by address: this agent numbers its events."""
    remote_id: str = ""
    """What such a game server calls it."""
    deadline_ms: int = 0
    """Since 1970; 0 for none."""
    numbered: bool = True
    """`last_seq` is known. After a restart it is not, until an attached game server tells on."""
    spooled: bool = False
    """Some of its events are on disk."""
    secured: int = 0
    """What is not acknowledged of its events up to this one is on disk."""
    deadline: asyncio.TimerHandle | None = None
    force: asyncio.TimerHandle | None = None

    @property
    def state(self) -> str:
        if self.end is not None:
            return ended_state(self.end)
        return "running" if self.started or self.last_seq else "pending"


def ended_state(end: JobEvent) -> str:
    if end.type == "done":
        return "succeeded"
    return end.reason if end.reason in {"canceled", "lost"} else "failed"
