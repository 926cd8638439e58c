"""Machines and their certificates: joining, issuing, renewing, revoking. What is revoked counts no more at once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from croupier.codes import Code
from croupier.domain.identifiers import new_id
from croupier.domain.machine import (
    ANY,
    WIDE,
    Certificate,
    JoinToken,
    MachineIdentity,
    MachineRole,
    Peer,
    check_hosts,
    make_identity,
)
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, RateLimited
from croupier.pki.authority import LIFETIME, Authority
from croupier.pki.join import digest_of, make_token
from croupier.pki.names import hosts_in, identity_in, serial_of, to_ms
from croupier.pki.request import check_asks, read_request
from croupier.pki.revocations import Revocations
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.store.machines import MachineStore

log = logging.getLogger(__name__)

MOST_CERTIFICATES = 200_000
MOST_TOKENS = 10_000
TOKEN_LIFE = 3600.0
TOKEN_LIFE_MAX = 30 * 86_400.0
LIFETIME_MIN = 10.0
LIFETIME_MAX = 365 * 86_400.0
KEPT = 30 * 86_400_000
"""Milliseconds for which certificates and tokens that are over stay in the list."""
REASON_CHARACTERS = 500
RENEWAL = "renewal:"
NO_AUTHORITY = "this server has no authority: run `croupier ca init` in its data folder and start it again"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What a machine may become."""

    role: str
    game_id: str = ""
    env: str = ""
    machine_id: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    certificate: Certificate
    pem: bytes
    ca_pem: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    token: JoinToken
    text: str = field(repr=False)
    """What the machine is given; not kept, so it cannot be shown again."""


class Machines:
    """`clock` gives milliseconds since 1970, `lifetime` is that of certificates in seconds. `begin` comes first."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        store: MachineStore,
        authority: Authority | None,
        clock: Callable[[], int],
        lifetime: float = LIFETIME,
    ) -> None:
        self._guard = guard
        self._audit = audit
        self._store = store
        self._authority = authority
        self._clock = clock
        self._lifetime = lifetime
        self._certificates: dict[str, Certificate] = {}
        self._roots: dict[str, str] = {}
        """By serial, the first certificate of which it is a renewal, or a renewal of a renewal; itself, where it is none."""
        self._lineages: dict[str, set[str]] = {}
        """By root: the serials of its renewals and itself, which are all of one key."""
        self._tokens: dict[str, JoinToken] = {}
        self.revocations = Revocations()

    async def begin(self) -> None:
        await self._store.forget(self._clock() - KEPT)
        for certificate in await self._store.certificates():
            self._place(certificate)
        self._tokens = {each.digest: each for each in await self._store.tokens()}
        self._tell()

    @property
    def authority(self) -> Authority:
        """Raises FailedPrecondition where there is none."""
        if self._authority is None:
            raise FailedPrecondition(NO_AUTHORITY)
        return self._authority

    # ------------------------------------------------------------------------------------------------ certificates

    async def certificates(self, caller: Principal) -> list[Certificate]:
        await self._guard.require(caller, "machines.read", None)
        return list(self._certificates.values())

    async def issue(self, caller: Principal, grant: Grant, request: bytes, lifetime: float | None = None) -> Issued:
        """A certificate for the key of `request`, a PKCS 10 request as PEM. `lifetime` in seconds.

        Raises InvalidArgument for a request that asks for more than `grant` says.
        """
        await self._allow(caller, grant)
        identity, hosts = self._granted(grant, grant.machine_id)
        if lifetime is not None and not LIFETIME_MIN <= lifetime <= LIFETIME_MAX:
            raise InvalidArgument(
                "a certificate lives from 10 seconds to 365 days",
                {"of": "certificate"},
                code=Code.LIFETIME_WRONG,
            )
        wished = read_request(request)
        check_asks(wished, identity, hosts)
        async with self._audit.act(caller, "machines.issue", scope=_scope_of(identity), target=str(identity)) as act:
            issued = self._sign(identity, hosts, wished, f"{caller.kind}:{caller.name}", lifetime)
            await self._keep(issued.certificate)
            act.add(serial=issued.certificate.serial, hosts=list(hosts))
        return issued

    async def issue_own(self, identity: MachineIdentity, hosts: tuple[str, ...], request: bytes) -> Issued:
        """The certificate of the server itself."""
        issued = self._sign(identity, hosts, read_request(request), "system", None)
        await self._keep(issued.certificate)
        return issued

    async def renew(self, peer: Peer, hosts: tuple[str, ...], request: bytes, *, address: str = "") -> Issued:
        """A new certificate for a machine that has one that counts: the same identity and hosts, from now on.

        Raises InvalidArgument for a request that asks for more.
        """
        if peer.serial in self.revocations:
            raise PermissionDenied("the certificate was revoked: join again with a new token")
        wished = read_request(request)
        check_asks(wished, peer.identity, hosts)
        issued = self._sign(peer.identity, hosts, wished, RENEWAL + peer.serial, None)
        await self._keep(issued.certificate)
        await self._audit.event(
            _itself(peer.identity, address),
            "machines.renew",
            scope=_scope_of(peer.identity),
            target=str(peer.identity),
            details={"serial": issued.certificate.serial},
            durable=False,
        )
        return issued

    async def revoke(self, caller: Principal, serial: str, reason: str = "") -> Certificate:
        """From now on the certificate counts no more, nor do its renewals; whoever is connected with one is cut off. One of
        another authority may be named too. Revoking twice keeps the first. Raises InvalidArgument for what is no serial.
        """
        known = self._certificates.get(serial)
        if known is None:
            if not serial or len(serial) > 40 or serial.strip("0123456789abcdef") or serial.startswith("0"):
                raise InvalidArgument("a serial is written in hexadecimal digits, in lower case, without leading zeros")
            known = Certificate(serial=serial, issued_ms=self._clock(), issued_by="elsewhere")
        await self._guard.require(caller, "machines.manage", None, serial)
        if known.revoked_ms:
            return known
        by = f"{caller.kind}:{caller.name}"
        reason = reason[:REASON_CHARACTERS]
        details = {"identity": known.identity, "reason": reason}
        async with self._audit.act(caller, "machines.revoke", target=serial, details=details):
            for each in (known, *(each for each in self._lineage(serial) if each.serial != serial)):
                if not each.revoked_ms:
                    await self._keep(replace(each, revoked_ms=self._clock(), revoked_by=by, reason=reason))
        log.warning("certificate %s of %s was revoked by %s", serial, known.identity or "elsewhere", by)
        return self._certificates[serial]

    def _lineage(self, serial: str) -> list[Certificate]:
        root = self._roots.get(serial, serial)
        return [self._certificates[each] for each in self._lineages.get(root, ()) if each in self._certificates]

    def renewed_until(self, peer: Peer) -> int:
        """When the last certificate ends that the machine got for the key of this one, in milliseconds since 1970; 0 where
        none counts.
        """
        return max((each.not_after_ms for each in self._lineage(peer.serial) if not each.revoked_ms), default=0)

    def _sign(
        self,
        identity: MachineIdentity,
        hosts: tuple[str, ...],
        request: x509.CertificateSigningRequest,
        by: str,
        lifetime: float | None,
    ) -> Issued:
        if len(self._certificates) >= MOST_CERTIFICATES:
            self._forget_old()
        if len(self._certificates) >= MOST_CERTIFICATES:
            raise RateLimited(f"rate limited: {MOST_CERTIFICATES} certificates are kept already")
        made = self.authority.issue(identity, hosts, request, lifetime=lifetime or self._lifetime)
        kept = Certificate(
            serial=serial_of(made),
            identity=str(identity),
            not_before_ms=to_ms(made.not_valid_before_utc),
            not_after_ms=to_ms(made.not_valid_after_utc),
            issued_ms=self._clock(),
            issued_by=by,
        )
        pem = made.public_bytes(serialization.Encoding.PEM)
        return Issued(certificate=kept, pem=pem, ca_pem=self.authority.certificate_pem)

    def _forget_old(self) -> None:
        """As the store does at the next start."""
        before = self._clock() - KEPT
        over = [each.serial for each in self._certificates.values() if 0 < each.not_after_ms < before]
        for serial in over:
            del self._certificates[serial]
            root = self._roots.pop(serial, serial)
            self._lineages.get(root, set()).discard(serial)
            if not self._lineages.get(root):
                self._lineages.pop(root, None)

    async def _keep(self, certificate: Certificate) -> None:
        await self._store.put_certificate(certificate)
        self._note(certificate)

    def _place(self, certificate: Certificate) -> None:
        self._certificates[certificate.serial] = certificate
        renewed = certificate.issued_by.removeprefix(RENEWAL) if certificate.issued_by.startswith(RENEWAL) else ""
        root = self._roots.get(renewed, renewed) or certificate.serial
        self._roots[certificate.serial] = root
        self._lineages.setdefault(root, {root}).add(certificate.serial)

    def _note(self, certificate: Certificate) -> None:
        self._place(certificate)
        if certificate.revoked_ms:
            self._tell()
        else:
            log.info("%s got certificate %s by %s", certificate.identity, certificate.serial, certificate.issued_by)

    def _tell(self) -> None:
        self.revocations.replace(each.serial for each in self._certificates.values() if each.revoked_ms)

    # ------------------------------------------------------------------------------------------------ joining

    async def invite(self, caller: Principal, grant: Grant, life: float = TOKEN_LIFE) -> Invitation:
        """A leave to join once, within `life` seconds."""
        await self._allow(caller, grant)
        identity, hosts = self._granted(grant, grant.machine_id or "any")
        if not 1.0 <= life <= TOKEN_LIFE_MAX:
            raise InvalidArgument(
                "a join token lives from 1 second to 30 days",
                {"of": "join_token"},
                code=Code.LIFETIME_WRONG,
            )
        if len(self._tokens) >= MOST_TOKENS:
            over = self._clock() - KEPT
            self._tokens = {digest: each for digest, each in self._tokens.items() if each.expires_ms >= over}
        if len(self._tokens) >= MOST_TOKENS:
            raise RateLimited(f"rate limited: {MOST_TOKENS} join tokens are kept already")
        text, digest = make_token(self.authority.fingerprint)
        now = self._clock()
        token = JoinToken(
            id=new_id("n"),
            digest=digest,
            role=identity.role,
            game_id=identity.game_id,
            env=identity.env,
            machine_id=grant.machine_id,
            hosts=hosts,
            created_ms=now,
            created_by=f"{caller.kind}:{caller.name}",
            expires_ms=now + int(life * 1000),
        )
        target = str(identity) if grant.machine_id else str(identity).removesuffix("any") + ANY
        details = {"id": token.id, "hosts": list(hosts)}
        async with self._audit.act(
            caller, "machines.invite", scope=_scope_of(identity), target=target, details=details
        ):
            await self._store.put_token(token)
            self._tokens[digest] = token
        return Invitation(token=token, text=text)

    async def tokens(self, caller: Principal) -> list[JoinToken]:
        await self._guard.require(caller, "machines.read", None)
        return list(self._tokens.values())

    async def withdraw(self, caller: Principal, token_id: str) -> JoinToken:
        """From now on nobody joins with it. Raises NotFound, Conflict when it was used."""
        await self._guard.require(caller, "machines.manage", None, token_id)
        known = next((each for each in self._tokens.values() if each.id == token_id), None)
        if known is None:
            raise NotFound(f"there is no join token {token_id[:64]}")
        if known.used_ms:
            raise Conflict(f"join token {token_id} was used already: revoke certificate {known.serial} instead")
        if not known.revoked_ms:
            known = replace(known, revoked_ms=self._clock())
            async with self._audit.act(caller, "machines.withdraw", target=token_id):
                await self._store.put_token(known)
                self._tokens[known.digest] = known
        return known

    async def enrol(self, secret: str, request: bytes, *, address: str = "") -> Issued:
        """What a join token is for: a certificate for the machine that the request names, if the token grants that.

        Raises PermissionDenied for a token that nobody made or that is over, InvalidArgument for a request beyond it; such
        a request does not use the token up.
        """
        token = self._usable(secret)
        wished = read_request(request)
        asked = identity_in(wished)
        grant = Grant(
            role=token.role, game_id=token.game_id, env=token.env, machine_id=token.machine_id, hosts=token.hosts
        )
        identity, hosts = self._granted(grant, token.machine_id or asked.id)
        check_asks(wished, identity, hosts)
        issued = self._sign(identity, hosts_in(wished) or hosts, wished, f"join:{token.id}", None)
        now = self._clock()
        details = {"join_token": token.id, "serial": issued.certificate.serial}
        async with self._audit.act(
            _itself(identity, address),
            "machines.join",
            scope=_scope_of(identity),
            target=str(identity),
            details=details,
        ):
            if not await self._store.redeem(token.id, issued.certificate, now):
                raise _useless()
        self._tokens[token.digest] = replace(token, used_ms=now, serial=issued.certificate.serial)
        self._note(issued.certificate)
        return issued

    def _usable(self, secret: str) -> JoinToken:
        token = self._tokens.get(digest_of(secret))
        if token is None or token.used_ms or token.revoked_ms or token.expires_ms <= self._clock():
            raise _useless()
        return token

    async def _allow(self, caller: Principal, grant: Grant) -> None:
        """Raises PermissionDenied unless `caller` may let such a machine in, whether this server can or not.

        Everywhere, for what others may dial: agents of every game believe a server or edge on its hosts, and a host may be
        another game's; and where the grant is of no one game and env.
        """
        wide = grant.role in {MachineRole.SERVER, MachineRole.EDGE} or bool(grant.hosts)
        named = bool(grant.game_id and grant.env) and ANY not in {grant.game_id, grant.env}
        scope = None if wide or not named else Scope(grant.game_id, grant.env)
        await self._guard.require(caller, "machines.manage", scope, f"{grant.role} {grant.machine_id}".strip()[:200])

    def _granted(self, grant: Grant, machine_id: str) -> tuple[MachineIdentity, tuple[str, ...]]:
        wide = ANY if grant.role in WIDE else ""
        identity = make_identity(
            deployment=self.authority.deployment,
            role=grant.role,
            game_id=grant.game_id or wide,
            env=grant.env or wide,
            id=machine_id,
        )
        hosts = check_hosts(grant.hosts)
        if hosts and identity.role is MachineRole.CLIENT:
            raise InvalidArgument("a client dials and is not dialled: its certificate names no hosts")
        return identity, hosts


def _itself(identity: MachineIdentity, address: str) -> Principal:
    return Principal(name=str(identity), kind="machine", address=address)


def _scope_of(identity: MachineIdentity) -> Scope | None:
    return None if ANY in {identity.game_id, identity.env} else Scope(identity.game_id, identity.env)


def _useless() -> PermissionDenied:
    # One text for all, so that nobody learns which tokens there are.
    return PermissionDenied("this join token is unknown, expired, withdrawn or used: ask for a new one")
