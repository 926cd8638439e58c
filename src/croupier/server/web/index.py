"""`index.html`: what it says of its build, and a nonce of its own in every answer."""

import hashlib
import secrets
from dataclasses import dataclass, field

NONCE_PLACE = b"__CSP_NONCE__"
"""What the build leaves wherever the browser wants to see the nonce."""

_NONCE_BYTES = 18


@dataclass(frozen=True, slots=True)
class Index:
    build: str
    """The same for the same page: the names of its files are those of their contents."""
    parts: tuple[bytes, ...] = field(repr=False)
    """What stands around the nonce."""

    def filled(self) -> tuple[str, bytes]:
        """A new nonce, and the document with it."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        return nonce, nonce.encode().join(self.parts)


def read_index(content: bytes) -> Index:
    build = hashlib.sha256(content).hexdigest()[:16]
    head = b'<meta name="build" content="%s">' % build.encode()
    if b'name="csp-nonce"' not in content:
        head += b'<meta name="csp-nonce" content="%s">' % NONCE_PLACE
    before, found, after = content.partition(b"<head>")
    whole = before + found + head + after if found else head + content
    return Index(build=build, parts=tuple(whole.split(NONCE_PLACE)))
