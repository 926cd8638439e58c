"""Everything that has to do with approvals, put together."""

import asyncio
import contextlib
from collections.abc import Callable

from croupier.server.access.guard import Guard
from croupier.server.approvals.binding import Foresee
from croupier.server.approvals.deciding import Approvals
from croupier.server.approvals.executor import Executor, Runners
from croupier.server.approvals.gate import ApprovalGate
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.approvals.notices.sending import NoticeSender
from croupier.server.approvals.rules import Rules
from croupier.server.catalog import Catalog
from croupier.settings import ApprovalsSettings
from croupier.store import Store


class Approving:
    """`gate` is asked before every call, `approvals` by people; `begin` once what runs calls is there."""

    def __init__(
        self,
        settings: ApprovalsSettings,
        *,
        public_url: str | None,
        guard: Guard,
        store: Store,
        catalog: Catalog,
        foresee: Foresee,
        clock: Callable[[], int],
    ) -> None:
        """Raises InvalidArgument where a rule of the settings is none."""
        outbox = Outbox(settings.webhooks, clock)
        self.gate = ApprovalGate(
            guard=guard, store=store, rules=Rules(settings), foresee=foresee, outbox=outbox, clock=clock
        )
        self._executor = Executor(store=store, outbox=outbox, foresee=foresee, clock=clock)
        self.approvals = Approvals(
            guard=guard,
            store=store,
            catalog=catalog,
            gate=self.gate,
            outbox=outbox,
            clock=clock,
            approved=self._executor.wake,
        )
        self._sender = NoticeSender(
            store=store.approvals, webhooks=settings.webhooks, public_url=public_url, clock=clock
        )

    def begin(self, runners: Runners, stack: contextlib.AsyncExitStack) -> None:
        """Execute what is approved, and send notices, until the stack is left; what executes then gets a moment to end."""
        stack.push_async_callback(self._executor.stop)
        for forever in (self._sender.run(), self._executor.run(runners)):
            stack.push_async_callback(_end, asyncio.ensure_future(forever))


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
