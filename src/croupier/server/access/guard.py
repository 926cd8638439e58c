"""The one door: who is asking, from where, and may they.

    Authorization: Bearer …  ──► the token of the settings · an API token · a session's text
    Cookie                   ──► a session, and for what changes something its CSRF token
    both                     ──► the header counts: no other site's page can set it

A request whose Host is neither a loopback name nor one of the settings' is refused before that (`addresses.Hosts`).
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from croupier.codes import Code
from croupier.descriptors import FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.policy import Within
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, NotFound, PermissionDenied, Unauthenticated
from croupier.server.access.addresses import Hosts
from croupier.server.access.audit import Audit
from croupier.server.access.browser import check_own_page, session_cookie
from croupier.server.access.credentials import Credentials
from croupier.server.access.policy.calling import require_call, require_condition
from croupier.server.access.policy.policy import Policy, refuse

_HOW = "send `Authorization: Bearer TOKEN` with an API token, or sign in"


class Guard:
    def __init__(
        self,
        token: str | None,
        *,
        name: str = "developer",
        credentials: Credentials | None = None,
        hosts: Hosts | None = None,
        policy: Policy | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        audit: Audit | None = None,
    ) -> None:
        """`token` is that of the settings, whose bearer may do everything; `name` is what the record of a call says of them.
        Without `credentials` there is no other way in. `policy` decides about everybody else: without one nobody may do
        anything. `clock` gives milliseconds since 1970. `audit` is told who was refused what.
        """
        if token == "":
            raise ValueError("an empty token would let everyone in: give the server a token")
        # Without a token one that nobody knows: whatever is empty or missing must never be equal to it.
        known = secrets.token_bytes(32).hex() if token is None else token
        self._digest = _digest(known.encode())
        self._usual = b"Bearer " + known.encode()
        self.policy = Policy() if policy is None else policy
        self._clock = clock
        self._audit = audit
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
        if self._usual and hmac.compare_digest(value, self._usual):
            return self._principal
        if value.startswith(b"Bearer "):
            return self.verify(value[7:].strip())
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
            raise Unauthenticated(f"no token: {_HOW}", code=Code.NOT_SIGNED_IN)
        found = self._credentials.session(text)
        if found is None:
            raise Unauthenticated(f"your session has ended: {_HOW} again", code=Code.SESSION_ENDED)
        check_own_page(headers, method, text)
        return found

    def admit_host(self, host: bytes | None) -> None:
        """Raises PermissionDenied unless `host`, a Host header, is a name under which this server answers."""
        self._hosts.admit(host or b"")

    def seen_as(self, caller: Principal, role: str, method: str) -> Principal:
        """`caller` for a request that looks at things as `role` does (header X-See-As).

        Raises PermissionDenied for who may not manage roles, and for a request that could change something.
        """
        if not caller.root and not (verdict := self.policy.decide(caller, "roles.manage", None)).allowed:
            raise refuse(verdict)
        if method not in {"GET", "HEAD"}:
            raise PermissionDenied(
                "who looks at things as a role changes nothing: leave X-See-As out",
                {"role": role[:64]},
                code=Code.SEES_AS_ROLE,
            )
        if role not in self.policy.snapshot.roles:
            raise NotFound(f"unknown role {role[:64]}: see /api/roles")
        return replace(caller, root=False, acting_as=role)

    async def require(self, caller: Principal, action: str, scope: Scope | None, subject: str = "") -> None:
        """Raises PermissionDenied unless `caller` may do `action` (`jobs.read`, `packs:change` …) in `scope`, or, without
        one, on the platform as a whole. `subject` is what it would be done to, by its id.
        """
        if not caller.root:
            verdict = self.policy.decide(caller, action, scope)
            if not verdict.allowed:
                raise await self.refused(caller, action, refuse(verdict), scope, subject)

    async def require_of(
        self,
        caller: Principal,
        action: str,
        scope: Scope,
        subject: str,
        *,
        unknown: str,
    ) -> None:
        """As `require`, for a thing that was looked up by its id: who has no business in its scope is told, in the words
        of `unknown`, that there is no such thing (NotFound), so that nobody learns what others have.
        """
        if not caller.root:
            verdict = self.policy.decide(caller, action, scope)
            if not verdict.allowed:
                belongs = self.policy.belongs(caller, scope)
                error = refuse(verdict) if belongs else NotFound(unknown)
                raise await self.refused(caller, action, error, scope, subject)

    async def where(self, caller: Principal, action: str, scope: Scope | None) -> Within | None:
        """Where `caller` may do `action`, for a list of what is in `scope` or, without one, anywhere: of the rest it shows
        nothing. None is everywhere, or in `scope`, and nothing is to be left out.

        Raises PermissionDenied where that is nowhere.
        """
        if caller.root:
            return None
        if scope is not None:
            await self.require(caller, action, scope)
            return None
        found = self.policy.visible(caller, action)
        if not found.places:
            raise await self.refused(caller, action, refuse(self.policy.decide(caller, action, None)))
        return None if found.everywhere else found

    async def refused(
        self, caller: Principal, action: str, error: CroupierError, scope: Scope | None = None, subject: str = ""
    ) -> CroupierError:
        """`error`, on record now unless it is already, and unless somebody looks at things as a role."""
        if self._audit is not None and not caller.acting_as:
            await self._audit.denied(caller, action, error, scope=scope, target=subject)
        return error

    async def require_call(
        self, caller: Principal, call: Call, descriptor: FunctionDescriptor | None, *, arguments: bool = True
    ) -> None:
        """Raises PermissionDenied unless `caller` may make this call of the function that is described so, or not at all.
        Without `arguments` its condition is left to `require_arguments`.
        """
        if not caller.root:
            require_call(self.policy, caller, call, descriptor)
            if arguments:
                await self.require_arguments(caller, call, descriptor)

    async def require_arguments(self, caller: Principal, call: Call, descriptor: FunctionDescriptor | None) -> None:
        """Raises PermissionDenied unless the condition of the function, where it has one, holds for these arguments."""
        if not caller.root and descriptor is not None and descriptor.auth.allow_if:
            require_condition(self.policy, caller, call, descriptor, self._clock())


def _digest(token: bytes) -> bytes:
    # Digests of one length are compared, so the time says nothing about the token's length either.
    return hashlib.sha256(token).digest()
