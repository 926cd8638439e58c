"""One request to a host that is allowed, and its redirects if they are asked for."""

import asyncio
import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver
from yarl import URL

from croupier.adapters.http.allowed import Allowed, Rule, host_of
from croupier.adapters.http.headers import for_another_host, told
from croupier.adapters.secret import Secret
from croupier.adapters.upstream import CONNECT_SECONDS, TooLarge, read_bounded, reason_of, too_large
from croupier.outbound import AddressPolicy, AddressRefused
from croupier.settings import HttpAdapterSettings
from croupier_sdk import BadArgument, OutcomeUnknown, Rejected, Unavailable

REDIRECTS = 5
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


class Credentials:
    """Tokens by host: each is sent to its host and to no other."""

    def __init__(self, secrets: Mapping[str, Secret]) -> None:
        self._secrets = [(Rule.parse(host), secret) for host, secret in secrets.items()]

    def header(self, url: URL) -> Mapping[str, str]:
        """Raises BadArgument where the host's token would travel unencrypted."""
        host = host_of(url)
        for rule, secret in self._secrets:
            if rule.covers(host, url.port or 0, url.scheme):
                if url.scheme == "http" and host not in {"localhost", "127.0.0.1", "::1"}:
                    raise BadArgument(f"{host} is called with a token, so it must be called by https://")
                return secret.header
        return {}

    def mask(self, text: bytes) -> bytes:
        for _, secret in self._secrets:
            text = secret.mask(text)
        return text


class Target:
    """What may be called. Enter it before use. Answers are bounded, requests at once too; there are no cookies and no proxies."""

    def __init__(
        self, settings: HttpAdapterSettings, credentials: Credentials, *, resolver: AbstractResolver | None = None
    ) -> None:
        self.allowed = Allowed(settings.allow)
        self.methods = settings.methods
        self.seconds = settings.timeout
        self._credentials = credentials
        self._policy = AddressPolicy(private=settings.allow_private, loopback=settings.allow_loopback)
        self._resolver = resolver
        self._most_bytes = settings.max_answer
        self._concurrency = settings.concurrency
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._concurrency,
            resolver=self._resolver,
            use_dns_cache=False,
            force_close=True,  # a host may close a kept connection just when a command is sent, which nobody could repeat
            socket_factory=self._policy.make_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self.seconds, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": "croupier-adapter", "Accept-Encoding": "identity"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, request: Request, *, follow: bool) -> bytes:
        """The answer as a JSON document: {status, url, headers, bytes, milliseconds, json | text | base64}.

        Raises BadArgument where something of it is not allowed, Unavailable where it was not sent, OutcomeUnknown where it may have
        acted, Rejected for an answer that is too large or redirects on and on.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.seconds):
                answer, body = await self._send(request)
                if follow and _is_redirect(answer):
                    answer, body = await self._follow(request, answer)
                spent = round((time.monotonic() - began) * 1000)
                return await asyncio.to_thread(self._document, answer, body, spent)
        except TimeoutError:
            raise self._lost(request, f"did not answer within {self.seconds:g} s") from None

    async def _follow(self, first: Request, answer: aiohttp.ClientResponse) -> tuple[aiohttp.ClientResponse, bytes]:
        """The answer at the end of the redirects. Raises as `call`; after a command nothing is certain any more."""
        try:
            return await self._redirects(first, answer)
        except (BadArgument, Rejected, Unavailable) as error:
            if first.method in _SAFE:
                raise
            raise OutcomeUnknown(
                f"{host_of(first.url)} answered with a redirect, and may have acted: look there before you repeat it. "
                f"The redirect could not be followed: {error}"
            ) from None

    async def _redirects(
        self, request: Request, answer: aiohttp.ClientResponse
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        for _ in range(REDIRECTS):
            request = self._redirected(request, answer)
            answer, body = await self._send(request)
            if not _is_redirect(answer):
                return answer, body
        raise Rejected(f"more than {REDIRECTS} redirects, the last one from {host_of(request.url)}")

    async def _send(self, request: Request) -> tuple[aiohttp.ClientResponse, bytes]:
        if self._session is None:
            raise RuntimeError("enter the target first")
        headers = {**request.headers, **self._credentials.header(request.url)}
        host = host_of(request.url)
        try:
            async with self._session.request(
                request.method, request.url, headers=headers, data=request.body, allow_redirects=False
            ) as answer:
                return answer, await read_bounded(answer, self._most_bytes, host)
        except TooLarge as error:
            raise too_large(error, "query" if request.method in _SAFE else "command") from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise BadArgument(f"{host}: {error.os_error}", "permission_denied") from None
            raise Unavailable(f"{host} cannot be reached: {reason_of(error)}") from None
        except aiohttp.InvalidURL:
            raise BadArgument(f"{host} is no name or address of a host") from None
        except aiohttp.ConnectionTimeoutError:
            raise Unavailable(f"{host} cannot be reached: no connection in time") from None
        except aiohttp.ClientError as error:
            raise self._lost(request, f"broke the connection ({type(error).__name__})") from None

    def _lost(self, request: Request, why: str) -> Exception:
        text = f"{host_of(request.url)} {why}"
        if request.method in _SAFE:
            return Unavailable(text)
        return OutcomeUnknown(f"{text}; it may have acted: look there before you repeat it")

    def _redirected(self, request: Request, answer: aiohttp.ClientResponse) -> Request:
        """The request that a redirect asks for. Raises BadArgument where it leads to what is not allowed."""
        try:
            joined = str(request.url.join(URL(answer.headers["Location"])))
        except ValueError:
            raise Rejected(f"{host_of(request.url)} redirects to something that is no URL") from None
        url = self.allowed.check(joined)
        headers = request.headers if url.origin() == request.url.origin() else for_another_host(request.headers)
        if answer.status in {307, 308} or request.method in _SAFE:
            return replace(request, url=url, headers=headers)
        kept = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        return Request(method="GET", url=url, headers=kept, body=None)

    def _document(self, answer: aiohttp.ClientResponse, body: bytes, milliseconds: int) -> bytes:
        """In a thread."""
        document: dict[str, Any] = {
            "status": answer.status,
            "url": str(answer.url),
            "headers": told(answer.headers.items()),
            "bytes": len(body),
            "milliseconds": milliseconds,
            **_content(self._credentials.mask(body), answer.headers.get("Content-Type", "")),
        }
        return self._credentials.mask(orjson.dumps(document))


def _is_redirect(answer: aiohttp.ClientResponse) -> bool:
    return answer.status in _REDIRECTED and bool(answer.headers.get("Location"))


def _content(body: bytes, content_type: str) -> dict[str, Any]:
    """JSON as JSON, text as text, all else in base64."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return {"json": orjson.loads(body)}
        except orjson.JSONDecodeError:
            pass
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
    return {"base64": base64.b64encode(body).decode()} if _NOT_TEXT.search(text) else {"text": text}
