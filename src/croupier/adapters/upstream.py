"""One system behind an adapter: requests to its HTTP API, and what its answers and failures mean to a caller."""

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import orjson

from croupier.adapters.secret import Secret
from croupier.settings import UpstreamSettings
from croupier_sdk import BadArgument, OutcomeUnknown, Rejected, Unavailable, current_call

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ERROR_CHARACTERS = 500
ON_THE_LOOP = 65_536
"""Answers of more bytes are looked at in a thread."""

HALF_A_CHARACTER = "an argument holds half a character (a lone surrogate): send whole ones"

Intent = Literal["query", "command"]
"""A query that was lost may be repeated; whether a lost command took effect is not known."""


class TooLarge(Exception):
    """An answer has more bytes than are passed on. What was asked for may have been done."""


class Missing(Rejected):
    """The system has nothing at the path it was asked for."""


class Upstream:
    """The API of one system. Enter it before use. Answers are bounded, requests at once too; redirects are not followed."""

    def __init__(self, name: str, settings: UpstreamSettings, secret: Secret) -> None:
        self.name = name
        self.url = settings.url
        self.seconds = settings.timeout
        self._secret = secret
        self._most_bytes = settings.max_answer
        self._concurrency = settings.concurrency
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # More requests than connections wait in the connector, and their time counts.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self.seconds, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": "croupier-adapter", **self._secret.header},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def patience(self) -> float:
        """Seconds that the system has for the call this runs in."""
        left = current_call().remaining()
        return self.seconds if left is None else min(self.seconds, left)

    async def ask(
        self,
        path: str,
        *,
        query: Mapping[str, str] | list[tuple[str, str]] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        """The JSON text that a question is answered with; with `form` it is asked by POST.

        Raises BadArgument for what the system calls a wrong question, Missing for what is not there, Unavailable where it does not
        answer.
        """
        return await self.send("GET" if form is None else "POST", path, "query", params=query, data=form)

    async def ask_list(self, path: str, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """The list of objects that a question is answered with. Raises as `ask`, and Unavailable for an answer of another shape."""
        found = await asyncio.to_thread(orjson.loads, await self.ask(path, query=query))
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise Unavailable(f"what answers at {self.url} is not {self.name}; check the adapter's url")
        return found

    async def send(self, method: str, path: str, intent: Intent, **request: Any) -> bytes:
        """The JSON text of the answer to one request; nothing where it has no body.

        Raises BadArgument, Missing, Rejected, Unavailable or OutcomeUnknown; see `_refusal`.
        """
        if self._session is None:
            raise RuntimeError("enter the upstream first")
        try:
            async with self._session.request(method, self.url + path, allow_redirects=False, **request) as answer:
                body = await read_bounded(answer, self._most_bytes, self.name)
                status = answer.status
        except UnicodeEncodeError:
            raise BadArgument(HALF_A_CHARACTER) from None
        except TooLarge as error:
            raise too_large(error, intent) from None
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(f"{self.name} at {self.url} cannot be reached: {reason_of(error)}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._lost(intent, error) from None
        if 200 <= status < 300:
            return await self._checked(body, intent)
        raise self._refusal(status, self._secret.mask(body[:ON_THE_LOOP]), intent)

    def _lost(self, intent: Intent, error: Exception) -> Exception:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return Unavailable(f"{self.name} at {self.url} cannot be reached: no connection in time")
        why = f"did not answer within {self.seconds:g} s" if isinstance(error, TimeoutError) else "broke the connection"
        if intent == "query":
            return Unavailable(f"{self.name} at {self.url} {why}")
        return OutcomeUnknown(f"{self.name} at {self.url} {why}; it may have acted: look there before you repeat it")

    async def _checked(self, body: bytes, intent: Intent) -> bytes:
        """The answer, masked, if it is JSON."""
        if not body and intent == "command":
            return body
        try:
            if len(body) <= ON_THE_LOOP:
                return _json_text(body, self._secret)
            return await asyncio.to_thread(_json_text, body, self._secret)
        except orjson.JSONDecodeError:
            text = f"what answers at {self.url} is not {self.name}: its answer is not JSON; check the adapter's url"
            raise Unavailable(text) if intent == "query" else OutcomeUnknown(text) from None

    def _refusal(self, status: int, body: bytes, intent: Intent) -> Exception:
        """What an answer other than success means; its words are the system's, cut."""
        says = f"{self.name}: {_words(body) or f'HTTP status {status}'}"
        if status in {400, 405, 413, 415, 422}:
            return BadArgument(says)
        if status in {401, 403}:
            return Unavailable(f"{self.name} refuses the adapter (HTTP status {status}): check the token it was given")
        if status == 404:
            return Missing(says)
        if 300 <= status < 400:
            kind = Unavailable if intent == "query" else Rejected
            return kind(f"{self.name} at {self.url} redirects: give the adapter the final url")
        if 400 <= status < 500 and status != 429:
            return Rejected(f"{says} (HTTP status {status})")
        if intent == "query" or status == 429:
            return Unavailable(f"{says} (HTTP status {status})")
        return OutcomeUnknown(f"{says} (HTTP status {status}); it may have acted: look there before you repeat it")


def too_large(error: TooLarge, intent: Intent) -> Exception:
    if intent == "query":
        return Rejected(f"{error}: ask for less")
    return OutcomeUnknown(f"{error}, which were not read; it may have acted: look there before you repeat it")


def reason_of(error: aiohttp.ClientConnectorError) -> str:
    return error.os_error.strerror or str(error.os_error) or type(error.os_error).__name__


async def read_bounded(answer: aiohttp.ClientResponse, most: int, who: str) -> bytes:
    """The whole body. Raises TooLarge for one of more than `most` bytes, without reading on."""
    body = bytearray()
    announced = 0 if answer.method == "HEAD" else answer.content_length or 0
    if announced <= most:
        async for chunk in answer.content.iter_chunked(ON_THE_LOOP):
            body += chunk
            if len(body) > most:
                break
        else:
            return bytes(body)
    answer.close()
    raise TooLarge(f"{who} answers with more than {most} bytes")


def _json_text(body: bytes, secret: Secret) -> bytes:
    orjson.loads(body)
    return secret.mask(body)


def _words(body: bytes) -> str:
    """The message of an error document: Prometheus calls it `error`, others `message`; some send a JSON string, some text."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = body.decode("utf-8", "replace")
    if isinstance(document, dict):
        document = document.get("error") or document.get("message") or ""
    return document.strip()[:ERROR_CHARACTERS] if isinstance(document, str) else ""
