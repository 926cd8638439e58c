import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from croupier.domain.approval import Approval
from croupier.domain.audit import Note
from croupier.domain.call import Call, Outcome, Trail
from croupier.domain.entity import Subject
from croupier.domain.job import Job, JobEvent
from croupier.domain.listing import CallFilter, Cursor, JobFilter, Page
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition, InternalError, Unavailable
from croupier.store import KEY_WINDOW_MS, CallRecord, Deed
from croupier.store.sql import forgetting, queries, searches, sqlite, timelines
from croupier.store.sql.account_store import SqlAccountStore
from croupier.store.sql.approval_store import SqlApprovalStore
from croupier.store.sql.audit_log import AuditLog
from croupier.store.sql.audit_store import SqlAuditStore
from croupier.store.sql.bulk_store import SqlBulkStore
from croupier.store.sql.catalog_store import SqlCatalogStore
from croupier.store.sql.committer import Committer
from croupier.store.sql.failures import translated
from croupier.store.sql.guard_store import SqlGuardStore
from croupier.store.sql.identity_store import SqlIdentityStore
from croupier.store.sql.machine_store import SqlMachineStore
from croupier.store.sql.pack_store import SqlPackStore
from croupier.store.sql.policy_store import SqlPolicyStore
from croupier.store.sql.schema import bring_to_head
from croupier.store.sql.second_factor_store import SqlSecondFactorStore
from croupier.store.sql.secret_store import SqlSecretStore
from croupier.store.sql.transaction import call_key
from croupier.store.sql.writer import CLOSED, Writer
from croupier.store.sql.writes import (
    Abandon,
    Append,
    ArchiveJob,
    AskToStop,
    Begin,
    Conclude,
    ExpireKeys,
    Finish,
    ForgetCalls,
    ForgetEvents,
    Place,
)

T = TypeVar("T")

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""

READERS = 2


def system_clock() -> int:
    return time.time_ns() // 1_000_000


async def open_store(path: Path, *, clock: Clock = system_clock, audit_key: bytes = b"") -> "SqlStore":
    """Open the database at `path`, or make it; an older one is brought to the newest form.

    Raises FailedPrecondition when the file is not ours, is of a newer program or is in use, Unavailable when the disk
    refuses. Close the store on the event loop that opened it.
    Without an `audit_key` the audit record is chained, but whoever can write the file can chain it anew.
    """
    lock = await asyncio.to_thread(_prepare, path)
    return SqlStore(path, lock=lock, clock=clock, audit_key=audit_key)


def _prepare(path: Path) -> sqlite.Lock:
    try:
        lock = sqlite.Lock(path)
    except OSError as error:
        raise FailedPrecondition(
            f"{path} cannot be written ({error.strerror}): make its directory, or choose another data directory"
        ) from error
    try:
        path.touch(mode=0o600)  # calls hold what players and operators entered; SQLite's own files take over the mode
        bring_to_head(sqlite.writer_engine(path), path)
    except BaseException as error:
        lock.release()
        if isinstance(error, DBAPIError | OSError):
            raise _cannot_open(path, error) from error
        raise
    return lock


def _cannot_open(path: Path, error: DBAPIError | OSError) -> CroupierError:
    reason = translated(error)
    if isinstance(reason, InternalError):
        return FailedPrecondition(f"{path} cannot be opened: {error.orig if isinstance(error, DBAPIError) else error}")
    return type(reason)(f"{path}: {reason.message}")


class SqlStore:
    """`croupier.store.Store` on SQLite. Get one from `open_store`."""

    def __init__(self, path: Path, *, lock: sqlite.Lock, clock: Clock, audit_key: bytes) -> None:
        self._lock = lock
        self._clock = clock
        self._closed = False
        audit_log = AuditLog(audit_key)
        self._committer = Committer(sqlite.writer_engine(path), audit_log)
        self._writer = Writer(self._committer.commit)
        self._reader_engine: Engine = sqlite.reader_engine(path, READERS)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self.approvals = SqlApprovalStore(self._writer, self._read, clock)
        self.audit = SqlAuditStore(self._writer, audit_log, self._read, clock)
        self.bulk = SqlBulkStore(self._writer, self._read)
        self.catalog = SqlCatalogStore(self._writer, self._read)
        self.packs = SqlPackStore(self._writer, self._read)
        self.second_factors = SqlSecondFactorStore(self._writer, self._read)
        self.identities = SqlIdentityStore(self._writer, self._read)
        self.machines = SqlMachineStore(self._writer, self._read)
        self.accounts = SqlAccountStore(self._writer, self._read)
        self.guards = SqlGuardStore(self._writer, self._read)
        self.secrets = SqlSecretStore(self._writer, self._read)
        self.policy = SqlPolicyStore(self._writer, self._read)

    async def begin(
        self,
        call: Call,
        *,
        kind: str = "invoke",
        durable: bool = True,
        about: Sequence[Subject] = (),
        approval: Approval | None = None,
        note: Note | None = None,
    ) -> CallRecord | None:
        write = Begin(call, kind, self._clock(), about, not durable, approval, note)
        if durable or call.idempotency_key or approval is not None:
            return await self._writer.submit(write)
        await self._writer.post(write)
        return None

    async def finish(
        self,
        call_id: str,
        outcome: Outcome,
        *,
        durable: bool = True,
        trail: Trail | None = None,
        note: Note | None = None,
    ) -> None:
        write = Finish(call_id, outcome, self._clock(), trail, note)
        await (self._writer.submit(write) if durable else self._writer.post(write))

    async def call(self, call_id: str) -> CallRecord | None:
        return await self._read(lambda connection: queries.call(connection, call_id))

    async def repeats(self, call: Call) -> bool:
        if not call.idempotency_key:
            return False
        key = call_key(call)
        began = await self._read(lambda connection: queries.begun_with(connection, key))
        return began is not None and began > self._clock() - KEY_WINDOW_MS

    async def calls(self, which: CallFilter, limit: int, after: Cursor | None = None) -> Page[CallRecord]:
        return await self._read(lambda connection: searches.calls_page(connection, which, limit, after))

    async def timeline(
        self, scope: Scope, subject: Subject, limit: int, before: Cursor | None = None, *, queries: bool = True
    ) -> Page[Deed]:
        return await self._read(
            lambda connection: timelines.timeline(connection, scope, subject, (limit, before), queries=queries)
        )

    async def abandon(self) -> int:
        return await self._writer.submit(Abandon(self._clock()))

    async def create(
        self,
        call: Call,
        *,
        about: Sequence[Subject] = (),
        approval: Approval | None = None,
        note: Note | None = None,
    ) -> CallRecord | None:
        return await self._writer.submit(Begin(call, "job", self._clock(), about, approval=approval, note=note))

    async def place(self, job_id: str, *, agent_id: str, service_id: str) -> None:
        await self._writer.submit(Place(job_id, agent_id, service_id))

    async def ask_to_stop(self, job_id: str, reason: str) -> None:
        await self._writer.submit(AskToStop(job_id, reason))

    async def append(self, events: Sequence[JobEvent]) -> dict[str, int]:
        return await self._writer.submit(Append(events))

    async def conclude(self, job_id: str, *, reason: str, message: str) -> Job | None:
        return await self._writer.submit(Conclude(job_id, reason, message, self._clock()))

    async def events(self, job_id: str, after: int, limit: int) -> list[JobEvent]:
        return await self._read(lambda connection: queries.events(connection, job_id, after, limit))

    async def job(self, job_id: str) -> Job | None:
        return await self._read(lambda connection: queries.job(connection, job_id))

    async def jobs(self, which: JobFilter, limit: int, after: Cursor | None = None) -> Page[Job]:
        return await self._read(lambda connection: searches.jobs_page(connection, which, limit, after))

    async def expire_keys(self, limit: int) -> int:
        return await self._writer.submit(ExpireKeys(self._clock() - KEY_WINDOW_MS, limit))

    async def old_calls(self, before_ms: int, limit: int) -> list[Cursor]:
        return await self._read(lambda connection: forgetting.old_calls(connection, before_ms, limit))

    async def forget_calls(self, call_ids: Sequence[str]) -> None:
        await self._writer.submit(ForgetCalls(call_ids))

    async def old_jobs(self, before_ms: int, limit: int) -> list[Job]:
        return await self._read(lambda connection: forgetting.old_jobs(connection, before_ms, limit))

    async def archive_job(self, job_id: str) -> None:
        await self._writer.submit(ArchiveJob(job_id))

    async def forget_events(self, job_id: str, limit: int) -> bool:
        return await self._writer.submit(ForgetEvents(job_id, limit))

    async def close(self) -> None:
        self._closed = True
        await self._writer.close()
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        self._readers.shutdown()
        self._reader_engine.dispose()
        self._committer.close()
        self._lock.release()

    async def _read(self, query: Callable[[Connection], T]) -> T:
        if self._closed:
            raise Unavailable(CLOSED)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._query, query)

    def _query(self, query: Callable[[Connection], T]) -> T:
        try:
            with self._reader_engine.connect() as connection:
                return query(connection)
        except Exception as error:
            raise translated(error) from error
