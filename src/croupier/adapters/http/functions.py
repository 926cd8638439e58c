"""A generic HTTP call as a function."""

from json import dumps as to_json
from typing import Annotated, Any, Literal

from croupier.adapters.http.headers import checked
from croupier.adapters.http.target import Request, Target
from croupier.adapters.upstream import HALF_A_CHARACTER
from croupier_sdk import BadArgument, Field, Provider

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Text = Annotated[str, Field(max_length=8_192)]


def add_http(provider: Provider, target: Target) -> None:
    @provider.function(
        "http.request",
        category="http",
        risk="medium",
        timeout=target.seconds,
        display_name={"en": "HTTP request", "zh": "HTTP 请求"},
        summary={"en": "Call a host that the adapter may call.", "zh": "调用适配器允许访问的主机。"},
        tags=["http"],
    )
    async def request(
        url: Annotated[
            str, Field(label={"en": "URL", "zh": "地址"}, placeholder="https://", min_length=1, max_length=8_192)
        ],
        method: Annotated[Method, Field(label={"en": "Method", "zh": "方法"})] = "GET",
        query: Annotated[dict[str, Text], Field(label={"en": "Query", "zh": "查询参数"}, max_length=200)] = {},  # noqa: B006 — the SDK reads the default and keeps it in no dict
        headers: Annotated[dict[str, Text], Field(label={"en": "Headers", "zh": "请求头"}, max_length=64)] = {},  # noqa: B006 — as above
        json: Annotated[Any, Field(label={"en": "JSON body", "zh": "JSON 请求体"})] = None,
        body: Annotated[str, Field(label={"en": "Body", "zh": "请求体"}, widget="textarea", max_length=4_000_000)] = "",
        follow_redirects: Annotated[bool, Field(label={"en": "Follow redirects", "zh": "跟随重定向"})] = False,
    ) -> bytes:
        """Call a host that the adapter may call. Any HTTP status is an answer.

        Args:
            url: An absolute http or https address of a host that the adapter may call.
            method: The HTTP method.
            query: Parameters that are added to those of the address.
            headers: Headers to send; none of the connection's and no credentials.
            json: A value that is sent as JSON.
            body: A text that is sent as it is, instead of `json`.
            follow_redirects: Whether redirects to hosts that the adapter may call are followed; else they are the answer.

        """
        if method not in target.methods:
            raise BadArgument(f"this adapter may use {', '.join(target.methods)} only", "permission_denied")
        try:
            sent = checked(headers)
            content = _body(json, body, sent)
            "".join([url, *query, *query.values()]).encode()  # a URL would be made without what cannot be sent
            where = target.allowed.check(url).update_query(query)
        except UnicodeEncodeError:
            raise BadArgument(HALF_A_CHARACTER) from None
        asked = Request(method=method, url=where, headers=sent, body=content)
        return await target.call(asked, follow=follow_redirects)


def _body(json: Any, text: str, headers: dict[str, str]) -> bytes | None:
    """The bytes to send; `headers` get their type where the caller names none."""
    if json is not None and text:
        raise BadArgument("arguments 'json' and 'body' are both given: keep one")
    if json is None and not text:
        return None
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json" if json is not None else "text/plain; charset=utf-8"
    return text.encode() if json is None else to_json(json, ensure_ascii=False, separators=(",", ":")).encode()
