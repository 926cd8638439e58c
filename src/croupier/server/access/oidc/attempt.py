"""One attempt to log in: what must come back from the provider, kept by the browser where it cannot read or change it."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import msgspec

from croupier.errors import CroupierError, InvalidArgument, Unauthenticated
from croupier.server.access.keys import Seal

LIFETIME_MS = 600_000
CLOCK_MS = 60_000
"""So far the clock may have been set back meanwhile."""
COOKIE_BYTES = 4_000
PATH_CHARACTERS = 1_000
_ABOUT = "oidc attempt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """Of PKCE; only its digest is shown before the code is exchanged."""
    issuer: str
    redirect_uri: str
    return_to: str
    """Where the browser goes in the end: a path of ours."""
    began_ms: int

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def is_of(self, state: str) -> bool:
        return hmac.compare_digest(self.state.encode(), state.encode(errors="replace"))


def new_attempt(*, issuer: str, redirect_uri: str, return_to: str, now_ms: int) -> Attempt:
    """Raises InvalidArgument where `return_to` leads away from here."""
    return Attempt(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        issuer=issuer,
        redirect_uri=redirect_uri,
        return_to=checked_path(return_to),
        began_ms=now_ms,
    )


def checked_path(text: str) -> str:
    """`text` as an address of this server: `/…`, and nothing that any browser takes for another host."""
    safe = text.isascii() and text.isprintable() and not set(text) & set('\\ "<>^`{|}')
    if not safe or len(text) > PATH_CHARACTERS or not text.startswith("/") or text.startswith("//"):
        raise InvalidArgument(
            f"the address to return to must be a path of this server, such as /players, of {PATH_CHARACTERS} characters"
        )
    return text


def authorization_url(endpoint: str, client_id: str, scopes: tuple[str, ...], attempt: Attempt) -> str:
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": " ".join(scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"


def seal_attempt(seal: Seal, attempt: Attempt) -> str:
    """As the value of a cookie."""
    return base64.urlsafe_b64encode(seal.close(msgspec.json.encode(attempt), _ABOUT)).rstrip(b"=").decode()


def open_attempt(seal: Seal, cookie: str, now_ms: int) -> Attempt:
    """Raises Unauthenticated where it was not made here, or too long ago."""
    try:
        closed = base64.b64decode(cookie[:COOKIE_BYTES] + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
        attempt = msgspec.json.decode(seal.open(closed, _ABOUT), type=Attempt)
    except (ValueError, msgspec.DecodeError, CroupierError):
        raise begin_again("this browser has begun no login here") from None
    if not -CLOCK_MS <= now_ms - attempt.began_ms <= LIFETIME_MS:
        raise begin_again("this login was begun too long ago")
    return attempt


def begin_again(what: str) -> Unauthenticated:
    return Unauthenticated(f"{what}: begin again at /api/login/oidc")
