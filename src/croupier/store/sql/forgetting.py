"""What is taken out of the database, each time so little that a transaction stays short."""

from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, select, update

from croupier.domain.call import CallState
from croupier.domain.job import Job
from croupier.domain.listing import Cursor
from croupier.store.sql import rows
from croupier.store.sql.searches import BARE_JOB
from croupier.store.sql.tables import KEPT, KEYED, call_bodies, call_subjects, calls, job_events, jobs
from croupier.store.sql.writes import ArchiveJob, ExpireKeys, ForgetCalls, ForgetEvents

FORGOTTEN_BYTES = 4_000_000
"""Events are deleted until they weigh this much: SQLite visits every page of what it lets go."""

STORED, ARCHIVED, CLEARED = 0, 1, 2
"""Of `jobs.archived`: the story is in job_events; it is, or was decided to be, nowhere but in the archive; no event is left."""

UNENDED = (CallState.RUNNING.value, CallState.WAITING.value)

_expired = (
    select(calls.c.id)
    .where(KEYED, calls.c.started_ms <= bindparam("before"))
    .order_by(calls.c.started_ms)
    .limit(bindparam("at_most"))
)
_EXPIRE = update(calls).values(key_expired=1).where(calls.c.id.in_(_expired))

_OLD_CALLS = (
    select(calls.c.started_ms, calls.c.id)
    .where(calls.c.started_ms < bindparam("before"), calls.c.state.not_in(UNENDED))
    .order_by(calls.c.started_ms, calls.c.id)
    .limit(bindparam("at_most"))
)
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_FORGET_CALLS = delete(calls).where(calls.c.id.in_(_ids), calls.c.state.not_in(UNENDED))
_FORGET_BODIES = delete(call_bodies).where(
    call_bodies.c.call_id.in_(_ids), ~exists().where(calls.c.id == call_bodies.c.call_id)
)
_FORGET_SUBJECTS = delete(call_subjects).where(
    call_subjects.c.call_id.in_(_ids), ~exists().where(calls.c.id == call_subjects.c.call_id)
)

_OLD_JOBS = (
    BARE_JOB.where(KEPT, jobs.c.finished_ms < bindparam("before"))
    .order_by(jobs.c.finished_ms, jobs.c.id)
    .limit(bindparam("at_most"))
)
_mark = update(jobs).where(jobs.c.id == bindparam("job_id"), jobs.c.finished_ms > 0)
_ARCHIVE = _mark.where(jobs.c.archived == STORED).values(archived=ARCHIVED)
_CLEAR = _mark.where(jobs.c.archived == ARCHIVED).values(archived=CLEARED)
_is_archived = exists().where(jobs.c.id == bindparam("job_id"), jobs.c.archived == ARCHIVED)
_WEIGHTS = (
    select(job_events.c.seq, func.length(job_events.c.payload) + func.length(job_events.c.message))
    .where(job_events.c.job_id == bindparam("job_id"), _is_archived)
    .order_by(job_events.c.seq)
    .limit(bindparam("at_most"))
)
_FORGET_EVENTS = delete(job_events).where(
    job_events.c.job_id == bindparam("job_id"), job_events.c.seq <= bindparam("last")
)


def old_calls(connection: Connection, before_ms: int, limit: int) -> list[Cursor]:
    found = connection.execute(_OLD_CALLS, {"before": before_ms, "at_most": limit})
    return [Cursor(started_ms, call_id) for started_ms, call_id in found]


def old_jobs(connection: Connection, before_ms: int, limit: int) -> list[Job]:
    return [rows.job(row) for row in connection.execute(_OLD_JOBS, {"before": before_ms, "at_most": limit})]


def expire_keys(connection: Connection, expire: ExpireKeys) -> int:
    return connection.execute(_EXPIRE, {"before": expire.before_ms, "at_most": expire.limit}).rowcount


def forget_calls(connection: Connection, forget: ForgetCalls) -> None:
    given: dict[str, Any] = {"ids": list(forget.call_ids)}
    connection.execute(_FORGET_CALLS, given)
    connection.execute(_FORGET_BODIES, given)
    connection.execute(_FORGET_SUBJECTS, given)


def archive_job(connection: Connection, archive: ArchiveJob) -> None:
    connection.execute(_ARCHIVE, {"job_id": archive.job_id})


def forget_events(connection: Connection, forget: ForgetEvents) -> bool:
    """Whether there are more."""
    asked = {"job_id": forget.job_id, "at_most": forget.limit}
    weight = last = 0
    for seq, size in connection.execute(_WEIGHTS, asked):
        last, weight = seq, weight + size
        if weight >= FORGOTTEN_BYTES:
            break
    if last:
        connection.execute(_FORGET_EVENTS, {"job_id": forget.job_id, "last": last})
        return True
    connection.execute(_CLEAR, {"job_id": forget.job_id})
    return False
