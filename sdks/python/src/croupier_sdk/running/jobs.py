import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from croupier_sdk.errors import Failure
from croupier_sdk.functions.function import Function
from croupier_sdk.limits import JOBS_IN_FLIGHT, STOP_GRACE
from croupier_sdk.running.context import BlockingJobContext, CallContext, JobContext, JobEvents
from croupier_sdk.running.execution import run_async, worker_job
from croupier_sdk.running.workers import Outcome, Ticket, Workers


@dataclass(slots=True, eq=False)
class _Running:
    function: Function
    job: JobContext
    events: JobEvents
    task: asyncio.Task[Outcome] | None = None
    ticket: Ticket | None = None
    deadline: asyncio.TimerHandle | None = None
    force: asyncio.TimerHandle | None = None
    canceled: str = ""
    """Why it was asked to end."""
    reason: str = "canceled"
    """What it ends as if it does: `canceled`, or `deadline_exceeded`."""


class Jobs:
    """The jobs in flight of one provider. Each ends with exactly one `done` or `error` event, unless nobody wants it any more."""

    def __init__(self, functions: Mapping[str, Function], workers: Workers, limit: int = JOBS_IN_FLIGHT) -> None:
        self._functions = functions
        self._workers = workers
        self._limit = limit
        self._running: dict[str, _Running] = {}
        self._leaving: set[asyncio.Task[Outcome]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._running

    def __len__(self) -> int:
        return len(self._running)

    def refusal(self, function_id: str) -> Failure | None:
        """Why a job cannot be started now, if it cannot. Any function can run as a job."""
        if function_id not in self._functions:
            return Failure(reason="not_found", message=f"no local handler for {function_id}")
        if self.draining:
            return Failure(reason="unavailable", message="the game server is stopping and takes no new jobs")
        if len(self._running) >= self._limit:
            text = f"rate limited: {self._limit} jobs are in flight on this game server; wait for some to end"
            return Failure(reason="rate_limited", message=text)
        return None

    def start(self, call: CallContext, payload: bytes, events: JobEvents) -> None:
        """Begin a job, named by `call.call_id`, that `refusal` had nothing against."""
        function = self._functions[call.function_id]
        loop = asyncio.get_running_loop()
        if call.deadline is None and function.seconds is not None:
            call.deadline = monotonic() + function.seconds
        running = self._running[call.call_id] = _Running(function, JobContext(call, events), events)
        self._idle.clear()
        if call.deadline is not None:
            running.deadline = loop.call_later(call.deadline - monotonic(), self._expire, running)
        if function.is_async:
            context = running.job if function.is_job else call
            running.task = loop.create_task(run_async(function, payload, call, context))
            running.task.add_done_callback(lambda task: self._end(running, _outcome(running, task)))
        else:
            blocking = BlockingJobContext(running.job, loop) if function.is_job else call
            work = worker_job(function, payload, call, blocking)
            running.ticket = self._workers.submit(work, lambda outcome: self._end(running, outcome))

    def cancel(self, job_id: str, reason: str = "", grace: float = STOP_GRACE) -> None:
        """Ask the handler to stop. It is taken for ended if it has not in `grace` seconds."""
        running = self._running.get(job_id)
        if running is not None:
            self._ask(running, "canceled", reason or "the job was cancelled", grace)

    def _ask(self, running: _Running, reason: str, text: str, grace: float) -> None:
        if running.canceled:
            return
        running.canceled, running.reason = text, reason
        running.job.call.cancelled = True
        running.force = asyncio.get_running_loop().call_later(grace, self._force, running)
        if running.ticket is not None and not running.ticket.started:
            running.ticket.withdrawn = True
            self._end(running, _canceled(running))
        elif running.task is not None:
            running.task.cancel()

    def cancel_all(self, reason: str, grace: float) -> None:
        for job_id in list(self._running):
            self.cancel(job_id, reason, grace)

    def forget(self, job_id: str) -> None:
        """Nobody knows this job any more: stop it without a last event."""
        if (running := self._running.get(job_id)) is not None:
            self._leave(running)

    async def idle(self) -> None:
        """Wait until no job is in flight."""
        await self._idle.wait()

    async def left(self) -> None:
        """Wait for the handlers of jobs that were given up to end."""
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _end(self, running: _Running, outcome: Outcome) -> None:
        if not self._remove(running):
            return
        if isinstance(outcome, Failure):
            if running.canceled and outcome.reason == "canceled":
                outcome = _canceled(running)
            running.events.put("error", message=outcome.message, failure=outcome)
        else:
            running.events.put("done", progress=100, payload=outcome)

    def _expire(self, running: _Running) -> None:
        self._ask(running, "deadline_exceeded", "deadline exceeded: the job did not end in time", STOP_GRACE)

    def _force(self, running: _Running) -> None:
        text = f"{running.canceled}; it did not end when asked: stopped waiting; the handler may still run"
        self._give_up(running, Failure(reason=running.reason, message=text))

    def _give_up(self, running: _Running, failure: Failure) -> None:
        if self._leave(running):
            running.events.put("error", message=failure.message, failure=failure)

    def _leave(self, running: _Running) -> bool:
        if not self._remove(running):
            return False
        running.job.call.cancelled = True
        if running.ticket is not None:
            running.ticket.withdrawn = True
        if running.task is not None:
            self._leaving.add(running.task)
            running.task.add_done_callback(self._leaving.discard)
            running.task.cancel()
        return True

    def _remove(self, running: _Running) -> bool:
        job_id = running.job.job_id
        if self._running.get(job_id) is not running:
            return False
        del self._running[job_id]
        running.job.end()
        for timer in (running.deadline, running.force):
            if timer is not None:
                timer.cancel()
        if not self._running:
            self._idle.set()
        return True


def _canceled(running: _Running) -> Failure:
    return Failure(reason=running.reason, message=running.canceled or "the game server is stopping")


def _outcome(running: _Running, task: asyncio.Task[Outcome]) -> Outcome:
    """A task that is cancelled before its first step never gets to say so itself."""
    return _canceled(running) if task.cancelled() else task.result()
