r"""One notice as each chat wants it, signed as each of them checks it.

| format   | body                                   | signature                                                              |
|----------|----------------------------------------|------------------------------------------------------------------------|
| generic  | our document                           | header X-Croupier-Signature: v1=HMAC-SHA256(secret, "timestamp.body")  |
| slack    | {"text"}                               | as generic; Slack itself knows a sender by the address                 |
| wecom    | {"msgtype": "text", "text"}            | as slack                                                               |
| dingtalk | {"msgtype": "text", "text"}            | query: timestamp (ms), sign = base64 HMAC-SHA256(secret, "timestamp\nsecret") |
| feishu   | {"msg_type": "text", "content"}        | body: timestamp (s), sign = base64 HMAC-SHA256("timestamp\nsecret", "") |
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import orjson

from croupier.domain.notice import Notice
from croupier.settings import WebhookFormat, WebhookSettings


class Letter(NamedTuple):
    """What is posted. It holds the webhook's address and signatures, so it is never logged."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def letter(notice: Notice, webhook: WebhookSettings, secret: str, link: str, now_ms: int) -> Letter:
    """`secret` is what it is signed with; empty: with nothing."""
    url = webhook.url.get_secret_value()
    words = f"{notice.text}\n{link}" if link else notice.text
    document: dict[str, Any]
    match webhook.format:
        case WebhookFormat.SLACK:
            document = {"text": _for_slack(words)}
        case WebhookFormat.WECOM:
            document = {"msgtype": "text", "text": {"content": words}}
        case WebhookFormat.DINGTALK:
            document = {"msgtype": "text", "text": {"content": words}}
            url += _dingtalk_query(url, secret, now_ms)
        case WebhookFormat.FEISHU:
            document = {"msg_type": "text", "content": {"text": words}, **_feishu_fields(secret, now_ms)}
        case _:
            document = _document(notice, link)
    body = orjson.dumps(document)
    return Letter(url, _headers(notice, body, secret, now_ms), body)


def refused(body: bytes) -> str:
    """Why a chat that answers 200 did not take it; nothing where it did. DingTalk and WeCom say `errcode`, Feishu `code`."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(answer, dict):
        return ""
    for name in ("errcode", "code", "StatusCode"):
        if isinstance(code := answer.get(name), int) and code != 0:
            return f"it answered {name} {code}"
    return ""


def _document(notice: Notice, link: str) -> dict[str, Any]:
    return {
        "notice_id": notice.id,
        "event": f"approval.{notice.event.value}",
        "approval_id": notice.approval_id,
        "text": notice.text,
        "url": link,
        "time_ms": notice.created_ms,
    }


def _headers(notice: Notice, body: bytes, secret: str, now_ms: int) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Croupier-Notice": notice.id}
    if secret:
        timestamp = str(now_ms // 1000)
        signature = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers |= {"X-Croupier-Timestamp": timestamp, "X-Croupier-Signature": f"v1={signature}"}
    return headers


def _dingtalk_query(url: str, secret: str, now_ms: int) -> str:
    if not secret:
        return ""
    signature = hmac.new(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256).digest()
    sign = quote_plus(base64.b64encode(signature))
    return f"{'&' if '?' in url else '?'}timestamp={now_ms}&sign={sign}"


def _feishu_fields(secret: str, now_ms: int) -> dict[str, str]:
    if not secret:
        return {}
    timestamp = str(now_ms // 1000)
    signature = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(signature).decode()}


def _for_slack(words: str) -> str:
    """Slack reads <…> as links and mentions: what people wrote must not call a whole channel."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
