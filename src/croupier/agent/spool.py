"""What the agent must still know of its jobs after a restart, on disk.

    jobs ─ keep … ─► queue ─► one thread: many in one transaction, synced ─► then(…)

Kept are where each job of the server runs, and those of its events that the server has not acknowledged and no game server
would send again. SQLite does the keeping: a kill leaves what was committed, and nothing else.
"""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from croupier.errors import Unavailable

log = logging.getLogger(__name__)

MOST_BYTES = 268_435_456
"""Events that wait here for their acknowledgement; beyond it jobs must wait before they tell more."""
RETRY_AFTER = 1.0
"""Seconds until what the disk refused is tried again."""

Then = Callable[[Unavailable | None], None]
"""Told that something is on disk, or why it cannot be."""

_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists jobs (
    job_id text primary key, function_id text not null, service_id text not null, incarnation text not null,
    listens int not null, remote_id text not null, deadline_ms int not null,
    last_seq int not null, place int not null, first blob not null
) without rowid;
create table if not exists events (job_id text not null, seq int not null, frame blob not null, primary key (job_id, seq));
"""
_PUT_JOB = "insert or replace into jobs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_EVENT = "insert or replace into events values (?, ?, ?)"
_PUT_PLACE = "update jobs set last_seq = ?, place = ?, first = ? where job_id = ?"
_DROP_EVENTS = "delete from events where job_id = ? and seq <= ?"
_DROP_JOB = "delete from jobs where job_id = ?"

_Write = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptJob:
    job_id: str
    function_id: str
    service_id: str
    incarnation: str = ""
    listens: bool = False
    """It runs on a game server that is called by its address, and whose events this agent numbers."""
    remote_id: str = ""
    """What such a game server calls it; empty where it is a call of Invoke, which a restart ends."""
    deadline_ms: int = 0
    """Since 1970; 0 for none."""
    last_seq: int = 0
    place: int = 0
    """How far the game server's own telling of the story was heard."""
    first: bytes = b""
    """What tells its first event from others."""
    events: tuple[tuple[int, bytes], ...] = ()
    """Number and frame of those that are not acknowledged."""


class Spool:
    """Made inside a running loop. Nothing is kept before `open`."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._queue: list[tuple[Sequence[_Write], Then | None]] = []
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._sizes: dict[str, deque[tuple[int, int]]] = {}
        self._bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._database: sqlite3.Connection | None = None

    async def open(self) -> list[KeptJob]:
        """What is kept, oldest event first. A file that is damaged is put aside with a warning.

        Raises OSError when there can be no file.
        """
        try:
            kept = await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except sqlite3.Error as error:
            raise OSError(f"{self._path} cannot be opened: {error}") from error
        for job in kept:
            for seq, frame in job.events:
                self._grow(job.job_id, seq, len(frame))
        return kept

    def _open(self) -> list[KeptJob]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._load()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = self._path.with_suffix(f".damaged-{time.time_ns()}")
            self._path.replace(aside)
            for part in ("-wal", "-shm"):
                self._path.with_name(self._path.name + part).unlink(missing_ok=True)
            log.warning("what was kept of jobs cannot be read (%s); it is now in %s", error, aside.name)
            return self._load()

    def _load(self) -> list[KeptJob]:
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            database.executescript(_SCHEMA)
            events: dict[str, list[tuple[int, bytes]]] = {}
            for job_id, seq, frame in database.execute("select job_id, seq, frame from events order by job_id, seq"):
                events.setdefault(job_id, []).append((seq, frame))
            kept = [_job(row, events.get(row[0], [])) for row in database.execute("select * from jobs")]
        except BaseException:
            database.close()
            raise
        self._database = database
        return kept

    # ------------------------------------------------------------------------------------------------ keeping

    def keep_job(self, job: KeptJob, then: Then | None = None) -> None:
        """`then` is told once; a failure means that the job is not kept."""
        row = (
            job.job_id,
            job.function_id,
            job.service_id,
            job.incarnation,
            int(job.listens),
            job.remote_id,
            job.deadline_ms,
            job.last_seq,
            job.place,
            job.first,
        )
        self._put([(_PUT_JOB, row)], then)

    def keep_events(
        self,
        job_id: str,
        events: Iterable[tuple[int, bytes]],
        *,
        place: int = 0,
        first: bytes = b"",
        then: Then | None = None,
    ) -> None:
        """Number and frame of each. With a `place`, that far its game server's telling was heard. Tried until it succeeds."""
        writes: list[_Write] = []
        last = 0
        for last, frame in events:
            self._grow(job_id, last, len(frame))
            writes.append((_PUT_EVENT, (job_id, last, frame)))
        writes.append((_PUT_PLACE, (last, place, first, job_id)))
        self._put(writes, then)

    def acknowledged(self, job_id: str, seq: int) -> None:
        """Events up to `seq` need not be kept any more."""
        if self._shrink(job_id, seq):
            self._put([(_DROP_EVENTS, (job_id, seq))], None)

    def forget(self, job_id: str) -> None:
        self._shrink(job_id, None)
        self._put([(_DROP_JOB, (job_id,)), ("delete from events where job_id = ?", (job_id,))], None)

    @property
    def full(self) -> bool:
        return self._bytes >= self._most_bytes

    async def room(self) -> None:
        """Wait until more events may be kept."""
        while self.full:
            self._room.clear()
            await self._room.wait()

    def _grow(self, job_id: str, seq: int, size: int) -> None:
        self._sizes.setdefault(job_id, deque()).append((seq, size))
        self._bytes += size

    def _shrink(self, job_id: str, seq: int | None) -> bool:
        sizes = self._sizes.get(job_id)
        if sizes is None or (seq is not None and sizes[0][0] > seq):
            return False
        while sizes and (seq is None or sizes[0][0] <= seq):
            self._bytes -= sizes.popleft()[1]
        if not sizes:
            del self._sizes[job_id]
        if not self.full:
            self._room.set()
        return True

    # ------------------------------------------------------------------------------------------------ writing

    def _put(self, writes: Sequence[_Write], then: Then | None) -> None:
        self._queue.append((writes, then))
        self._wake.set()

    async def run(self) -> None:
        """Write what is asked for, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._commit():
                self._wake.set()
                await asyncio.sleep(RETRY_AFTER)

    async def _commit(self) -> bool:
        batch, self._queue = self._queue, []
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)
        except sqlite3.Error as error:
            log.warning("jobs cannot be kept on disk, trying again: %s", error)
            refusal = Unavailable(f"the agent cannot keep jobs on its disk: {error}; nothing ran, try again later")
            refused = [each for each in batch if _may_be_refused(each)]
            self._queue = [each for each in batch if not _may_be_refused(each)] + self._queue
            _tell(refused, refusal)
            return not self._queue
        _tell(batch, None)
        return True

    def _write(self, batch: Sequence[tuple[Sequence[_Write], Then | None]]) -> None:
        """In the thread."""
        database = self._database
        if database is None:
            return
        database.execute("begin")
        try:
            for writes, _ in batch:
                for statement, values in writes:
                    database.execute(statement, values)
            database.execute("commit")
        except BaseException:
            if database.in_transaction:
                database.execute("rollback")
            raise

    async def close(self) -> None:
        """The last write, when `run` has ended."""
        loop = asyncio.get_running_loop()
        await self._commit()
        database, self._database = self._database, None
        if database is not None:
            await loop.run_in_executor(self._thread, database.close)
        self._thread.shutdown(wait=False)


def _may_be_refused(item: tuple[Sequence[_Write], Then | None]) -> bool:
    writes, then = item
    return then is not None and writes[0][0] is _PUT_JOB


def _tell(items: Sequence[tuple[Sequence[_Write], Then | None]], refusal: Unavailable | None) -> None:
    for _, then in items:
        if then is not None:
            then(refusal)


def _job(row: tuple[Any, ...], events: list[tuple[int, bytes]]) -> KeptJob:
    job_id, function_id, service_id, incarnation, listens, remote_id, deadline_ms, last_seq, place, first = row
    return KeptJob(
        job_id=job_id,
        function_id=function_id,
        service_id=service_id,
        incarnation=incarnation,
        listens=bool(listens),
        remote_id=remote_id,
        deadline_ms=deadline_ms,
        last_seq=last_seq,
        place=place,
        first=first,
        events=tuple(events),
    )
