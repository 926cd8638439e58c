"""PORT: what must be kept.

One promise, several implementations (`sql/` on SQLite). `tests/contracts/test_store.py` runs over every one.

- A method that returns has its change on disk: it survives a kill of the process and of the machine.
- What is asked for with `durable=False` is on disk, at the latest, with the next change that is waited for, when the store
  is closed, or after some 20 ms. Until then a reading may miss it.
- No change is on disk before one that was asked for earlier.
- Calls arriving while a commit runs share the next one.
- Methods may be called by any number of tasks of one event loop; they hold no lock across an await of theirs.
- When the disk refuses, `Unavailable` is raised, nothing of that call was kept, and later calls may succeed again.
- What cannot be stored (text that is no Unicode, numbers past 63 bits) is `InvalidArgument`, for that call alone.
- A task that is cancelled while it waits does not take back what it asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from croupier.domain.approval import Approval
from croupier.domain.audit import Note
from croupier.domain.call import UNKNOWN_TRAIL, Call, CallState, Outcome, Trail
from croupier.domain.entity import Subject
from croupier.domain.job import Job, JobEvent
from croupier.domain.listing import CallFilter, Cursor, JobFilter, Page
from croupier.domain.scope import Scope
from croupier.errors import RateLimited, Unavailable
from croupier.store.accounts import AccountStore
from croupier.store.approvals import ApprovalStore
from croupier.store.audit import AuditStore
from croupier.store.bulk import BulkStore
from croupier.store.catalog import CatalogStore
from croupier.store.guards import GuardStore
from croupier.store.identities import IdentityStore
from croupier.store.machines import MachineStore
from croupier.store.packs import PackStore
from croupier.store.policy import PolicyStore
from croupier.store.second_factors import SecondFactorStore
from croupier.store.secrets import SecretStore

NOTHING_RAN = frozenset({Unavailable.reason, RateLimited.reason})
"""The reasons that say that no game server began with the call: a repetition with the same key must run."""

KEY_WINDOW_MS = 24 * 3600 * 1000
"""So long after its call began an idempotency key is free again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """A call as it was and how it ended."""

    call: Call
    kind: str
    """invoke | job"""
    state: CallState
    outcome: Outcome | None
    """None while it runs; a job's call succeeds when the job was accepted, with its id as payload."""
    started_ms: int
    finished_ms: int
    trail: Trail = UNKNOWN_TRAIL
    replays: int = 0
    """How often a repetition of its idempotency key was answered with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One entry of an entity's timeline."""

    record: CallRecord
    """Without payload, metadata and result."""
    job: Job | None = None
    """As it stands, without its result; only where the call started one."""


class CallStore(Protocol):
    async def begin(
        self,
        call: Call,
        *,
        kind: str = "invoke",
        durable: bool = True,
        about: Sequence[Subject] = (),
        approval: Approval | None = None,
        note: Note | None = None,
    ) -> CallRecord | None:
        """Record that `call` is about to be sent.

        With an idempotency key that was used before in the same scope for the same function, nothing is recorded and the
        earlier record is returned, running or ended; if its payload or kind differs, Conflict is raised.
        A call that ended unsent or for a reason in `NOTHING_RAN` no longer has its key, as if it was never used. Who asks before
        that end gets the record all the same.
        `KEY_WINDOW_MS` after its call began a key is free too.
        An id that was recorded before is a Conflict.
        `durable=False` returns at once (for queries, which change nothing); a call with an idempotency key always waits,
        since the answer decides. Such a call counts as a query.
        `about` names the entities in whose timelines it appears, in the same commit.
        With `approval` the call waited for it: compare and set, both begin to run, or it is a Conflict because they did
        before, or were decided otherwise. One of break-glass is recorded with the call that it excuses.
        `note`, its intent, is in the audit record in the same commit; where the answer is an earlier record or a Conflict, the
        record says that instead.
        """

    async def finish(
        self,
        call_id: str,
        outcome: Outcome,
        *,
        durable: bool = True,
        trail: Trail | None = None,
        note: Note | None = None,
    ) -> None:
        """Record how it ended and which way it went. Finishing twice keeps the first; an unknown call is left unknown.

        A reason in `NOTHING_RAN` frees the idempotency key for the next call, and so does any error that is
        `unsent`: nobody was given the call. The record stays, and names the key still. Any other outcome keeps the key.
        `note`, its outcome, is in the audit record in the same commit.
        """

    async def call(self, call_id: str) -> CallRecord | None: ...

    async def repeats(self, call: Call) -> bool:
        """Whether its idempotency key is taken, so that `begin` would answer with an earlier call, or with Conflict."""

    async def calls(self, which: CallFilter, limit: int, after: Cursor | None = None) -> Page[CallRecord]:
        """Those that fit, newest first, from the one after `after`, without their payloads, metadata and results."""

    async def timeline(
        self, scope: Scope, subject: Subject, limit: int, before: Cursor | None = None, *, queries: bool = True
    ) -> Page[Deed]:
        """The calls and jobs that were about an entity, newest first, those before `before`; without queries on request.
        They leave it when the calls are forgotten.
        """

    async def abandon(self) -> int:
        """At start: every call that still runs ends as outcome_unknown, since its process is gone. Jobs' calls too.
        Returns how many.
        """


class JobStore(Protocol):
    async def create(
        self,
        call: Call,
        *,
        about: Sequence[Subject] = (),
        approval: Approval | None = None,
        note: Note | None = None,
    ) -> CallRecord | None:
        """Like `CallStore.begin` with kind `job`, and the job with it, in one commit."""

    async def place(self, job_id: str, *, agent_id: str, service_id: str) -> None:
        """Record where the job runs, and that it does: its game server has accepted it."""

    async def ask_to_stop(self, job_id: str, reason: str) -> None:
        """Record that the job was asked to stop, and why; the first reason stays. An ended or unknown job is left alone."""

    async def append(self, events: Sequence[JobEvent]) -> dict[str, int]:
        """Store events, of any jobs, each job's in order, and the states that follow from them (`domain.job.advance`).

        What is known already is dropped; what would leave a gap, comes after the end or belongs to no known job is
        dropped too. Returns, for each job named, the highest stored seq (0: unknown job): that much may be acknowledged.
        """

    async def conclude(self, job_id: str, *, reason: str, message: str) -> Job | None:
        """End a job that will send no event of its own: append an `error` event after its last one.
        Does nothing to an ended job. Returns the job as it is then; None when there is none.
        """

    async def events(self, job_id: str, after: int, limit: int) -> list[JobEvent]:
        """The job's events with a seq above `after`, ascending, at most `limit`."""

    async def job(self, job_id: str) -> Job | None: ...

    async def jobs(self, which: JobFilter, limit: int, after: Cursor | None = None) -> Page[Job]:
        """Those that fit, newest first, from the one after `after`, without their results."""


class RetentionStore(Protocol):
    """What is kept for a time only. Each method changes so little at once that no call waits for it."""

    async def expire_keys(self, limit: int) -> int:
        """Let go of at most `limit` idempotency keys whose time is over (they count as free already). Returns how many."""

    async def old_calls(self, before_ms: int, limit: int) -> list[Cursor]:
        """The oldest calls that have ended and began before then, oldest first."""

    async def forget_calls(self, call_ids: Sequence[str]) -> None:
        """Delete them, but not what still runs."""

    async def old_jobs(self, before_ms: int, limit: int) -> list[Job]:
        """The jobs that ended first, of those that ended before then and still have events here; without results."""

    async def archive_job(self, job_id: str) -> None:
        """From now on the job's story is read elsewhere (`Job.archived`). An unfinished job stays as it is."""

    async def forget_events(self, job_id: str, limit: int) -> bool:
        """Delete the first events, at most `limit`, of a job that is archived. Returns whether there may be more."""


class Store(CallStore, JobStore, RetentionStore, Protocol):
    @property
    def approvals(self) -> ApprovalStore: ...

    @property
    def audit(self) -> AuditStore: ...

    @property
    def bulk(self) -> BulkStore: ...

    @property
    def catalog(self) -> CatalogStore: ...

    @property
    def packs(self) -> PackStore: ...

    @property
    def second_factors(self) -> SecondFactorStore: ...

    @property
    def identities(self) -> IdentityStore: ...

    @property
    def machines(self) -> MachineStore: ...

    @property
    def accounts(self) -> AccountStore: ...

    @property
    def guards(self) -> GuardStore: ...

    @property
    def secrets(self) -> SecretStore: ...

    @property
    def policy(self) -> PolicyStore: ...

    async def close(self) -> None:
        """Commit what waits, then let go of the files."""
