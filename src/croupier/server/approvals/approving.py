"""Everything that has to do with approvals, put together."""

import asyncio
import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace

from croupier.domain.principal import Principal
from croupier.errors import PermissionDenied
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.access.secrets import OwnSecrets
from croupier.server.approvals.binding import Foresee
from croupier.server.approvals.conditions import conditions
from croupier.server.approvals.deciding import Approvals
from croupier.server.approvals.executor import Executor, Runners
from croupier.server.approvals.gate import ApprovalGate
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.approvals.notices.sending import NoticeSender
from croupier.server.approvals.rules import Rules
from croupier.server.catalog import Catalog
from croupier.server.news import News
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
        audit: Audit,
        accounts: Accounts,
        store: Store,
        catalog: Catalog,
        foresee: Foresee,
        clock: Callable[[], int],
        secrets: OwnSecrets | None = None,
        news: News | None = None,
    ) -> None:
        """Raises InvalidArgument where a rule of the settings is none."""
        news = news or News()
        outbox = Outbox(settings.webhooks, clock)
        self.current = functools.partial(as_it_is, accounts)
        """Somebody who asked for something earlier, as it may act now. Raises PermissionDenied."""
        self.gate = ApprovalGate(
            guard=guard,
            audit=audit,
            store=store,
            rules=Rules(settings, conditions(guard.policy, clock)),
            foresee=foresee,
            outbox=outbox,
            news=news,
            clock=clock,
        )
        self._executor = Executor(
            store=store,
            outbox=outbox,
            news=news,
            foresee=foresee,
            clock=clock,
            audit=audit,
            current=self.current,
            retention=settings.retention,
        )
        self.approvals = Approvals(
            guard=guard,
            audit=audit,
            store=store,
            catalog=catalog,
            gate=self.gate,
            outbox=outbox,
            news=news,
            clock=clock,
            approved=self._executor.wake,
        )
        self._sender = NoticeSender(
            store=store.approvals,
            webhooks=settings.webhooks,
            public_url=public_url,
            clock=clock,
            secrets=secrets,
        )

    def begin(self, runners: Runners, stack: contextlib.AsyncExitStack) -> None:
        """Execute what is approved, and send notices, until the stack is left; what executes then gets a moment to end."""
        stack.push_async_callback(self._executor.stop)
        for forever in (self._sender.run(), self._executor.run(runners)):
            stack.push_async_callback(_end, asyncio.ensure_future(forever))


def as_it_is(accounts: Accounts, requester: Principal) -> Principal:
    """Somebody who asked earlier, with the groups it has now. Raises PermissionDenied where its account was disabled."""
    if not requester.user_id:
        return requester
    account = accounts.get(requester.user_id)
    if account is None or account.disabled:
        raise PermissionDenied(f"the account of {requester.name}, who asked for it, was disabled")
    return replace(requester, groups=account.groups)


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
