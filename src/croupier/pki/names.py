"""What a certificate says of its holder.

    URI SAN     croupier://<deployment>/<role>/<game>/<env>/<id>       who it is
    DNS SAN     <role>.<host>.croupier                                 what it may be dialled as, and where
    DNS SAN     is.<digest of the URI>.croupier                        agents only: that it is this very one
    DNS/IP SAN  <host>                                                 servers and edges only: for tools that know nothing of us

Who dials a machine expects the second name, so that the role and the host are checked in the handshake, before anything is
said: an agent's certificate serves nobody as a server's, and a server's of one host not as another's. A server that dials an
agent knows which one it wants, and expects the third.
"""

import functools
import hashlib
import ipaddress
from datetime import datetime
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from croupier.domain.machine import MachineIdentity, MachineRole, Peer, parse_identity
from croupier.errors import InvalidArgument, Unauthenticated

HUB = "hub"
"""In the name of whatever takes agents: a server or an edge."""
_SUFFIX = "croupier"
_DIALLED: dict[MachineRole, tuple[str, ...]] = {
    MachineRole.SERVER: (MachineRole.SERVER, HUB),
    MachineRole.EDGE: (MachineRole.EDGE, HUB),
    MachineRole.AGENT: (MachineRole.AGENT,),
    MachineRole.GAME: (MachineRole.GAME,),
    MachineRole.CLIENT: (),
}
MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for certificates and requests that are none."""

Named: TypeAlias = x509.Certificate | x509.CertificateSigningRequest
_WELL_KNOWN = frozenset({MachineRole.SERVER, MachineRole.EDGE})


def expected_name(role: str, host: str) -> str:
    """The name that a `role` on `host` has in its certificate."""
    return f"{role}.{host.strip('[]').rstrip('.').lower().replace(':', '-')}.{_SUFFIX}"


def own_name(identity: MachineIdentity) -> str:
    """The name that one machine alone has in its certificate, wherever it is."""
    return f"is.{hashlib.sha256(str(identity).encode()).hexdigest()[:40]}.{_SUFFIX}"


def subject_names(identity: MachineIdentity, hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(str(identity))]
    for role in _DIALLED[identity.role]:
        names += [x509.DNSName(expected_name(role, host)) for host in hosts]
    if identity.role is MachineRole.AGENT:
        names.append(x509.DNSName(own_name(identity)))
    if identity.role in _WELL_KNOWN:
        names += [_host_name(host) for host in hosts]
    return x509.SubjectAlternativeName(names)


def key_usages(role: MachineRole) -> x509.ExtendedKeyUsage:
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if _DIALLED[role]:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
    return x509.ExtendedKeyUsage(usages)


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def hosts_in(named: Named) -> tuple[str, ...]:
    """The hosts that a certificate of ours, or a request, is for. Raises InvalidArgument."""
    identity = identity_in(named)
    names = named.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts: dict[str, None] = {}
    for name in names.get_values_for_type(x509.DNSName):
        for role in _DIALLED[identity.role]:
            if name.startswith(f"{role}.") and name.endswith(f".{_SUFFIX}"):
                hosts[_spelled(name.removeprefix(f"{role}.").removesuffix(f".{_SUFFIX}"))] = None
    return tuple(hosts)


def _spelled(host: str) -> str:
    """An IPv6 address has its colons back."""
    try:
        return str(ipaddress.ip_address(host.replace("-", ":")))
    except ValueError:
        return host


def identity_in(named: Named) -> MachineIdentity:
    """Raises InvalidArgument for a certificate or request that names no machine, or more than one."""
    try:
        names = named.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *MALFORMED) as error:
        raise InvalidArgument("it names no machine: there is no URI in its subject alternative names") from error
    found = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(found) != 1:
        raise InvalidArgument(f"it has {len(found)} URIs in its subject alternative names; one is needed")
    return parse_identity(found[0])


def serial_of(certificate: x509.Certificate) -> str:
    return format(certificate.serial_number, "x")


def to_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@functools.lru_cache(maxsize=4096)
def peer_in(pem: bytes) -> Peer:
    """Who the holder of a certificate is that TLS has checked. Raises Unauthenticated."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        identity = identity_in(certificate)
    except (InvalidArgument, *MALFORMED) as error:
        reason = error.message if isinstance(error, InvalidArgument) else "it cannot be read"
        raise Unauthenticated(f"the certificate is none of Croupier's: {reason}") from error
    return Peer(identity=identity, serial=serial_of(certificate), expires_ms=to_ms(certificate.not_valid_after_utc))
