"""The provider: what it says of itself and its keys, remembered for a while, and a code exchanged for its word."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import KeySet
from pydantic import SecretStr

from croupier.errors import FailedPrecondition, NotFound, RateLimited, Unauthenticated
from croupier.server.access.oidc.attempt import Attempt, authorization_url
from croupier.server.access.oidc.fetching import Fetcher, ProviderFailed
from croupier.server.access.oidc.id_token import UnknownKey, read_id_token, read_keys
from croupier.server.access.oidc.metadata import ProviderMetadata, metadata_url, read_metadata
from croupier.server.access.secrets import OwnSecrets

log = logging.getLogger(__name__)

METADATA_MS = 3_600_000
FAILURE_MS = 1_000
"""So long a provider that failed is not asked again for what it says of itself."""
AT_ONCE = 64
"""Codes that are exchanged at the same time; whoever comes then is to come again."""
KEYS_MS = 600_000
"""A key that the provider took back is believed no longer than this."""

Clock = Callable[[], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """What we are at the provider."""

    issuer: str
    client_id: str
    secret: SecretStr | None
    scopes: tuple[str, ...]
    secret_name: str | None = None
    """Which secret the server keeps, where it is that one."""


class Provider:
    """Every method raises ProviderFailed where the provider cannot be used."""

    def __init__(self, client: Client, *, fetcher: Fetcher, clock: Clock, secrets: OwnSecrets | None = None) -> None:
        self._client = client
        self._secrets = secrets
        self._fetcher = fetcher
        self._clock = clock
        self._metadata: tuple[ProviderMetadata, int] | None = None
        self._keys: tuple[KeySet, int] | None = None
        self._failure: tuple[ProviderFailed, int] | None = None
        self._asking = asyncio.Lock()
        self._exchanging = 0

    async def authorization_url(self, attempt: Attempt) -> str:
        """Where the browser is sent."""
        found = await self.metadata()
        return authorization_url(found.authorization_endpoint, self._client.client_id, self._client.scopes, attempt)

    async def redeem(self, code: str, attempt: Attempt) -> dict[str, Any]:
        """The claims of whom the provider let in.

        Raises Unauthenticated where it takes the code back or its word is no good, RateLimited where too many sign in at once.
        """
        if self._exchanging >= AT_ONCE:
            raise RateLimited("too many people sign in at once: try again in a moment")
        self._exchanging += 1
        try:
            return await self._redeem(code, attempt)
        finally:
            self._exchanging -= 1

    async def _redeem(self, code: str, attempt: Attempt) -> dict[str, Any]:
        found = await self.metadata()
        token = await self._exchange(found, code, attempt)
        try:
            return self._read(token, await self._known_keys(found), found, attempt)
        except UnknownKey:
            # It may have changed its keys since we asked: once more, with what it shows now.
            return self._read(token, await self._known_keys(found, anew=True), found, attempt)

    async def metadata(self) -> ProviderMetadata:
        async with self._asking:
            if self._metadata is None or not _is_fresh(self._metadata[1], METADATA_MS, self._clock()):
                self._metadata = await self._asked_metadata(), self._clock()
            return self._metadata[0]

    async def _asked_metadata(self) -> ProviderMetadata:
        if self._failure is not None and _is_fresh(self._failure[1], FAILURE_MS, self._clock()):
            # Those who waited for the same answer do not wait for one more each.
            raise ProviderFailed(self._failure[0].message)
        try:
            document = await self._fetcher.get_json(metadata_url(self._client.issuer))
            return read_metadata(document, self._client.issuer)
        except ProviderFailed as failure:
            self._failure = failure, self._clock()
            raise

    async def _known_keys(self, metadata: ProviderMetadata, *, anew: bool = False) -> KeySet:
        async with self._asking:
            if anew or self._keys is None or not _is_fresh(self._keys[1], KEYS_MS, self._clock()):
                self._keys = read_keys(await self._fetcher.get_json(metadata.jwks_uri)), self._clock()
            return self._keys[0]

    def _read(self, token: str, keys: KeySet, metadata: ProviderMetadata, attempt: Attempt) -> dict[str, Any]:
        return read_id_token(
            token,
            keys,
            algorithms=metadata.algorithms,
            issuer=metadata.issuer,
            client_id=self._client.client_id,
            nonce=attempt.nonce,
            began_ms=attempt.began_ms,
            now_ms=self._clock(),
        )

    async def _exchange(self, metadata: ProviderMetadata, code: str, attempt: Attempt) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        secret = await self._secret()
        basic = None
        if secret and not metadata.posts_secret:
            basic = (self._client.client_id, secret)
        else:
            form["client_id"] = self._client.client_id
            if secret:
                form["client_secret"] = secret
        status, answer = await self._fetcher.post_form(metadata.token_endpoint, form, basic=basic)
        return _id_token(status, answer)

    async def _secret(self) -> str:
        client = self._client
        if client.secret_name is None or self._secrets is None:
            return client.secret.get_secret_value() if client.secret else ""
        try:
            return await self._secrets.own(client.secret_name, purpose=f"exchange a code at {client.issuer}")
        except (NotFound, FailedPrecondition) as error:
            log.warning("nobody can log in by %s: %s", client.issuer, error.message)
            raise ProviderFailed("this server does not have what it needs to ask the identity provider") from error


def _id_token(status: int, answer: dict[str, Any]) -> str:
    if status != 200:
        why = str(answer.get("error", status))[:100]
        if why == "invalid_grant":
            raise Unauthenticated("the identity provider took this login back: begin again at /api/login/oidc")
        raise ProviderFailed(f"the identity provider refused the exchange ({why!a}): look at client_id and its secret")
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise ProviderFailed("the identity provider gave no ID token: is `openid` among the scopes?")
    return token


def _is_fresh(since_ms: int, lifetime_ms: int, now_ms: int) -> bool:
    return 0 <= now_ms - since_ms < lifetime_ms
