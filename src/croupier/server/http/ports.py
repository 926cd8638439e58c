"""PORT: what the HTTP side needs of the server behind it, in the words of the domain."""

import builtins
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from croupier.domain.approval import Approval
from croupier.domain.bulk import Bulk, BulkRow, BulkState, Plan, RowState
from croupier.domain.call import Call, Result
from croupier.domain.entity import Subject
from croupier.domain.function import Function
from croupier.domain.job import Job, JobEvent
from croupier.domain.listing import CallFilter, Cursor, JobFilter, Page
from croupier.domain.principal import Principal
from croupier.domain.registry import FunctionHealth, InstanceView, RegistryView
from croupier.domain.routing import Preview
from croupier.domain.scope import Scope
from croupier.server.approvals.deciding import Shown
from croupier.server.bulk import Listed, Progress, Upload
from croupier.server.bulk_intake import RowFault
from croupier.server.entities import EntityState, Order, Wish
from croupier.server.live import Reader
from croupier.store import CallRecord, Deed
from croupier.store.approvals import ApprovalFilter

Readiness = Callable[[], Awaitable[list[str]]]
"""What keeps the server from serving, in words for an operator; nothing when it is ready."""


class Calls(Protocol):
    async def invoke(self, caller: Principal, call: Call) -> Result:
        """Run `call` and return its answer. Cancelling the task that awaits it frees every hop.

        Raises CroupierError.
        """

    async def preview(self, caller: Principal, call: Call) -> Preview:
        """Who would receive `call`; nothing is sent. Raises CroupierError."""


class History(Protocol):
    async def calls(
        self, caller: Principal, which: CallFilter, limit: int, after: Cursor | None = None
    ) -> Page[CallRecord]:
        """Those that fit and that the caller may see, newest first, without payloads, metadata and results."""

    async def call(self, caller: Principal, call_id: str, *, reveal: bool = False) -> CallRecord:
        """With sensitive values masked, unless they are to be revealed to who may. Raises NotFound ("unknown call …")."""

    async def whole(self, caller: Principal, call_id: str) -> CallRecord:
        """As it was, to be made again. Raises NotFound ("unknown call …")."""


class Jobs(Protocol):
    async def start(self, caller: Principal, call: Call) -> str:
        """Accept the job and return its id; a repeated idempotency key returns the first job's."""

    def follow(self, caller: Principal, job_id: str, after: int) -> AsyncIterator[list[JobEvent]]:
        """The job's events with a seq above `after`, in order, in batches; ends after the last event of an ended job.

        Raises NotFound ("unknown job …") at the first step.
        """

    async def cancel(self, caller: Principal, job_id: str, reason: str) -> Job:
        """Ask for the job's end and return the job as it is then; an ended job stays as it is."""

    async def get(self, caller: Principal, job_id: str) -> Job:
        """Raises NotFound ("unknown job …")."""

    async def list(self, caller: Principal, which: JobFilter, limit: int, after: Cursor | None = None) -> Page[Job]:
        """Those that fit and that the caller may see, newest first, without their results."""


class Directory(Protocol):
    async def registry(self) -> RegistryView: ...

    def instances(self, function_id: str, scope: Scope | None) -> list[InstanceView]:
        """Who offers the function; an empty id is every function."""

    def health(self, scope: Scope | None, function_ids: Collection[str]) -> dict[str, FunctionHealth]:
        """How many game servers offer each of the functions, in a scope or in every one."""

    def function(self, scope: Scope, function_id: str) -> Function | None: ...


class Entities(Protocol):
    """`get` and `order` raise NotFound for an entity that nobody knows."""

    async def list(self, caller: Principal, scope: Scope | None) -> builtins.list[EntityState]:
        """Every type of the scope, or of all, by name."""

    async def get(self, caller: Principal, scope: Scope | None, entity: str) -> EntityState: ...

    async def order(self, scope: Scope, wish: Wish) -> Order:
        """The call that does it; it is not made yet. Raises NoOperation, InvalidArgument."""

    async def verbs(self, scope: Scope, entity: str) -> Collection[str]:
        """The names of its operations."""

    async def timeline(
        self,
        caller: Principal,
        scope: Scope,
        subject: Subject,
        limit: int,
        before: Cursor | None = None,
        *,
        queries: bool = True,
    ) -> Page[Deed]:
        """The calls and jobs about one entity, newest first."""


class Bulks(Protocol):
    """Every method but `upload` and `list` raises NotFound ("unknown bulk …")."""

    async def upload(
        self, caller: Principal, upload: Upload, chunks: AsyncIterator[bytes]
    ) -> tuple[Bulk, builtins.list[RowFault]]: ...

    async def start(
        self,
        caller: Principal,
        bulk_id: str,
        plan: Plan,
        *,
        expected_sha256: str = "",
        dry_run: bool = False,
        said: Mapping[str, str] | None = None,
    ) -> Bulk: ...

    async def confirm(self, caller: Principal, bulk_id: str) -> Bulk: ...

    async def pause(self, caller: Principal, bulk_id: str) -> Bulk: ...

    async def resume(self, caller: Principal, bulk_id: str) -> Bulk: ...

    async def cancel(self, caller: Principal, bulk_id: str) -> Bulk: ...

    async def rerun(self, caller: Principal, bulk_id: str, *, include_unknown: bool = False) -> Bulk: ...

    async def get(self, caller: Principal, bulk_id: str) -> Progress: ...

    async def list(
        self, caller: Principal, scope: Scope | None, states: frozenset[BulkState], limit: int
    ) -> builtins.list[Listed]: ...

    async def rows(
        self,
        caller: Principal,
        bulk_id: str,
        states: frozenset[RowState],
        *,
        after: int,
        limit: int,
        reveal: bool = False,
    ) -> builtins.list[BulkRow]: ...

    async def export(
        self, caller: Principal, bulk_id: str, states: frozenset[RowState], *, reveal: bool = False
    ) -> AsyncIterator[builtins.list[BulkRow]]: ...

    def follow(self, caller: Principal, bulk_id: str) -> AsyncIterator[Progress]: ...


class Live(Protocol):
    def reading(
        self, caller: Principal, scope: Scope | None, topics: Sequence[str], last_event_id: str = ""
    ) -> AbstractAsyncContextManager[Reader]:
        """A stream of `topics`, after the message of that id. Topics that the caller may not read are told in it."""


class Approvals(Protocol):
    """Every method but `list` raises NotFound, also for whoever may not read it."""

    async def list(
        self, caller: Principal, which: ApprovalFilter, limit: int, after: Cursor | None = None
    ) -> Page[Approval]: ...

    async def get(self, caller: Principal, approval_id: str) -> Shown: ...

    async def approve(
        self, caller: Principal, approval_id: str, *, comment: str = "", digest: str = ""
    ) -> Approval: ...

    async def reject(self, caller: Principal, approval_id: str, *, comment: str) -> Approval: ...

    async def withdraw(self, caller: Principal, approval_id: str, *, comment: str = "") -> Approval: ...

    async def comment(self, caller: Principal, approval_id: str, *, comment: str) -> Approval: ...

    async def review(self, caller: Principal, approval_id: str, *, comment: str) -> Approval: ...
