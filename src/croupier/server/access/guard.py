"""The one door: who is asking, from where, and may they.

    Authorization: Bearer …  ──► the token of the settings · an API token · a session's text
    Cookie                   ──► a session, and for what changes something its CSRF token
    both                     ──► the header counts: no other site's page can set it

A request whose Host is neither a loopback name nor one of the settings' is refused before that (`addresses.Hosts`).
"""

import hashlib
import hmac
from collections.abc import Mapping

from croupier.descriptors import FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Unauthenticated
from croupier.server.access.addresses import Hosts
from croupier.server.access.browser import check_own_page, session_cookie
from croupier.server.access.credentials import Credentials

_HOW = "send `Authorization: Bearer TOKEN` with an API token, or sign in"


class Guard:
    def __init__(
        self,
        token: str | None,
        *,
        name: str = "developer",
        credentials: Credentials | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        """`token` is that of the settings, whose bearer may do everything; `name` is what the record of a call says of them.
        Without `credentials` there is no other way in.
        """
        if token == "":
            raise ValueError("an empty token would let everyone in: give the server a token")
        self._digest = _digest(token.encode()) if token is not None else b""
        self._usual = b"Bearer " + token.encode() if token is not None else b""
        self._principal = Principal(name=name, root=True)
        self._credentials = credentials
        self._hosts = Hosts() if hosts is None else hosts

    def authenticate(self, headers: Mapping[bytes, bytes], method: str = "GET") -> Principal:
        """Who sends this request, by its headers (names in lower case).

        Raises Unauthenticated, saying what to send; PermissionDenied where a page of another site may have sent it.
        """
        value = headers.get(b"authorization")
        if value is None:
            return self._by_cookie(headers, method)
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
        found = self._credentials.principal(token) if self._credentials is not None else None
        if found is not None:
            return found
        if not hmac.compare_digest(_digest(token), self._digest):
            raise Unauthenticated(f"nobody issued this token, or it was revoked or has expired: {_HOW}")
        return self._principal

    def session(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """Whose session the cookies of a request show, if they show one in force."""
        if self._credentials is None:
            return None
        text = session_cookie(headers)
        return self._credentials.session(text) if text is not None else None

    def _by_cookie(self, headers: Mapping[bytes, bytes], method: str) -> Principal:
        text = session_cookie(headers) if self._credentials is not None else None
        if text is None or self._credentials is None:
            raise Unauthenticated(f"no token: {_HOW}")
        found = self._credentials.session(text)
        if found is None:
            raise Unauthenticated(f"your session has ended: {_HOW} again")
        check_own_page(headers, method, text)
        return found

    def admit_host(self, host: bytes | None) -> None:
        """Raises PermissionDenied unless `host`, a Host header, is a name under which this server answers."""
        self._hosts.admit(host or b"")

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
