"""Many jobs stopped at once: by their ids, or by what they have in common."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response

from croupier.domain.job import UNFINISHED, Job
from croupier.domain.listing import JobFilter
from croupier.domain.principal import Principal
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.cancel_bodies import CancelJobsBody, cancel_jobs_decoder
from croupier.server.http.filters import parse_moment
from croupier.server.http.late import LateRoute
from croupier.server.http.openapi import reference
from croupier.server.http.ports import Jobs
from croupier.server.http.requests import optional_scope, parse_body, parse_query, scope_of

AT_ONCE = 100
"""Jobs that are asked to stop, and waited for, at a time."""
REASON_CHARACTERS = 1000

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": reference("CancelJobsBody")}}}}


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedJob:
    """What became of one."""

    job_id: str
    function_id: str
    state: str
    """As it is now; empty when it could not be asked to stop, for the reason given."""
    reason: str
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedJobs:
    jobs: list[StoppedJob]
    dry_run: bool
    more: bool
    """There may be more that fit: ask again."""


def job_cancel_routes(jobs: Jobs) -> APIRouter:
    routes = APIRouter(tags=["jobs"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.post("/api/jobs/cancel", response_model=StoppedJobs, openapi_extra=_BODY)
    async def cancel_jobs(asking: Asking, request: Request) -> Response:
        """Ask for the end of many jobs, each with its own outcome; `dry_run` only says which they are."""
        body = parse_body(cancel_jobs_decoder, await request.body())
        query = parse_query(request.scope["query_string"])
        ids, more = await _chosen(jobs, asking.caller, body, _which(body, asking.headers, query))
        return json_answer(
            StoppedJobs(jobs=await _all(jobs, asking.caller, ids, body), dry_run=body.dry_run, more=more)
        )

    return routes


def _which(body: CancelJobsBody, headers: Mapping[bytes, bytes], query: Mapping[str, str]) -> JobFilter | None:
    """None when the jobs are named by their ids. Raises InvalidArgument for a choice that is none."""
    choice = body.filter
    if (choice is None) == (not body.job_ids):
        raise InvalidArgument("name the jobs: either job_ids, or a filter with at least one condition")
    if choice is None:
        return None
    named = {"game_id": choice.game_id, "env": choice.env}
    scope = scope_of(headers, query, named) if any(named.values()) else optional_scope(headers, query)
    which = JobFilter(
        scope=scope,
        function_id=choice.function_id,
        states=frozenset(choice.state),
        caller=choice.caller,
        agent_id=choice.agent_id,
        since_ms=parse_moment("since", choice.since),
        until_ms=parse_moment("until", choice.until),
    )
    if which == JobFilter():
        raise InvalidArgument(
            "the filter has no condition, and would stop every job: name a scope, a function, a state …"
        )
    return which


async def _chosen(
    jobs: Jobs, caller: Principal, body: CancelJobsBody, which: JobFilter | None
) -> tuple[list[str], bool]:
    if which is None:
        return list(dict.fromkeys(body.job_ids)), False
    page = await jobs.list(caller, which if which.states else replace(which, states=UNFINISHED), body.limit)
    return [job.id for job in page.items], page.next is not None


async def _all(jobs: Jobs, caller: Principal, ids: list[str], body: CancelJobsBody) -> list[StoppedJob]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(job_id: str) -> StoppedJob:
        async with turns:
            try:
                if body.dry_run:
                    return _told(await jobs.get(caller, job_id))
                return _told(await jobs.cancel(caller, job_id, body.reason[:REASON_CHARACTERS]))
            except CroupierError as error:
                return StoppedJob(job_id=job_id, function_id="", state="", reason=error.reason, error=error.message)

    return list(await asyncio.gather(*map(one, ids)))


def _told(job: Job) -> StoppedJob:
    return StoppedJob(job_id=job.id, function_id=job.function_id, state=job.state, reason=job.reason, error=job.error)
