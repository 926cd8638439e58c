"""One POST to an address of the settings, and nowhere else."""

import asyncio
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from croupier.outbound import AddressPolicy, AddressRefused
from croupier.server.approvals.notices.formats import Letter, refused
from croupier.settings import WebhookSettings

SECONDS = 10.0
ANSWER_BYTES = 65_536
AT_ONCE = 4


class Webhook:
    """Enter it before use. No redirects, no cookies, no proxies; the address is checked where the socket is made."""

    def __init__(self, settings: WebhookSettings, *, seconds: float = SECONDS) -> None:
        self.settings = settings
        self._policy = AddressPolicy(private=settings.allow_private, loopback=settings.allow_loopback)
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=AT_ONCE, use_dns_cache=False, force_close=True, socket_factory=self._policy.make_socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            headers={"User-Agent": "croupier"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, letter: Letter) -> str:
        """Why it was not taken, without the address, which is a secret; nothing where it was."""
        if self._session is None:
            raise RuntimeError("enter the webhook first")
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._session.post(
                    URL(letter.url, encoded=True), data=letter.body, headers=letter.headers, allow_redirects=False
                ) as answer,
            ):
                if not 200 <= answer.status < 300:
                    return f"it answered HTTP {answer.status}"
                return refused(await answer.content.read(ANSWER_BYTES))
        except TimeoutError:
            return f"it did not answer within {self._seconds:g} s"
        except aiohttp.ClientConnectorError as error:
            return str(error.os_error) if isinstance(error.os_error, AddressRefused) else "it cannot be reached"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return f"the connection broke ({type(error).__name__})"
