"""What people and their programs show to be known: sessions and API tokens.

    crs_<id>_<secret>    a session: in a cookie, or as bearer token of the command line
    crp_<id>_<secret>    an API token

The id is no secret; of the secret only a digest is kept. It is 32 random bytes, so a plain SHA-256 is enough: nobody guesses
what it was made of.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

SESSION_PREFIX = "crs"
TOKEN_PREFIX = "crp"  # noqa: S105 — it is on every token, and no secret
INVITE_PREFIX = "cri"

TEXT_BYTES = 256
"""No credential is longer."""

_FORM = re.compile(rb"(crs|crp|cri)_([0-9a-z]{1,64})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody signed in, in one browser or at one command line."""

    id: str
    user_id: str
    secret_sha256: bytes = field(repr=False)
    created_ms: int
    until_ms: int
    """It ends then at the latest."""
    seen_ms: int
    """When it was last used, to some minutes."""
    proved_ms: int = 0
    """When a second factor was last proved in it; 0 is never."""
    address: str = ""
    agent: str = ""
    """What its browser called itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiToken:
    """Lets a program do what its owner may, or part of it."""

    id: str
    user_id: str
    name: str
    secret_sha256: bytes = field(repr=False)
    permissions: frozenset[str] | None = None
    """No more than these; None sets no limit."""
    scopes: frozenset[str] | None = None
    """`game|env`, with `*` for any; None sets no limit."""
    created_by: str = ""
    created_ms: int
    until_ms: int
    seen_ms: int = 0
    """When it was last used, to some minutes; 0 is never."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A credential as text, taken apart."""

    prefix: str
    id: str
    secret: bytes = field(repr=False)

    def is_of(self, digest: bytes) -> bool:
        return hmac.compare_digest(hashlib.sha256(self.secret).digest(), digest)


def read_credential(text: bytes) -> Shown | None:
    """None for anything that was never made by `make_credential`."""
    found = _FORM.fullmatch(text) if len(text) <= TEXT_BYTES else None
    return Shown(found[1].decode(), found[2].decode(), found[3]) if found else None


def make_credential(prefix: str, credential_id: str) -> tuple[str, bytes]:
    """The text, which is shown once, and the digest to keep."""
    secret = secrets.token_urlsafe(32)
    return f"{prefix}_{credential_id}_{secret}", hashlib.sha256(secret.encode()).digest()


def csrf_token(text: bytes) -> str:
    """What a page must send along with the session cookie `text` to change anything: another page cannot know it."""
    digest = hashlib.sha256(b"croupier csrf " + text).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
