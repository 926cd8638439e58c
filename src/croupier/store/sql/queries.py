"""What is read. Each function runs a statement on the connection given and returns domain values."""

from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, null, select

from croupier.domain.job import Job, JobEvent, JobState
from croupier.store import CallRecord
from croupier.store.sql import rows
from croupier.store.sql.tables import KEY, KEYED, PAYLOAD, RESULT, call_bodies, calls, job_events, jobs

_INTEGER_MAX = 2**63 - 1

_payloads, _results = call_bodies.alias("payloads"), call_bodies.alias("results")
_CALLS: Select[Any] = (
    select(
        *(each for each in calls.c if each.name not in {PAYLOAD, RESULT}),
        func.coalesce(calls.c.payload, _payloads.c.body).label("payload"),
        func.coalesce(calls.c.result, _results.c.body).label("result"),
    )
    .outerjoin_from(calls, _payloads, and_(_payloads.c.call_id == calls.c.id, _payloads.c.part == PAYLOAD))
    .outerjoin(_results, and_(_results.c.call_id == calls.c.id, _results.c.part == RESULT))
)
_CALL = _CALLS.where(calls.c.id == bindparam("id"))
_by_key = and_(KEYED, *(column == bindparam(column.name) for column in KEY))  # KEYED, or SQLite passes over the index
_KEY_OWNER = select(calls.c.id, calls.c.started_ms).where(_by_key)

_done = and_(
    job_events.c.job_id == jobs.c.id,
    job_events.c.seq == jobs.c.last_seq,
    jobs.c.state == JobState.SUCCEEDED.value,
)
_JOB = select(jobs, job_events.c.payload).outerjoin_from(jobs, job_events, _done).where(jobs.c.id == bindparam("id"))
_JOBS = select(jobs, null().label("payload"))
_EVENTS = (
    select(job_events)
    .where(job_events.c.job_id == bindparam("job_id"), job_events.c.seq > bindparam("after"))
    .order_by(job_events.c.seq)
    .limit(bindparam("at_most"))
)


def call(connection: Connection, call_id: str) -> CallRecord | None:
    row = connection.execute(_CALL, {"id": call_id}).one_or_none()
    return None if row is None else rows.call_record(row)


def call_and_digest(connection: Connection, call_id: str) -> tuple[CallRecord, bytes]:
    """A call with a key, and the digest of its payload."""
    row = connection.execute(_CALL, {"id": call_id}).one()
    return rows.call_record(row), row.payload_sha256


def key_owner(connection: Connection, key: dict[str, str]) -> tuple[str, int]:
    """The id of the call that has the key, and when it began."""
    owner, started_ms = connection.execute(_KEY_OWNER, key).one()
    return owner, started_ms


def begun_with(connection: Connection, key: dict[str, str]) -> int | None:
    """When the call began that has the key; None where none has it."""
    found = connection.execute(_KEY_OWNER, key).one_or_none()
    return None if found is None else found[1]


def job(connection: Connection, job_id: str) -> Job | None:
    """With its result, which is the payload of its last event."""
    row = connection.execute(_JOB, {"id": job_id}).one_or_none()
    return None if row is None else rows.job(row)


def bare_job(connection: Connection, job_id: str) -> Job | None:
    """Without its result."""
    row = connection.execute(_JOBS.where(jobs.c.id == job_id)).one_or_none()
    return None if row is None else rows.job(row)


def events(connection: Connection, job_id: str, after: int, limit: int) -> list[JobEvent]:
    given = {"job_id": job_id, "after": natural(after), "at_most": natural(limit)}
    return [rows.job_event(row) for row in connection.execute(_EVENTS, given)]


def natural(number: int) -> int:
    """SQLite takes a negative limit for none at all, and no number past 63 bits."""
    return max(0, min(_INTEGER_MAX, number))
