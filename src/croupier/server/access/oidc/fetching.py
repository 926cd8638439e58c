"""Asking the provider: short, small, without following it elsewhere."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
import orjson

from croupier.errors import Unavailable

ANSWER_BYTES = 262_144
SECONDS = 10.0
"""For one request, from its beginning to the last byte of its answer."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class ProviderFailed(Unavailable):
    """The identity provider did not answer, or not as it must; nobody was let in."""


class Fetcher:
    """Raises ProviderFailed, which names the host that was asked and never what was sent or came back."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._limits = aiohttp.ClientTimeout(total=seconds)
        self._session: aiohttp.ClientSession | None = None

    async def get_json(self, url: str) -> dict[str, Any]:
        async with self._answer("GET", url) as response:
            if response.status != 200:
                raise ProviderFailed(f"{_host(url)} answered with status {response.status}: look at the provider's log")
            return await _document(url, response)

    async def post_form(
        self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The status, 200 or 4xx, and the document; `basic` are a client's id and secret (RFC 6749, section 2.3.1)."""
        headers = {}
        if basic is not None:
            headers["Authorization"] = aiohttp.encode_basic_auth(quote_plus(basic[0]), quote_plus(basic[1]))
        async with self._answer("POST", url, data=dict(form), headers=headers) as response:
            if response.status != 200 and not 400 <= response.status < 500:
                raise ProviderFailed(f"{_host(url)} answered with status {response.status}: look at the provider's log")
            return response.status, await _document(url, response)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @contextlib.asynccontextmanager
    async def _answer(self, method: str, url: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            # Compressed answers are not asked for and not unpacked: what is counted is what came.
            self._session = aiohttp.ClientSession(
                headers=_HEADERS,
                timeout=self._limits,
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            async with self._session.request(method, url, allow_redirects=False, **options) as response:
                yield response
        except TimeoutError as error:
            raise ProviderFailed(f"{_host(url)} did not answer in time: try again, or look whether it is up") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderFailed(
                f"{_host(url)} cannot be asked ({type(error).__name__}): look whether it is up"
            ) from error


async def _document(url: str, response: aiohttp.ClientResponse) -> dict[str, Any]:
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > ANSWER_BYTES:
            raise ProviderFailed(f"{_host(url)} answered with more than {ANSWER_BYTES} bytes: is it the right address?")
    try:
        found = orjson.loads(bytes(content))
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ProviderFailed(f"{_host(url)} answered with something else than a JSON object: is it the right address?")
    return found


def check_endpoint(url: object, issuer: str, what: str) -> str:
    """`url` if what is sent there stays unread on the way: https, or this machine where the issuer is on it too.

    Raises ProviderFailed.
    """
    parts = _parts(url)
    if parts is not None:
        scheme, host = parts
        here = scheme == "http" and host in _LOOPBACK and urlsplit(issuer).scheme == "http"
        if (scheme == "https" or here) and isinstance(url, str):
            return url
    raise ProviderFailed(f"the identity provider's {what} is no https address: look at its configuration")


_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _parts(url: object) -> tuple[str, str] | None:
    if not isinstance(url, str) or len(url) > 2000 or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return None if not host or "@" in parts.netloc or parts.fragment else (parts.scheme, host)


def _host(url: str) -> str:
    return f"the identity provider at {urlsplit(url).netloc[:200]}"
