"""Notices about approvals, sent to a real HTTP server that takes them, fails, hangs and answers nonsense."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from aiohttp import web
from tests.approvals import NOW, an_approval

from croupier.domain.audit import AuditFilter
from croupier.domain.notice import TRIES, Event, Notice, NoticeState
from croupier.domain.principal import Principal
from croupier.domain.secret import SecretPlace
from croupier.redaction import Redactor
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.access.secrets import Envelope, Secrets
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.approvals.notices.sending import NoticeSender
from croupier.settings import WebhookSettings
from croupier.store.sql import SqlStore, open_store

SECRET = "the-secret-of-the-webhook"
ROOT = Principal(name="ann", root=True)
DEADLINE = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Chat:
    """What a webhook's other end got, and how it answers: a status with a body, or nothing at all."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hangs: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((str(request.rel_url), dict(request.headers), await request.read()))
        if self.hangs:
            await self.stopped.wait()
        status, body = self.answers.pop(0) if self.answers else (200, b"ok")
        headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
        return web.Response(status=status, body=body, headers=headers)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    found = Chat()
    app = web.Application()
    app.router.add_post("/{path:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}"
    yield found
    found.stopped.set()
    await runner.cleanup()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = await open_store(tmp_path / "croupier.db")
    yield opened
    await opened.close()


def webhook(chat: Chat, name: str = "ops", **fields: Any) -> WebhookSettings:
    given = {"name": name, "url": chat.url + "/hook?key=k", "secret": SECRET, "allow_loopback": True}
    return WebhookSettings.model_validate(given | fields)


async def told(store: SqlStore, clock: Clock, *webhooks: WebhookSettings, event: Event = Event.REQUESTED) -> None:
    for notice in Outbox(webhooks, clock).about(an_approval(reason="rude <!channel>"), event):
        await store.approvals.put_notice(notice)


@contextlib.asynccontextmanager
async def sending(store: SqlStore, clock: Clock, *webhooks: WebhookSettings, **more: Any) -> AsyncIterator[None]:
    sender = NoticeSender(
        store=store.approvals,
        webhooks=webhooks,
        public_url="https://croupier.example",
        clock=clock,
        look_every=0.01,
        **more,
    )
    task = asyncio.ensure_future(sender.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settled(store: SqlStore, state: NoticeState, attempts: int = 1, webhook: str = "ops") -> Notice:
    async with asyncio.timeout(DEADLINE):
        while True:
            for notice in await store.approvals.notices("a1"):
                if (notice.webhook, notice.state) == (webhook, state) and notice.attempts >= attempts:
                    return notice
            await asyncio.sleep(0.01)


async def one(store: SqlStore, chat: Chat, **fields: Any) -> tuple[str, dict[str, str], Any]:
    """Address, headers and document of one notice in a format."""
    clock, hook = Clock(), webhook(chat, **fields)
    await told(store, clock, hook)
    async with sending(store, clock, hook):
        await settled(store, NoticeState.SENT)
    ((address, headers, body),) = chat.got
    return address, headers, orjson.loads(body)


# ------------------------------------------------------------------------------------------------ formats


async def test_a_generic_notice_is_signed_and_links_to_the_page(store: SqlStore, chat: Chat) -> None:
    _, headers, document = await one(store, chat)
    assert document["event"] == "approval.requested"
    assert document["url"] == "https://croupier.example/approvals/a1"
    body = chat.got[0][2]
    signed = f"{headers['X-Croupier-Timestamp']}.".encode() + body
    assert headers["X-Croupier-Signature"] == "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Croupier-Timestamp"] == str(NOW // 1000)


async def test_slack_gets_text_that_calls_nobody(store: SqlStore, chat: Chat) -> None:
    _, _, document = await one(store, chat, format="slack")
    assert set(document) == {"text"}
    assert "ann asks to run player.ban in demo|dev" in document["text"]
    assert "&lt;!channel&gt;" in document["text"]
    assert "https://croupier.example/approvals/a1" in document["text"]


async def test_wecom_gets_its_text(store: SqlStore, chat: Chat) -> None:
    _, _, document = await one(store, chat, format="wecom")
    assert document["msgtype"] == "text"
    assert "ann asks" in document["text"]["content"]


async def test_dingtalk_is_signed_in_the_query(store: SqlStore, chat: Chat) -> None:
    address, _, document = await one(store, chat, format="dingtalk")
    query = parse_qs(urlsplit(address).query)
    assert document["msgtype"] == "text"
    (timestamp,), (sign,) = query["timestamp"], query["sign"]
    expected = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert (query["key"], timestamp, base64.b64decode(sign)) == (["k"], str(NOW), expected)


async def test_feishu_is_signed_in_the_body(store: SqlStore, chat: Chat) -> None:
    _, _, document = await one(store, chat, format="feishu")
    expected = hmac.new(f"{document['timestamp']}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert (document["msg_type"], base64.b64decode(document["sign"])) == ("text", expected)
    assert "ann asks" in document["content"]["text"]


# ------------------------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, b"oops"), "HTTP 500"),
        ((404, b""), "HTTP 404"),
        ((302, b""), "HTTP 302"),
        ((200, b'{"errcode": 310000, "errmsg": "sign not match"}'), "errcode 310000"),
        ((200, b'{"code": 19021}'), "code 19021"),
    ],
)
async def test_what_was_not_taken_is_sent_again_later(
    store: SqlStore, chat: Chat, answer: tuple[int, bytes], why: str
) -> None:
    clock, hook = Clock(), webhook(chat)
    chat.answers = [answer]
    await told(store, clock, hook)
    async with sending(store, clock, hook):
        notice = await settled(store, NoticeState.WAITING)
        assert why in notice.error
        assert notice.next_ms == NOW + 5_000
        assert len(chat.got) == 1
        clock.now = notice.next_ms
        await settled(store, NoticeState.SENT, 2)
    assert [headers["X-Croupier-Notice"] for _, headers, _ in chat.got] == [notice.id] * 2


async def test_it_is_given_up_after_a_number_of_tries(store: SqlStore, chat: Chat) -> None:
    clock, hook = Clock(), webhook(chat)
    chat.answers = [(500, b"")] * 100
    await told(store, clock, hook)
    async with sending(store, clock, hook):
        for attempt in range(1, TRIES):
            clock.now = max(clock.now, (await settled(store, NoticeState.WAITING, attempt)).next_ms)
        await settled(store, NoticeState.FAILED, TRIES)
    assert len(chat.got) == TRIES


async def test_one_that_hangs_keeps_no_other_waiting(store: SqlStore, chat: Chat) -> None:
    clock = Clock()
    slow, gone = webhook(chat), webhook(chat, name="gone", url="http://127.0.0.1:1/x")
    chat.hangs = True
    await told(store, clock, slow, gone)
    async with sending(store, clock, slow, gone, seconds=0.5):
        assert "cannot be reached" in (await settled(store, NoticeState.WAITING, webhook="gone")).error
        assert "did not answer within" in (await settled(store, NoticeState.WAITING)).error


async def test_addresses_of_this_machine_are_not_called_unless_the_settings_say_so(store: SqlStore, chat: Chat) -> None:
    clock, hook = Clock(), webhook(chat, allow_loopback=False)
    await told(store, clock, hook)
    async with sending(store, clock, hook):
        assert "address of this machine" in (await settled(store, NoticeState.WAITING)).error
    assert not chat.got


async def test_a_webhook_that_is_no_longer_configured_is_given_up(store: SqlStore, chat: Chat) -> None:
    clock = Clock()
    await told(store, clock, webhook(chat))
    async with sending(store, clock, webhook(chat, name="another")):
        assert "not configured" in (await settled(store, NoticeState.FAILED)).error
    assert not chat.got


async def test_neither_address_nor_secret_is_kept_or_logged(
    store: SqlStore, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    clock, hook = Clock(), webhook(chat)
    chat.answers = [(500, b"")]
    await told(store, clock, hook)
    async with sending(store, clock, hook):
        notice = await settled(store, NoticeState.WAITING)
    for text in (repr(notice), repr(hook), caplog.text):
        assert SECRET not in text
        assert "key=k" not in text


# ------------------------------------------------------------------------------------------------ secrets that the server keeps


async def kept_secrets(store: SqlStore) -> Secrets:
    audit = Audit(store.audit, Masker(bytes(32)))
    secrets = Secrets(
        guard=Guard("the-token"),
        audit=audit,
        store=store.secrets,
        envelope=Envelope(b"k" * 32),
        redactor=Redactor(),
        clock=lambda: NOW,
    )
    await secrets.begin()
    return secrets


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    signed = f"{headers['X-Croupier-Timestamp']}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


async def test_a_notice_is_signed_with_the_newest_version_of_a_secret_that_is_kept(store: SqlStore, chat: Chat) -> None:
    secrets, clock = await kept_secrets(store), Clock()
    place, hook = SecretPlace(name="webhook.key"), webhook(chat, secret=None, secret_name="webhook.key")
    async with sending(store, clock, hook, secrets=secrets):
        for attempt, value in enumerate(("the-first-secret", "the-second-secret"), 1):
            await secrets.set(ROOT, place, value.encode() + b"\n")
            await told(store, clock, hook)
            async with asyncio.timeout(DEADLINE):
                while len(chat.got) < attempt:  # noqa: ASYNC110 — a chat tells nobody what it got
                    await asyncio.sleep(0.01)
            _, headers, body = chat.got[-1]
            assert headers["X-Croupier-Signature"] == signature(value, headers, body)

    used = (await store.audit.search(AuditFilter(action="secrets.use"), 10)).rows
    assert [orjson.loads(orjson.loads(each.row)["details"])["purpose"] for each in used] == [
        "sign a notice to the webhook ops"
    ] * 2


async def test_a_notice_waits_for_the_secret_that_it_is_signed_with(store: SqlStore, chat: Chat) -> None:
    secrets, clock = await kept_secrets(store), Clock()
    hook = webhook(chat, secret=None, secret_name="webhook.key")
    await told(store, clock, hook)
    async with sending(store, clock, hook, secrets=secrets):
        waiting = await settled(store, NoticeState.WAITING)
        assert "webhook.key" in waiting.error
        assert chat.got == []
        await secrets.set(ROOT, SecretPlace(name="webhook.key"), b"the-first-secret")
        clock.now += 3_600_000
        await settled(store, NoticeState.SENT)
    assert len(chat.got) == 1


def test_a_webhook_has_its_secret_from_one_place() -> None:
    with pytest.raises(ValueError, match="keep one"):
        WebhookSettings.model_validate(
            {"name": "ops", "url": "https://chat.example/", "secret": SECRET, "secret_name": "webhook.key"}
        )
