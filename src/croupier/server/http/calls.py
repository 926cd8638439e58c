"""The history of calls over HTTP."""

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Response

from croupier.domain.call import CallState, Outcome, Result, Route, advice
from croupier.domain.choices import failed_of, recorded_choice
from croupier.errors import CroupierError
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.cause_documents import cause_entry
from croupier.server.http.filters import After, Limit, WhichCalls, cursor_text
from croupier.server.http.late import LateRoute
from croupier.server.http.openapi import reference
from croupier.server.http.ports import History
from croupier.server.payload_json import payload_fields
from croupier.store import CallRecord

_CALL: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": reference("RecordedCall")}}, "description": "The call."}
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Timings:
    """Microseconds, each by one machine's own clock; 0 is not known. Each holds those below it."""

    server_us: int
    recorded_us: int
    agent_us: int
    handler_us: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEntry:
    """A call in a list; arguments and result are read on its own."""

    call_id: str
    kind: str
    function_id: str
    game_id: str
    env: str
    caller: str
    state: CallState
    error: str
    reason: str
    next: str
    agent_id: str
    service_id: str
    failed: int
    """Of a call to all game servers: how many failed while others did not."""
    trace_id: str
    idempotency_key: str
    replay_of: str
    replays: int
    started_ms: int
    finished_ms: int
    timings: Timings


@dataclass(frozen=True, kw_only=True, slots=True)
class CallList:
    calls: list[CallEntry]
    next: str
    """`after` of the next page; empty when there is none."""


def call_routes(history: History) -> APIRouter:
    routes = APIRouter(tags=["calls"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/calls", response_model=CallList)
    async def list_calls(asking: Asking, which: WhichCalls, after: After, limit: Limit = 100) -> Response:
        """Recorded calls that fit everything asked for, newest first. A page may be short and still have a next one."""
        page = await history.calls(asking.caller, which, limit, after)
        return json_answer(CallList(calls=[_entry(record) for record in page.items], next=cursor_text(page.next)))

    @routes.get("/api/calls/{call_id}", responses=_CALL)
    async def read_call(asking: Asking, call_id: str, reveal: bool = False) -> Response:
        """One call: arguments, way, timings, result or error, and what to do where the outcome is not known.

        Sensitive values are masked. `reveal` shows them to who may (`calls:reveal`), and is on record.
        """
        record = await history.call(asking.caller, call_id, reveal=reveal)
        return json_answer(asdict(_entry(record)) | _arguments(record) | _end(record))

    return routes


def _arguments(record: CallRecord) -> dict[str, Any]:
    call = record.call
    route = {
        "route": call.route,
        "target_service_id": call.target_service_id,
        "hash_key": call.hash_key,
        "version": call.version,
        "decision": record.trail.decision,
        "choice": cause_entry(recorded_choice(record.trail.decision)),
    }
    return payload_fields(call.payload) | {"metadata": dict(call.metadata), "timeout": call.timeout, "route": route}


def _end(record: CallRecord) -> dict[str, Any]:
    outcome = record.outcome
    if isinstance(outcome, CroupierError):
        return {"result": None, "code": outcome.code, "details": dict(outcome.details)}
    # Of a job this is its id, which the call has too; its result is the job's.
    shown = outcome if isinstance(outcome, Result) and record.kind != "job" else None
    return {"result": None if shown is None else payload_fields(shown.payload), "code": None, "details": {}}


def _entry(record: CallRecord) -> CallEntry:
    call, trail = record.call, record.trail
    error, reason = _failure(record.outcome)
    return CallEntry(
        call_id=call.id,
        kind=record.kind,
        function_id=call.function_id,
        game_id=call.scope.game_id,
        env=call.scope.env,
        caller=call.caller,
        state=record.state,
        error=error,
        reason=reason,
        next=advice(record.state, keyed=bool(call.idempotency_key)),
        agent_id=trail.agent_id,
        service_id=trail.service_id,
        failed=failed_of(trail.decision) if call.route is Route.BROADCAST else 0,
        trace_id=call.traceparent[3:35],
        idempotency_key=call.idempotency_key,
        replay_of=call.replay_of,
        replays=record.replays,
        started_ms=record.started_ms,
        finished_ms=record.finished_ms,
        timings=Timings(
            server_us=trail.server_us,
            recorded_us=trail.recorded_us,
            agent_us=trail.agent_us,
            handler_us=trail.handler_us,
        ),
    )


def _failure(outcome: Outcome | None) -> tuple[str, str]:
    return (outcome.message, outcome.reason) if isinstance(outcome, CroupierError) else ("", "")
