"""The one door: who is asking, from where, and may they.

Until people and roles exist there is one token, and whoever has it may do everything. Two things hold it in: the server
listens on loopback only, and a request whose Host is not a loopback name is refused, because a web page that resolved its
own name to 127.0.0.1 (DNS rebinding) would otherwise reach the server from the browser of someone who may.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from croupier.descriptors import FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import PermissionDenied, Unauthenticated

_HOW = "send `Authorization: Bearer TOKEN` with the token that the server printed when it started"


class Guard:
    def __init__(self, token: str, *, name: str = "developer") -> None:
        """`token` is the only one there is; `name` is what the record of a call says of its bearer."""
        if not token:
            raise ValueError("an empty token would let everyone in: give the server a token")
        self._digest = _digest(token.encode())
        self._usual = b"Bearer " + token.encode()
        self._principal = Principal(name=name, root=True)

    def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal:
        """Who sends this request, by its headers (names in lower case).

        Raises Unauthenticated, saying what to send.
        """
        value = headers.get(b"authorization")
        if value is None:
            raise Unauthenticated(f"no token: {_HOW}")
        if hmac.compare_digest(value, self._usual):
            return self._principal
        scheme, _, token = value.partition(b" ")
        if scheme.lower() != b"bearer":
            raise Unauthenticated(f"only bearer tokens are accepted: {_HOW}")
        return self.verify(token.strip())

    def verify(self, token: bytes) -> Principal:
        """Who bears this token; for entries that carry it elsewhere than in an HTTP header.

        Raises Unauthenticated.
        """
        if not hmac.compare_digest(_digest(token), self._digest):
            raise Unauthenticated(f"nobody issued this token: {_HOW}")
        return self._principal

    def admit_host(self, host: bytes | None) -> None:
        """Raises PermissionDenied unless `host`, a Host header, names this machine's loopback."""
        if not _is_loopback(host or b""):
            raise PermissionDenied(
                "this server answers only under a loopback name until it has access control: "
                "call it as localhost, 127.0.0.1 or [::1]"
            )

    async def require(self, caller: Principal, action: str, scope: Scope | None, subject: str = "") -> None:
        """Raises PermissionDenied unless `caller` may do `action` (`job.follow`, `registry.read` …) in `scope`, or, without
        one, on the platform as a whole. `subject` is what it would be done to, by its id.

        The bearer of the one token may do everything; the question is asked all the same at the head of every use case,
        so that roles need no change there.
        """

    async def require_call(self, caller: Principal, call: Call, descriptor: FunctionDescriptor | None) -> None:
        """Raises PermissionDenied unless `caller` may make this call of the function that is described so, or not at all."""


def _digest(token: bytes) -> bytes:
    # Digests of one length are compared, so the time says nothing about the token's length either.
    return hashlib.sha256(token).digest()


@lru_cache(maxsize=256)
def _is_loopback(host: bytes) -> bool:
    name = host.decode("latin-1").strip().lower()
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = name.partition(":")
    if port and not port.isdecimal():
        return False
    if name.rstrip(".") == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
