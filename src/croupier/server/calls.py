"""The spine: every call, from every entry, goes through here.

HTTP, gRPC, CLI ─► admission (may it, does it fit?) ─► store (recorded, or repeated?) ─► router ─► link ─► store
"""

import asyncio
import logging
from time import perf_counter

from croupier.codes import Code
from croupier.domain.audit import Note
from croupier.domain.call import Call, CallState, Outcome, Result, Route, Trail
from croupier.domain.choices import to_everyone
from croupier.domain.function import Function
from croupier.domain.limits import CALL_TIMEOUT, CALL_TIMEOUT_MAX
from croupier.domain.principal import Principal
from croupier.domain.routing import Preview, Skipped
from croupier.domain.scope import Scope
from croupier.domain.trace import named
from croupier.errors import (
    Canceled,
    Conflict,
    CroupierError,
    DeadlineExceeded,
    InternalError,
    OutcomeUnknown,
    Unavailable,
)
from croupier.redaction import Redactor, redacted_outcome
from croupier.server.access.audit import outcome_note
from croupier.server.access.guard import Guard
from croupier.server.admission import Admission, Admitted
from croupier.server.approvals import Grant
from croupier.server.catalog import Catalog, Entry
from croupier.server.dispatch.broadcast import broadcast
from croupier.server.dispatch.hashing import with_hash_key
from croupier.server.dispatch.preview import preview
from croupier.server.dispatch.router import Router, Target
from croupier.server.news import CALLS, News
from croupier.server.transcode import spoken, understood
from croupier.store import NOTHING_RAN, CallRecord, CallStore
from croupier.transcoding import Codec

log = logging.getLogger(__name__)


class Calls:
    def __init__(
        self,
        *,
        guard: Guard,
        catalog: Catalog,
        admission: Admission,
        store: CallStore,
        router: Router,
        redactor: Redactor | None = None,
        news: News | None = None,
    ) -> None:
        self._news = news or News()
        self._admission = admission
        self._guard = guard
        self._catalog = catalog
        self._store = store
        self._router = router
        self._redactor = redactor or Redactor()
        self._keyed: dict[str, asyncio.Future[Outcome]] = {}
        """Calls with an idempotency key that run here now, by id: their repetitions wait for them."""
        self._recording: set[asyncio.Task[None]] = set()

    async def invoke(self, caller: Principal, call: Call, *, grant: Grant | None = None) -> Result:
        """Run `call` where its route says and return the answer. A repeated idempotency key returns the first answer.

        Cancelling the caller frees every hop. Raises CroupierError, AwaitingApproval among them; `grant` is of no entry's.
        """
        way = _Way()
        began = asyncio.get_running_loop().time()
        admitted = await self._admission.admit(caller, call, grant=grant)
        try:
            return await self._invoke(admitted, way, began)
        finally:
            admitted.release(ran=way.sent and not way.unsent)

    async def _invoke(self, admitted: Admitted, way: "_Way", began: float) -> Result:
        entry, call = admitted.entry, admitted.call
        function = entry.function
        if call.route is Route.HASH and not call.hash_key:
            call = with_hash_key(call, function)
        said = call if entry.codec is None else await spoken(entry.codec, call)
        way.entry, way.codec, way.note = entry, entry.codec, admitted.note
        earlier = admitted.earlier or await self._begin(call, way, admitted, durable=function.mode != "query")
        way.recorded = perf_counter()
        deadline = began + min(call.timeout or function.timeout or CALL_TIMEOUT, CALL_TIMEOUT_MAX)
        if earlier is not None:
            return await self._repeat(earlier, deadline)
        outcome = await self._run(said, deadline, way)
        if self._redactor.active:
            outcome = redacted_outcome(self._redactor, outcome)
        way.unsent = isinstance(outcome, CroupierError) and (outcome.unsent or outcome.reason in NOTHING_RAN)
        await self._record(call, outcome, way)
        if isinstance(outcome, CroupierError):
            raise outcome
        return outcome

    def require_offered(self, scope: Scope, function_id: str) -> None:
        """Raises as `Router.require_offered`."""
        self._router.require_offered(scope, function_id)

    async def preview(self, caller: Principal, call: Call) -> Preview:
        """Who would receive `call` now, and why; nothing is sent or recorded, and the payload need not fit.

        Raises CroupierError.
        """
        await self._guard.require(caller, "routes.preview", call.scope)
        self._catalog.admit(call.scope, call.function_id)
        if call.route is Route.HASH and not call.hash_key:
            function = self._catalog.function(call.scope, call.function_id)
            call = with_hash_key(call, function or Function(id=call.function_id))
        return preview(self._router, call)

    async def _begin(self, call: Call, way: "_Way", admitted: Admitted, *, durable: bool) -> CallRecord | None:
        self._announce(call)
        try:
            earlier = await self._store.begin(
                call, durable=durable, about=admitted.about, approval=admitted.approval, note=way.note
            )
        except CroupierError as error:
            self._settle(call, error)
            raise
        except asyncio.CancelledError:
            gone = Canceled(
                "the caller went away before the call was sent; nothing happened", code=Code.CALLER_LEFT_BEFORE
            )
            gone.unsent = True
            self._record_later(call, gone, way)
            raise
        if earlier is not None:
            self._keyed.pop(call.id, None)
        elif admitted.approval is not None:
            await self._news.approval(admitted.approval.id)
        return earlier

    async def _run(self, call: Call, deadline: float, way: "_Way") -> Outcome:
        """Send the call and say how it ended; a caller that goes away is recorded before its cancellation goes on."""
        try:
            return await self._send(call, deadline, way)
        except CroupierError as error:
            error.unsent |= not way.sent
            if way.target is not None and way.sent:
                error.agent_id = way.target.link.agent_id
                error.service_id = error.service_id or way.target.service_id
            return error
        except asyncio.CancelledError:
            gone = Canceled(
                "the caller went away before the answer; the function may still have taken effect",
                code=Code.CALLER_LEFT,
            )
            gone.unsent = not way.sent
            self._settle(call, gone)
            self._record_later(call, gone, way)
            raise
        except Exception as error:
            log.exception("call %s failed inside the server", call.id, extra=named(call))
            fault = InternalError(f"call {call.id} failed inside the server; its log has the details")
            fault.unsent = not way.sent
            self._settle(call, fault)
            self._record_later(call, fault, way)
            raise fault from error

    async def _send(self, call: Call, deadline: float, way: "_Way") -> Result:
        if call.route is Route.BROADCAST:
            targets, skipped = await self._everyone(call, deadline)
            self._catalog.require_same(way.entry, call)
            way.decision = to_everyone(len(targets))
            way.sent = True
            together = await broadcast(call, targets, skipped, deadline, way.codec)
            way.decision = to_everyone(len(targets), together.failed)
            return together
        router = self._router
        target = router.route(call) if not call.wait_for else await router.wait(call, router.well, deadline)
        self._catalog.require_same(way.entry, call)
        way.target = target
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise Unavailable(
                "the deadline passed before the call could be sent; nothing ran, it may be repeated",
                code=Code.NOT_SENT_IN_TIME,
            )
        way.sent = True
        result = await target.link.invoke(call, target.service_id, left)
        return result if way.codec is None else await understood(way.codec, result)

    async def _everyone(self, call: Call, deadline: float) -> tuple[list[Target], list[Skipped]]:
        everyone = self._router.everyone
        return everyone(call) if not call.wait_for else await self._router.wait(call, everyone, deadline)

    async def _record(self, call: Call, outcome: Outcome, way: "_Way") -> None:
        """An answer that may be asked for again is on disk before it is given; any other goes with the next commit."""
        trail = way.trail(outcome)
        try:
            await self._store.finish(
                call.id,
                outcome,
                durable=bool(call.idempotency_key),
                trail=trail,
                note=None if way.note is None else outcome_note(way.note, outcome, trail),
            )
        except CroupierError:
            # What happened in the game has happened: the caller gets its answer, and the record stays open, which a
            # repetition of the key is told.
            log.exception("the outcome of call %s could not be recorded", call.id, extra=named(call))
        finally:
            self._settle(call, outcome)
        if self._news.heard(CALLS):
            await self._news.call_ended(call, outcome, trail.server_us)

    def _record_later(self, call: Call, outcome: Outcome, way: "_Way") -> None:
        task = asyncio.ensure_future(self._record(call, outcome, way))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    def _announce(self, call: Call) -> None:
        if call.idempotency_key:
            self._keyed[call.id] = asyncio.get_running_loop().create_future()

    def _settle(self, call: Call, outcome: Outcome) -> None:
        waiter = self._keyed.pop(call.id, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(outcome)

    async def _repeat(self, earlier: CallRecord, deadline: float) -> Result:
        """The first call's answer, waited for until `deadline` if it still runs."""
        call_id, outcome = earlier.call.id, earlier.outcome
        if earlier.state == CallState.WAITING:
            raise await self._admission.approvals.waiting(call_id)
        if earlier.state == CallState.RUNNING:
            waiter = self._keyed.get(call_id)
            if waiter is None:
                raise Conflict(
                    f"call {call_id} with this idempotency key has no recorded end yet; ask for it again shortly",
                    {"call_id": call_id},
                    code=Code.KEY_PENDING,
                ).of_call(call_id, replayed=False)
            try:
                async with asyncio.timeout_at(deadline):
                    outcome = await asyncio.shield(waiter)
            except TimeoutError:
                raise DeadlineExceeded(
                    f"call {call_id}, the first with this idempotency key, still runs; ask for it again later",
                    {"call_id": call_id},
                    code=Code.KEY_PENDING,
                ).of_call(call_id, replayed=False) from None
        if isinstance(outcome, Result):
            return Result(
                payload=outcome.payload,
                service_id=outcome.service_id,
                agent_id=outcome.agent_id,
                replayed=True,
                call_id=call_id,
            )
        outcome = outcome or OutcomeUnknown(f"call {call_id} ended without an answer; check what the function did")
        raise outcome.of_call(call_id)

    async def drain(self) -> None:
        """Wait until every outcome is handed to the store."""
        while self._recording:
            await asyncio.wait(self._recording)


class _Way:
    """What is noted of a call while it is under way. The loop's own time stands still between two turns, in whole milliseconds."""

    __slots__ = ("began", "codec", "decision", "entry", "note", "recorded", "sent", "target", "unsent")

    def __init__(self) -> None:
        self.began = self.recorded = perf_counter()
        self.target: Target | None = None
        self.entry: Entry | None = None
        """What is known of its function, from when it was admitted."""
        self.codec: Codec | None = None
        self.note: Note | None = None
        """Its intent, as it is on record."""
        self.decision = ""
        """Where there is no one target."""
        self.sent = False
        """Given to somebody, who may have acted. Until then an end of the call leaves its idempotency key free."""
        self.unsent = False
        """It has ended, and for certain no game server began with it."""

    def trail(self, outcome: Outcome) -> Trail:
        """As it is kept."""
        target, service_id = self.target, outcome.service_id
        spent = (outcome.agent_us, outcome.handler_us) if isinstance(outcome, Result) else outcome.spent
        decision, agent_id = self.decision, ""
        if target is not None:
            # As `choices.among` writes it, without the price of asking it.
            decision, agent_id = f"{target.why} ({target.candidates} could)", target.link.agent_id
            service_id = service_id or target.service_id
        took, until_recorded = perf_counter() - self.began, self.recorded - self.began
        fields = (decision, agent_id, service_id, int(took * 1e6), int(until_recorded * 1e6), *spent)
        return tuple.__new__(Trail, fields)  # calling it takes three times as long
