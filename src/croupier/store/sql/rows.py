"""Domain values as rows and back."""

import hashlib
from typing import Any

import orjson
from sqlalchemy import Row

from croupier.domain.call import Call, CallState, Outcome, Result, Route, Trail, state_after
from croupier.domain.job import Job, JobEvent, JobState
from croupier.domain.scope import Scope
from croupier.store import CallRecord
from croupier.store.sql import refusals, statements
from croupier.store.sql.tables import PAYLOAD, RESULT
from croupier.store.sql.writes import Begin, Finish

INLINE_BYTES = 1024
"""Payloads and results up to here lie in their call's row, so that a finished row still fits into one page of SQLite."""


_ROUTES = {route: route.value for route in Route}
_RUNNING = CallState.RUNNING.value
_SUCCEEDED = CallState.SUCCEEDED.value
"""The driver wants plain text, and asking an enumeration for it takes as long as all the rest of a column."""


def is_large(body: bytes) -> bool:
    return len(body) > INLINE_BYTES


def digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()


def call_row(begin: Begin) -> statements.Row:
    """In the order of `statements.INSERT_CALLS`."""
    call = begin.call
    return (
        call.id,
        begin.kind,
        call.function_id,
        call.scope.game_id,
        call.scope.env,
        call.caller,
        call.idempotency_key,
        None if is_large(call.payload) else call.payload,
        digest(call.payload) if call.idempotency_key else None,
        _ROUTES[call.route],
        call.target_service_id,
        call.hash_key,
        call.version,
        orjson.dumps(dict(call.metadata)).decode() if call.metadata else "",
        call.timeout,
        call.traceparent,
        _RUNNING,
        begin.started_ms,
        call.replay_of,
    )


def subject_rows(begin: Begin) -> list[statements.Row]:
    """In the order of `statements.INSERT_SUBJECTS`."""
    scope, is_query, started_ms, call_id = begin.call.scope, int(begin.is_query), begin.started_ms, begin.call.id
    return [(*scope, each.entity, each.id, is_query, started_ms, call_id) for each in begin.about]


def payload_row(begin: Begin) -> statements.Row:
    """In the order of `statements.INSERT_BODIES`."""
    return (begin.call.id, PAYLOAD, begin.call.payload)


def result_row(finish: Finish) -> statements.Row:
    """In the order of `statements.INSERT_BODIES`."""
    return (finish.call_id, RESULT, finish.body)


def finish_row(finish: Finish) -> statements.Row:
    """In the order of `statements.FINISH_CALLS`."""
    outcome, trail = finish.outcome, finish.trail
    if isinstance(outcome, Result):
        state, result, reason, message, details = _SUCCEEDED, None, "", "", ""
        if not is_large(outcome.payload):
            result = outcome.payload
        service_id, agent_id = outcome.service_id, outcome.agent_id
    else:
        state, result, reason, message = state_after(outcome).value, None, outcome.reason, outcome.message
        details = refusals.said(outcome.code, outcome.details)
        service_id, agent_id = ("", "") if trail is None else (trail.service_id, trail.agent_id)
    way = "" if trail is None else trail_text(trail)
    return (
        finish.call_id,
        state,
        finish.finished_ms,
        result,
        reason,
        message,
        details,
        service_id,
        agent_id,
        way,
    )


def trail_text(trail: Trail) -> str:
    """A trail as one short column. Where it was sent stands in columns of its own."""
    timings = (trail.server_us, trail.recorded_us, trail.agent_us, trail.handler_us)
    return orjson.dumps((*timings, trail.decision)).decode()


def _trail(row: Row[Any]) -> Trail:
    server, recorded, agent, handler, decision = orjson.loads(row.trail) if row.trail else (0, 0, 0, 0, "")
    return Trail(
        decision=decision,
        agent_id=row.agent_id,
        service_id=row.service_id,
        server_us=server,
        recorded_us=recorded,
        agent_us=agent,
        handler_us=handler,
    )


def call_record(row: Row[Any]) -> CallRecord:
    metadata = orjson.loads(row.metadata) if row.metadata else {}
    return _record(row, row.payload, metadata, row.result)


def light_call_record(row: Row[Any]) -> CallRecord:
    """Of a row without payload, metadata and result."""
    return _record(row, b"", {}, b"")


def _record(row: Row[Any], payload: bytes, metadata: dict[str, str], result: bytes) -> CallRecord:
    call = Call(
        id=row.id,
        function_id=row.function_id,
        scope=Scope(row.game_id, row.env),
        payload=payload,
        caller=row.caller,
        idempotency_key=row.idempotency_key,
        route=Route(row.route),
        target_service_id=row.target_service_id,
        hash_key=row.hash_key,
        version=row.version,
        metadata=metadata,
        timeout=row.timeout,
        traceparent=row.traceparent,
        replay_of=row.replay_of,
    )
    return CallRecord(
        call=call,
        kind=row.kind,
        state=CallState(row.state),
        outcome=_outcome(row, result),
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
        trail=_trail(row),
        replays=row.replays,
    )


def _outcome(row: Row[Any], result: bytes) -> Outcome | None:
    match CallState(row.state):
        case CallState.RUNNING | CallState.WAITING:
            return None
        case CallState.SUCCEEDED:
            return Result(payload=result, service_id=row.service_id, agent_id=row.agent_id)
        case _:
            failure = refusals.refusal(row.reason, row.message, row.details)
            failure.agent_id, failure.service_id = row.agent_id, row.service_id
            return failure


def created_job(begin: Begin) -> Job:
    call = begin.call
    return Job(
        id=call.id,
        function_id=call.function_id,
        scope=call.scope,
        caller=call.caller,
        created_ms=begin.started_ms,
    )


def job_row(job: Job) -> statements.Row:
    """In the order of `statements.INSERT_JOBS`."""
    return (job.id, job.function_id, job.scope.game_id, job.scope.env, job.caller, job.created_ms)


def progress_row(job: Job) -> statements.Row:
    """In the order of `statements.ADVANCE_JOBS`."""
    return (job.id, job.state.value, job.last_seq, job.progress, job.error, job.reason, job.finished_ms)


def event_row(event: JobEvent) -> statements.Row:
    """In the order of `statements.INSERT_EVENTS`."""
    return (
        event.job_id,
        event.seq,
        event.type,
        event.message,
        event.progress,
        event.payload,
        event.reason,
        event.time_ms,
    )


def job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        function_id=row.function_id,
        scope=Scope(row.game_id, row.env),
        caller=row.caller,
        state=JobState(row.state),
        last_seq=row.last_seq,
        progress=row.progress,
        payload=row.payload or b"",
        error=row.error,
        reason=row.reason,
        agent_id=row.agent_id,
        service_id=row.service_id,
        cancel_reason=row.cancel_reason,
        created_ms=row.created_ms,
        finished_ms=row.finished_ms,
        archived=row.archived > 0,
    )


def job_event(row: Row[Any]) -> JobEvent:
    return JobEvent(
        job_id=row.job_id,
        seq=row.seq,
        type=row.type,
        message=row.message,
        progress=row.progress,
        payload=row.payload,
        reason=row.reason,
        time_ms=row.time_ms,
    )
