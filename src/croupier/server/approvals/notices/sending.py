import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from croupier.domain.notice import Notice, failed, sent
from croupier.errors import CroupierError, FailedPrecondition, NotFound
from croupier.server.access.secrets import OwnSecrets
from croupier.server.approvals.notices.formats import letter
from croupier.server.approvals.notices.webhook import SECONDS, Webhook
from croupier.settings import WebhookSettings
from croupier.store.approvals import ApprovalStore

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between looks for notices that are due."""
BATCH = 50


class NoticeSender:
    """Sends what is due, every webhook on its own, so that one that hangs keeps no other waiting. `run` until cancelled."""

    def __init__(
        self,
        *,
        store: ApprovalStore,
        webhooks: Sequence[WebhookSettings],
        public_url: str | None,
        clock: Callable[[], int],
        secrets: OwnSecrets | None = None,
        seconds: float = SECONDS,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._store = store
        self._webhooks = {each.name: Webhook(each, seconds=seconds) for each in webhooks}
        self._link = f"{public_url}/approvals/" if public_url else ""
        self._clock = clock
        self._secrets = secrets
        self._look_every = look_every

    async def run(self) -> None:
        """Where nobody is to be told, it ends at once."""
        if not self._webhooks:
            return
        async with contextlib.AsyncExitStack() as stack:
            for webhook in self._webhooks.values():
                await stack.enter_async_context(webhook)
            while True:
                if not await self._look():
                    await asyncio.sleep(self._look_every)

    async def _look(self) -> bool:
        """Whether there may be more."""
        try:
            due = await self._store.due_notices(self._clock(), BATCH)
            by_webhook: dict[str, list[Notice]] = {}
            for notice in due:
                by_webhook.setdefault(notice.webhook, []).append(notice)
            await asyncio.gather(*(self._send(name, some) for name, some in by_webhook.items()))
        except CroupierError as error:
            log.warning("notices wait, the store refused: %s", error.message)
            return False
        return len(due) == BATCH

    async def _send(self, name: str, notices: Sequence[Notice]) -> None:
        """In their order; after one that was not taken the others of this webhook wait for the next look."""
        webhook = self._webhooks.get(name)
        for notice in notices:
            if webhook is None:
                after = failed(notice, "its webhook is not configured any more", self._clock(), for_good=True)
                await self._store.put_notice(after)
            elif not await self._sent(webhook, notice):
                return

    async def _sent(self, webhook: Webhook, notice: Notice) -> bool:
        link = self._link + notice.approval_id if self._link else ""
        try:
            secret = await self._secret_of(webhook.settings)
        except (NotFound, FailedPrecondition) as error:
            why = error.message
        else:
            why = await webhook.post(letter(notice, webhook.settings, secret, link, self._clock()))
        if why:
            after = failed(notice, why, self._clock())
            log.warning("notice %s to webhook %s: %s (try %d)", notice.id, notice.webhook, why, after.attempts)
        else:
            after = sent(notice)
        await self._store.put_notice(after)
        return not why

    async def _secret_of(self, webhook: WebhookSettings) -> str:
        """What its notices are signed with. Raises as `OwnSecrets.own`."""
        if webhook.secret_name is None or self._secrets is None:
            return webhook.secret.get_secret_value() if webhook.secret is not None else ""
        return await self._secrets.own(webhook.secret_name, purpose=f"sign a notice to the webhook {webhook.name}")
