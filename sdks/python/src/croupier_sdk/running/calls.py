import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from croupier_sdk.errors import Failure
from croupier_sdk.functions.function import Function
from croupier_sdk.limits import CALLS_IN_FLIGHT
from croupier_sdk.running.context import CallContext
from croupier_sdk.running.execution import run_async, worker_job
from croupier_sdk.running.workers import Outcome, Ticket, Workers

Answer = Callable[[str, Outcome], None]
"""Told once how a call ended: its id, and the payload or what went wrong."""


@dataclass(slots=True, eq=False)
class _Running:
    context: CallContext
    answer: Answer
    task: asyncio.Task[None] | None = None
    ticket: Ticket | None = None
    timer: asyncio.TimerHandle | None = None


class Calls:
    """The calls in flight of one provider. Each is answered exactly once, unless it is cancelled or forgotten."""

    def __init__(self, functions: Mapping[str, Function], workers: Workers, limit: int = CALLS_IN_FLIGHT) -> None:
        self._functions = functions
        self._workers = workers
        self._limit = limit
        self._running: dict[str, _Running] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._running)

    def start(self, context: CallContext, payload: bytes, answer: Answer) -> None:
        """Begin a call; `answer` comes later, or at once where the call is refused. An id that runs already is left to run."""
        call_id = context.call_id
        if call_id in self._running:
            return
        function = self._functions.get(context.function_id)
        if function is None or (refusal := self._refusal(function)) is not None:
            answer(call_id, _unknown(context) if function is None else refusal or _unknown(context))
            return
        call = self._running[call_id] = _Running(context, answer)
        self._idle.clear()
        if context.deadline is None and function.seconds is not None:
            context.deadline = monotonic() + function.seconds
        loop = asyncio.get_running_loop()
        if context.deadline is not None:
            call.timer = loop.call_later(context.deadline - monotonic(), self._expire, call)
        if function.is_async:
            call.task = loop.create_task(self._run(call, function, payload))
        else:
            work = worker_job(function, payload, context, context)
            call.ticket = self._workers.submit(work, lambda outcome: self._end(call, outcome))

    def cancel(self, call_id: str) -> None:
        """Nobody waits for this call any more: stop it, and answer nothing."""
        if (call := self._running.get(call_id)) is not None:
            self._leave(call)

    def cancel_all(self, outcome: Outcome | None = None) -> None:
        """Stop every call; each is answered with `outcome`, or not at all."""
        for call in list(self._running.values()):
            self._leave(call)
            if outcome is not None:
                call.answer(call.context.call_id, outcome)

    async def idle(self) -> None:
        """Wait until no call is in flight."""
        await self._idle.wait()

    async def left(self) -> None:
        """Wait for the handlers of cancelled calls to end."""
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _refusal(self, function: Function) -> Failure | None:
        if self.draining:
            return Failure(reason="unavailable", message="the game server is stopping and takes no new calls")
        if len(self._running) >= self._limit:
            text = f"rate limited: {self._limit} calls are in flight on this game server; send fewer at once, or wait"
            return Failure(reason="rate_limited", message=text)
        if function.is_job:
            text = f"{function.id} is a job: start it with StartJob instead of calling it"
            return Failure(reason="failed_precondition", message=text)
        return None

    async def _run(self, call: _Running, function: Function, payload: bytes) -> None:
        self._end(call, await run_async(function, payload, call.context, call.context))

    def _end(self, call: _Running, outcome: Outcome) -> None:
        if self._remove(call):
            call.answer(call.context.call_id, outcome)

    def _expire(self, call: _Running) -> None:
        unstarted = call.ticket is not None and not call.ticket.started
        why = (
            "the handler never ran: every thread for sync handlers is busy"
            if unstarted
            else "the handler did not end in time"
        )
        if self._leave(call):
            call.answer(call.context.call_id, Failure(reason="deadline_exceeded", message=f"deadline exceeded: {why}"))

    def _leave(self, call: _Running) -> bool:
        """Stop caring for a call. Its task is kept until it has ended; its thread, once started, ends by itself."""
        if not self._remove(call):
            return False
        call.context.cancelled = True
        if call.ticket is not None:
            call.ticket.withdrawn = True
        if call.task is not None:
            self._leaving.add(call.task)
            call.task.add_done_callback(self._leaving.discard)
            call.task.cancel()
        return True

    def _remove(self, call: _Running) -> bool:
        if self._running.get(call.context.call_id) is not call:
            return False
        del self._running[call.context.call_id]
        if call.timer is not None:
            call.timer.cancel()
        if not self._running:
            self._idle.set()
        return True


def _unknown(context: CallContext) -> Failure:
    return Failure(reason="not_found", message=f"no local handler for {context.function_id}")
