"""Jobs over HTTP: follow, stop, read, list."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from croupier.domain.job import Job, JobState
from croupier.server.access.streams import LiveStreams
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.filters import After as PageAfter
from croupier.server.http.filters import Limit, WhichJobs, cursor_text
from croupier.server.http.late import LateRoute
from croupier.server.http.metrics import HttpMetrics
from croupier.server.http.openapi import reference
from croupier.server.http.ports import Jobs
from croupier.server.http.requests import cancel_decoder, header_text, parse_body
from croupier.server.http.stream import Frames, JobStream, seen_number
from croupier.server.payload_json import payload_fields

JobId = Annotated[str, Query(alias="id", min_length=1, max_length=256)]
After = Annotated[int | None, Query(ge=0, description="The number of the last event seen.")]

_ALL_TOLD: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": reference("JobEvent")}}, "description": "Events as they come."},
    204: {"description": "The job has ended and every event has been seen: do not come back."},
}
_RESULT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": reference("JobResult")}}, "description": "State and result."}
}
_JOB: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": reference("Job")}}, "description": "The job and its result."}
}
_CANCEL_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": reference("CancelBody")}}}}

_REASON_CHARACTERS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEntry:
    """A job in a list; its result is read on its own."""

    job_id: str
    function_id: str
    game_id: str
    env: str
    caller: str
    state: JobState
    progress: int
    last_seq: int
    error: str
    reason: str
    agent_id: str
    service_id: str
    created_ms: int
    finished_ms: int
    archived: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class JobList:
    jobs: list[JobEntry]
    next: str
    """`after` of the next page; empty when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobStateNow:
    job_id: str
    state: JobState


def job_routes(jobs: Jobs, *, streams: LiveStreams, stopping: asyncio.Event, metrics: HttpMetrics) -> APIRouter:
    """The routes on `jobs`; every stream ends when `stopping` is set."""
    routes = APIRouter(tags=["jobs"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    frames = Frames()

    async def stream(asking: Asking, job_id: str, after: int | None) -> Response:
        seen = seen_number(header_text(asking.headers, b"last-event-id"), after)
        job = await jobs.get(asking.caller, job_id)
        if job.ended and seen >= job.last_seq:
            # The one answer after which an EventSource does not come back.
            return Response(status_code=204)
        return JobStream(
            jobs.follow(asking.caller, job_id, seen),
            caller=asking.caller,
            streams=streams,
            stopping=stopping,
            frames=frames,
            metrics=metrics,
        )

    @routes.get("/api/stream_job", response_class=Response, responses=_ALL_TOLD)
    async def stream_job(asking: Asking, job_id: JobId, after: After = None) -> Response:
        """Follow a job's events as server-sent events, from the first one or after `Last-Event-ID`."""
        return await stream(asking, job_id, after)

    @routes.get("/jobs/{job_id}/stream", response_class=Response, responses=_ALL_TOLD)
    async def stream_job_by_path(asking: Asking, job_id: str, after: After = None) -> Response:
        """The same as /api/stream_job."""
        return await stream(asking, job_id, after)

    @routes.post("/api/cancel_job", response_model=JobStateNow, openapi_extra=_CANCEL_BODY)
    async def cancel_job(asking: Asking, request: Request) -> Response:
        """Ask for the end of a job; the answer says what it is now."""
        body = parse_body(cancel_decoder, await request.body())
        return _state(await jobs.cancel(asking.caller, body.job_id, body.reason[:_REASON_CHARACTERS]))

    @routes.delete("/jobs/{job_id}", response_model=JobStateNow)
    async def delete_job(asking: Asking, job_id: str) -> Response:
        """The same as /api/cancel_job."""
        return _state(await jobs.cancel(asking.caller, job_id, ""))

    @routes.get("/api/job_result", responses=_RESULT)
    async def job_result(asking: Asking, job_id: JobId) -> Response:
        """A job's state and, once it has ended, its result or error."""
        job = await jobs.get(asking.caller, job_id)
        return json_answer(_result(job))

    @routes.get("/api/jobs", response_model=JobList)
    async def list_jobs(asking: Asking, which: WhichJobs, after: PageAfter, limit: Limit = 100) -> Response:
        """Jobs that fit everything asked for, newest first. A page may be short and still have a next one."""
        page = await jobs.list(asking.caller, which, limit, after)
        return json_answer(JobList(jobs=[_entry(job) for job in page.items], next=cursor_text(page.next)))

    @routes.get("/jobs/{job_id}", responses=_JOB)
    async def read_job(asking: Asking, job_id: str) -> Response:
        """One job, with its result once it has one."""
        job = await jobs.get(asking.caller, job_id)
        return json_answer(asdict(_entry(job)) | _result(job))

    return routes


def _state(job: Job) -> Response:
    return json_answer(JobStateNow(job_id=job.id, state=job.state))


def _result(job: Job) -> dict[str, Any]:
    return {"job_id": job.id, "state": job.state, "error": job.error, "reason": job.reason} | payload_fields(
        job.payload
    )


def _entry(job: Job) -> JobEntry:
    return JobEntry(
        job_id=job.id,
        function_id=job.function_id,
        game_id=job.scope.game_id,
        env=job.scope.env,
        caller=job.caller,
        state=job.state,
        progress=job.progress,
        last_seq=job.last_seq,
        error=job.error,
        reason=job.reason,
        agent_id=job.agent_id,
        service_id=job.service_id,
        created_ms=job.created_ms,
        finished_ms=job.finished_ms,
        archived=job.archived,
    )
