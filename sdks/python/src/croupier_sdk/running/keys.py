"""The answers of calls with an idempotency key, so that one that comes again is answered and not run again."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from croupier_sdk.errors import Failure
from croupier_sdk.limits import KEPT_ANSWER_BYTES, KEPT_KEY_SECONDS, KEPT_KEYS
from croupier_sdk.running.context import CallContext
from croupier_sdk.running.workers import Outcome

Answer = Callable[[str, Outcome], None]
"""Told once how a call ended: its id, and the payload or what went wrong."""

_NEVER_RAN = frozenset({"unavailable", "rate_limited", "not_found", "failed_precondition"})
"""Refusals of ours, given before a handler begins: such a call may come again and must run then."""
_NOT_KEPT = Failure(
    reason="outcome_unknown",
    message="the call with this idempotency key has run, but its answer is not kept any more; check what it did",
)


@dataclass(slots=True)
class _Waiter:
    answer: Answer
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)
class KeyedCall:
    """The one run of all calls with the same key."""

    key: str
    digest: bytes
    run_id: str
    """The id of the call that runs."""
    outcome: Outcome | None = None
    ended_at: float = 0.0
    waiting: dict[str, _Waiter] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.outcome) if isinstance(self.outcome, bytes) else 0


class KeyMemory:
    """Keys are kept for 24 h, unless so many come that the oldest must make room; of answers, so many bytes.

    What runs is never forgotten. A key whose answer had to go is known still, so its function is not run again.
    """

    def __init__(
        self, *, keys: int = KEPT_KEYS, size: int = KEPT_ANSWER_BYTES, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most = keys
        self._most_bytes = size
        self._clock = clock
        self._running: dict[str, KeyedCall] = {}
        self._ended: OrderedDict[str, KeyedCall] = OrderedDict()
        self._answers: OrderedDict[str, KeyedCall] = OrderedDict()
        """Those that ended with an answer, oldest first."""
        self._bytes = 0
        self._waiting: dict[str, KeyedCall] = {}

    def __len__(self) -> int:
        return len(self._running) + len(self._ended)

    def claim(self, call: CallContext, payload: bytes, answer: Answer) -> KeyedCall | None:
        """The entry of a call that has to run, ended by `ended`.

        None where it needs not: it was answered, refused because its payload is another one, or waits for the first one's answer.
        """
        self._make_room()
        key, digest = f"{call.function_id}/{call.idempotency_key}", hashlib.sha256(payload).digest()
        known = self._running.get(key) or self._ended.get(key)
        if known is None:
            known = self._running[key] = KeyedCall(key, digest, call.call_id)
            self._wait(known, call.call_id, _Waiter(answer))
            return known
        if known.digest != digest:
            text = (
                "this idempotency key was used with another payload: send the same payload, or a new key for a new call"
            )
            answer(call.call_id, Failure(reason="conflict", message=text))
        elif known.outcome is not None:
            answer(call.call_id, known.outcome)
        else:
            self._join(known, call, answer)
        return None

    def _join(self, known: KeyedCall, call: CallContext, answer: Answer) -> None:
        left = call.remaining()
        loop = asyncio.get_running_loop()
        timer = None if left is None else loop.call_later(left, self._expire, known, call.call_id)
        self._wait(known, call.call_id, _Waiter(answer, timer))

    def _wait(self, known: KeyedCall, call_id: str, waiter: _Waiter) -> None:
        known.waiting[call_id] = waiter
        self._waiting[call_id] = known

    def _expire(self, known: KeyedCall, call_id: str) -> None:
        waiter = known.waiting.get(call_id)
        if waiter is not None:
            self.leave(call_id)
            text = "deadline exceeded: the first call with this idempotency key has not ended; ask for its answer again"
            waiter.answer(call_id, Failure(reason="deadline_exceeded", message=text))

    def leave(self, call_id: str) -> KeyedCall | None:
        """A caller waits no more. Returns the entry it waited for, if it waited for any."""
        known = self._waiting.pop(call_id, None)
        if known is not None:
            waiter = known.waiting.pop(call_id)
            if waiter.timer is not None:
                waiter.timer.cancel()
        return known

    def leave_all(self) -> None:
        """Nobody waits any more; what runs goes on, since its answer may be asked for again."""
        for call_id in list(self._waiting):
            self.leave(call_id)

    def ended(self, known: KeyedCall, outcome: Outcome) -> None:
        """Answer all who wait, and keep the outcome; a later one, of a handler that had been given up, takes its place."""
        was_running = self._running.pop(known.key, None)
        if was_running is not known:
            if was_running is not None:
                self._running[known.key] = was_running
            if self._ended.get(known.key) is not known:
                return
            self._forget(known)
        waiting = {call_id: waiter.answer for call_id, waiter in known.waiting.items()}
        for call_id in waiting:
            self.leave(call_id)
        if not (isinstance(outcome, Failure) and outcome.reason in _NEVER_RAN):
            known.outcome, known.ended_at = outcome, self._clock()
            self._ended[known.key] = known
            self._answers[known.key] = known
            self._bytes += known.size
            self._make_room()
        for call_id, answer in waiting.items():
            answer(call_id, outcome)

    def _forget(self, known: KeyedCall) -> None:
        del self._ended[known.key]
        if self._answers.pop(known.key, None) is not None:
            self._bytes -= known.size

    def _make_room(self) -> None:
        old = self._clock() - KEPT_KEY_SECONDS
        while self._ended:
            oldest = next(iter(self._ended.values()))
            if oldest.ended_at > old and len(self._ended) <= self._most:
                break
            self._forget(oldest)
        while self._bytes > self._most_bytes:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= oldest.size
            oldest.outcome = _NOT_KEPT
