"""Join tokens: `crj_<secret>.<SHA-256 of the authority's certificate>`.

The secret is shown once; only its hash is kept. The fingerprint tells a machine that has nothing yet whom to trust: it takes
no other authority, so nobody between it and the server can be that server.
"""

import hashlib
import re
import secrets
from typing import NamedTuple

from croupier.errors import InvalidArgument

PREFIX = "crj_"
_TOKEN = re.compile(r"crj_([A-Za-z0-9_-]{43})\.([0-9a-f]{64})")


class Bearer(NamedTuple):
    """What a machine is given, taken apart."""

    secret: str
    fingerprint: str

    def __repr__(self) -> str:
        return f"Bearer(fingerprint={self.fingerprint!r})"


def make_token(fingerprint: str) -> tuple[str, str]:
    """A new token, and the digest by which it is known."""
    secret = secrets.token_urlsafe(32)
    return f"{PREFIX}{secret}.{fingerprint}", digest_of(secret)


def digest_of(secret: str) -> str:
    """A hash without salt: the secret has 256 random bits, which nobody guesses."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_token(text: str) -> Bearer:
    """Raises InvalidArgument, which never quotes it."""
    match = _TOKEN.fullmatch(text.strip())
    if match is None:
        raise InvalidArgument(
            "that is no join token: it reads crj_….…, as `croupier machine join-token create` prints it"
        )
    return Bearer(match[1], match[2])
