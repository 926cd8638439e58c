"""FunctionService for callers on this machine: the same way as the server's calls, and jobs whose stories are kept here."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from croupier.agent.forward import Flight, Forward
from croupier.agent.game_server import Done
from croupier.agent.instances import check_name
from croupier.agent.jobs import Jobs
from croupier.agent.local_jobs import LocalJobs
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.limits import CALL_TIMEOUT_MAX, KEY_BYTES, METADATA_BYTES, METADATA_ENTRIES
from croupier.domain.scope import Scope
from croupier.domain.trace import Trace
from croupier.errors import CroupierError, HandlerFailed, InvalidArgument, Unavailable
from croupier.tunnel.frames import Answer, CallResult, Invoke, JobStarted, StartJob

Waiter = asyncio.Future[Answer | CroupierError]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a local caller asked for."""

    function_id: str
    payload: bytes
    idempotency_key: str
    metadata: Mapping[str, str]
    trace: Trace


class LocalFunctions:
    def __init__(self, scope: Scope, forward: Forward, jobs: Jobs, stories: LocalJobs) -> None:
        self._scope = scope
        self._forward = forward
        self._jobs = jobs
        self._stories = stories
        self._loop = asyncio.get_running_loop()

    async def invoke(self, wish: Wish, timeout: float | None) -> bytes:
        """The function's answer. `timeout` in seconds, None for the platform's default. Raises CroupierError."""
        _check(wish)
        deadline = None if timeout is None else self._loop.time() + min(timeout, CALL_TIMEOUT_MAX)
        frame = Invoke(request_id=new_id("c"), deadline_ms=_milliseconds(timeout), **self._fields(wish))
        waiter: Waiter = self._loop.create_future()
        flight = self._forward.invoke(frame, b"", deadline, _teller(waiter))
        answer = await _answer(waiter, flight)
        if not isinstance(answer, CallResult):
            raise HandlerFailed(f"the game server answered with {type(answer).__name__} instead of a result")
        return answer.payload

    async def start_job(self, wish: Wish) -> str:
        """The id of the job, once a game server accepted it. A caller that goes away meanwhile cancels it."""
        _check(wish)
        job_id = new_id("j")
        frame = StartJob(request_id=new_id("r"), job_id=job_id, **self._fields(wish))
        self._stories.open(job_id)
        waiter: Waiter = self._loop.create_future()
        try:
            flight = self._forward.start(frame, b"", None, _teller(waiter), self._stories)
            answer = await _answer(waiter, flight)
        except asyncio.CancelledError:
            self._jobs.cancel(job_id, "the caller gave up")
            self._stories.discard(job_id)
            raise
        except CroupierError:
            self._stories.discard(job_id)
            raise
        if not isinstance(answer, JobStarted):
            raise HandlerFailed(f"the game server answered with {type(answer).__name__} instead of a started job")
        return job_id

    def _fields(self, wish: Wish) -> dict[str, Any]:
        return {
            "function_id": wish.function_id,
            "idempotency_key": wish.idempotency_key,
            "payload": wish.payload,
            "metadata": wish.metadata,
            "traceparent": wish.trace.traceparent,
            "game_id": self._scope.game_id,
            "env": self._scope.env,
        }

    def follow(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        return self._stories.follow(job_id, after)

    def cancel_job(self, job_id: str) -> None:
        """Ask it to stop; an ended job stays as it is. Raises NotFound ("unknown job …")."""
        if self._stories.story(job_id).end is None and not self._jobs.cancel(job_id, "canceled by a local caller"):
            raise Unavailable(f"job {job_id} could not be told to stop: its game server is gone")

    def result(self, job_id: str) -> tuple[str, JobEvent | None]:
        """Its state, and its last event once it ended. Raises NotFound ("unknown job …")."""
        story = self._stories.story(job_id)
        return story.state, story.end


def _teller(waiter: Waiter) -> Done:
    def tell(outcome: Answer | CroupierError, _: bytes) -> None:
        if not waiter.done():
            waiter.set_result(outcome)

    return tell


async def _answer(waiter: Waiter, flight: Flight | None) -> Answer:
    try:
        outcome = await waiter
    except asyncio.CancelledError:
        if flight is not None:
            flight.cancel("the caller gave up")
        raise
    if isinstance(outcome, CroupierError):
        raise outcome
    error = outcome.error if isinstance(outcome, CallResult | JobStarted) else None
    if error is not None:
        raise error
    return outcome


def _check(wish: Wish) -> None:
    check_name("function_id", wish.function_id)
    if len(wish.idempotency_key.encode()) > KEY_BYTES:
        raise InvalidArgument(f"idempotency_key must have at most {KEY_BYTES} bytes")
    if len(wish.metadata) > METADATA_ENTRIES:
        raise InvalidArgument(f"metadata must have at most {METADATA_ENTRIES} entries")
    if sum(len(key.encode()) + len(value.encode()) for key, value in wish.metadata.items()) > METADATA_BYTES:
        raise InvalidArgument(f"metadata must have at most {METADATA_BYTES} bytes of keys and values")


def _milliseconds(timeout: float | None) -> int:
    return 0 if timeout is None else max(1, min(int(timeout * 1000), int(CALL_TIMEOUT_MAX * 1000)))
