import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from croupier_sdk.errors import Failure
from croupier_sdk.functions.function import Function
from croupier_sdk.keys import KeyStore
from croupier_sdk.limits import CALLS_IN_FLIGHT
from croupier_sdk.running.context import CallContext
from croupier_sdk.running.execution import run_async, run_sync
from croupier_sdk.running.keys import Answer, KeyedCall, KeyMemory
from croupier_sdk.running.transaction import in_transaction, in_transaction_sync
from croupier_sdk.running.workers import Outcome, Ticket, Workers

_GIVEN_UP = Failure(reason="canceled", message="every caller gave up before the function ended; it may have acted")


@dataclass(slots=True, eq=False)
class _Running:
    context: CallContext
    answer: Answer
    task: asyncio.Task[None] | None = None
    ticket: Ticket | None = None
    timer: asyncio.TimerHandle | None = None
    keyed: KeyedCall | None = None


class Calls:
    """The calls in flight of one provider. Each is answered exactly once, unless it is cancelled or forgotten.

    Of calls with the same idempotency key one runs; the others wait for its answer, or get it from memory.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        workers: Workers,
        limit: int = CALLS_IN_FLIGHT,
        key_store: KeyStore | None = None,
    ) -> None:
        self._functions = functions
        self._workers = workers
        self._limit = limit
        self._key_store = key_store
        self._keys = KeyMemory()
        self._running: dict[str, _Running] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._running)

    def start(self, context: CallContext, payload: bytes, answer: Answer) -> None:
        """Begin a call; `answer` comes later, or at once where the call is refused. An id that runs already is left to run."""
        if not context.idempotency_key:
            self._start(context, payload, answer, None)
            return
        keyed = self._keys.claim(context, payload, answer)
        if keyed is not None:
            self._start(context, payload, lambda _, outcome: self._keys.ended(keyed, outcome), keyed)

    def _start(self, context: CallContext, payload: bytes, answer: Answer, keyed: KeyedCall | None) -> None:
        call_id = context.call_id
        if call_id in self._running:
            return
        function = self._functions.get(context.function_id)
        if function is None or (refusal := self._refusal(function)) is not None:
            answer(call_id, _unknown(context) if function is None else refusal or _unknown(context))
            return
        call = self._running[call_id] = _Running(context, answer, keyed=keyed)
        self._idle.clear()
        if context.deadline is None and function.seconds is not None:
            context.deadline = monotonic() + function.seconds
        loop = asyncio.get_running_loop()
        if context.deadline is not None:
            call.timer = loop.call_later(context.deadline - monotonic(), self._expire, call)
        if function.is_async:
            call.task = loop.create_task(self._run(call, function, payload))
        else:
            call.ticket = self._workers.submit(
                lambda: self._work(call, function, payload), lambda outcome: self._end(call, outcome)
            )

    def cancel(self, call_id: str) -> None:
        """Its caller waits no more: answer nothing, and stop it unless others with its idempotency key wait too."""
        if (keyed := self._keys.leave(call_id)) is not None:
            if keyed.waiting:
                return
            call_id = keyed.run_id
        if (call := self._running.get(call_id)) is not None:
            self._leave(call)
            if call.keyed is not None:
                self._keys.ended(call.keyed, _GIVEN_UP)

    def session_lost(self) -> None:
        """Nobody waits for any call: stop all but those whose answer may be asked for again by its idempotency key."""
        self._keys.leave_all()
        for call in list(self._running.values()):
            if call.keyed is None:
                self._leave(call)

    def cancel_all(self, outcome: Outcome) -> None:
        """Stop every call; each is answered with `outcome`."""
        for call in list(self._running.values()):
            self._leave(call)
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
        run = run_async(function, payload, call.context, call.context)
        if call.keyed is None or self._key_store is None:
            self._end(call, await run)
        else:
            self._end(call, await in_transaction(self._key_store, call.keyed.key, call.keyed.digest, run))

    def _work(self, call: _Running, function: Function, payload: bytes) -> Outcome:
        """In a thread."""
        if call.keyed is None or self._key_store is None:
            return run_sync(function, payload, call.context, call.context)
        return in_transaction_sync(
            self._key_store,
            call.keyed.key,
            call.keyed.digest,
            lambda: run_sync(function, payload, call.context, call.context),
        )

    def _end(self, call: _Running, outcome: Outcome) -> None:
        if self._remove(call):
            call.answer(call.context.call_id, outcome)
        elif call.keyed is not None:  # it was given up, and this is what it really did
            self._keys.ended(call.keyed, outcome)

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
