import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self

import orjson

from croupier.domain.audit import DENIED, FAILED, OK, Note, Phase
from croupier.domain.call import Call, Outcome, Result, Trail, state_after
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Canceled, CroupierError, InternalError
from croupier.server.access.audit.denials import Denials
from croupier.server.access.audit.masking import Masker
from croupier.server.access.audit.sensitive import NOTHING_SAID, Sensitive
from croupier.store.audit import AuditStore

log = logging.getLogger(__name__)

INVOKE = "function.invoke"
START = "job.start"

_made = tuple.__new__
"""A NamedTuple of all its fields, in a third of the time that calling it takes."""


class Audit:
    """What is put on record, before it is done."""

    def __init__(self, store: AuditStore, masker: Masker) -> None:
        self._store = store
        self.masker = masker
        self._denials = Denials(self._later)
        self.refusals: Counter[tuple[str, str]] = Counter()
        """By the area of what was asked for (`packs`, `function`) and the reason, which are of the program's own choosing."""
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def unwritten(self) -> int:
        """Rows that the disk refused since the start."""
        return self._store.unwritten

    def act(
        self,
        caller: Principal,
        action: str,
        *,
        scope: Scope | None = None,
        target: str = "",
        details: Mapping[str, object] | None = None,
    ) -> "Act":
        """Round a change:

            async with audit.act(caller, "packs.import", target=name, details={"digest": …}) as act:
                …
                act.add(version=…)

        The intent is on disk when the block begins; where it cannot be written, `Unavailable` is raised and the block does not
        run. The outcome follows: ok, or the reason of the error that left the block. Values of sensitive names are masked;
        secrets have no place in `details` all the same.
        """
        return Act(
            self._store,
            self.masker,
            Note(
                actor=caller,
                action=action,
                phase=Phase.INTENT,
                act_id=new_id("a"),
                target=target,
                scope=scope,
                address=caller.address,
                details=self.masker.details(details or {}),
            ),
        )

    async def event(
        self,
        caller: Principal,
        action: str,
        *,
        scope: Scope | None = None,
        target: str = "",
        details: Mapping[str, object] | None = None,
        result: str = OK,
        reason: str = "",
        durable: bool = True,
    ) -> None:
        """What is over at once: a login, the reading of the record itself. Raises Unavailable when it cannot be written."""
        note = Note(
            actor=caller,
            action=action,
            target=target,
            scope=scope,
            address=caller.address,
            details=self.masker.details(details or {}),
            result=result,
            reason=reason,
        )
        await self._store.record(note, durable=durable)

    async def denied(
        self, caller: Principal, action: str, error: CroupierError, *, scope: Scope | None = None, target: str = ""
    ) -> None:
        """Somebody was refused. It goes with the next commit: nothing was changed that would have to wait for it.

        The same refusal again within some seconds is counted, and one that cannot be written stays a refusal.
        """
        if error.on_record:
            return
        error.on_record = True
        self.refusals[action.partition(".")[0], error.reason] += 1
        note = Note(
            actor=caller,
            action=action,
            target=target,
            scope=scope,
            address=caller.address,
            details=self.masker.details({"message": error.message}),
            result=DENIED,
            reason=error.reason,
        )
        if self._denials.is_new(note):
            await self._tell(note)

    async def _tell(self, note: Note) -> None:
        try:
            await self._store.record(note, durable=False)
        except CroupierError as error:
            log.warning("a refusal of %s could not be recorded: %s", note.action, error.message)

    def _later(self, note: Note) -> None:
        task = asyncio.ensure_future(self._tell(note))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def stop(self) -> None:
        """Hand what was counted to the store."""
        self._denials.close()
        while self._telling:
            await asyncio.wait(self._telling)

    def intent(
        self, caller: Principal, call: Call, sensitive: Sensitive = NOTHING_SAID, *, action: str = INVOKE
    ) -> Note:
        """Of a call; the store writes it in the commit of the call's own row."""
        details = self.masker.arguments(call.payload, sensitive)
        trace_id = call.traceparent[3:35]
        act_id, target, scope = call.id, call.function_id, call.scope
        return _made(
            Note, (caller, action, Phase.INTENT, act_id, target, scope, trace_id, details, "", "", caller.address)
        )


def outcome_note(intent: Note, outcome: Outcome, trail: Trail | None = None) -> Note:
    """How the call ended; the store writes it in the commit that says so of the call."""
    if isinstance(outcome, Result):
        result, reason, service_id = OK, "", outcome.service_id
    else:
        result, reason, service_id = state_after(outcome).value, outcome.reason, ""
    service_id = service_id or (trail.service_id if trail is not None else "")
    details = _served_by(service_id) if service_id else ""
    actor, action, _, act_id, target, scope, trace_id, _, _, _, address = intent
    outcome_of = (actor, action, Phase.OUTCOME, act_id, target, scope, trace_id, details, result, reason, address)
    return _made(Note, outcome_of)


@lru_cache(maxsize=4096)
def _served_by(service_id: str) -> str:
    return orjson.dumps({"service_id": service_id}).decode()


class Act:
    """One change, on record. See `Audit.act`."""

    __slots__ = ("_added", "_intent", "_masker", "_store")

    def __init__(self, store: AuditStore, masker: Masker, intent: Note) -> None:
        self._store = store
        self._masker = masker
        self._intent = intent
        self._added: dict[str, object] = {}

    @property
    def id(self) -> str:
        """What its two rows share."""
        return self._intent.act_id

    def add(self, **details: object) -> None:
        """What is known of it only now."""
        self._added.update(details)

    async def __aenter__(self) -> Self:
        await self._store.record(self._intent)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        intent = self._intent
        if error is None:
            result, reason = OK, ""
        elif isinstance(error, CroupierError):
            result, reason = FAILED, error.reason
        elif isinstance(error, Exception):
            result, reason = FAILED, InternalError.reason
        else:
            result, reason = "canceled", Canceled.reason
        note = Note(
            actor=intent.actor,
            action=intent.action,
            phase=Phase.OUTCOME,
            act_id=intent.act_id,
            target=intent.target,
            scope=intent.scope,
            address=intent.address,
            details=self._masker.details(self._added),
            result=result,
            reason=reason,
        )
        if isinstance(error, CroupierError):
            error.on_record = True
        try:
            await self._store.record(note)
        except CroupierError:
            # What happened has happened. The row is counted by the store, which says so in the record when it can again.
            log.exception("the outcome of %s %s could not be recorded", intent.action, intent.act_id)
