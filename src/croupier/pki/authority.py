"""The authority of a deployment: whoever holds its key decides who is a machine of it."""

import datetime as dt
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from croupier.domain.machine import MachineIdentity, check_deployment
from croupier.errors import FailedPrecondition, InvalidArgument
from croupier.pki.names import MALFORMED, identity_in, key_usages, subject_names

YEARS = 10
"""Of the authority's own certificate."""
LIFETIME = 7 * 86_400.0
BACKDATED = 60.0
"""Seconds by which a certificate is older than it is: clocks differ."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that every certificate of a machine that listens names: they say nothing of other machines."""


def fingerprint_of(ca_pem: bytes) -> str:
    """SHA-256 of the certificate, hexadecimal. Raises InvalidArgument."""
    return hashlib.sha256(read_certificate(ca_pem).public_bytes(serialization.Encoding.DER)).hexdigest()


def read_certificate(pem: bytes) -> x509.Certificate:
    """Raises InvalidArgument."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except MALFORMED as error:
        raise InvalidArgument("the certificate cannot be read: it must be X.509 as PEM") from error


def deployment_of(ca: x509.Certificate) -> str:
    """The name of the deployment, which an authority of ours has as its common name."""
    names = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


class Authority:
    """Says nothing of its key, whoever prints it."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, deployment: str) -> None:
        """Raises InvalidArgument for a certificate that may not issue, or is of another key."""
        if certificate.public_key() != key.public_key():
            raise InvalidArgument("the authority's certificate and key do not belong together")
        if not _may_issue(certificate):
            raise InvalidArgument("the authority's certificate is none: it needs the basic constraint CA")
        self.deployment = deployment
        self._certificate = certificate
        self._key = key

    @property
    def certificate_pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        return self._certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def expires(self) -> dt.datetime:
        return self._certificate.not_valid_after_utc

    def key_file(self, passphrase: bytes) -> bytes:
        """The key as it is kept: PKCS 8 under a passphrase."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )

    def issue(
        self,
        identity: MachineIdentity,
        hosts: tuple[str, ...],
        request: x509.CertificateSigningRequest,
        *,
        lifetime: float = LIFETIME,
        now: dt.datetime | None = None,
    ) -> x509.Certificate:
        """A certificate for the key of `request`, whatever else that asks for. `lifetime` in seconds.

        Raises InvalidArgument for a machine of another deployment.
        """
        if identity.deployment != self.deployment:
            raise InvalidArgument(f"this authority is of {self.deployment}, and {identity} is not")
        now = now or dt.datetime.now(dt.UTC)
        hosts = tuple(dict.fromkeys((*hosts, *LOOPBACK)))
        ends = min(now + dt.timedelta(seconds=lifetime), self._certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.id[:64])]))
            .issuer_name(self._certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(seconds=BACKDATED))
            .not_valid_after(ends)
            .add_extension(subject_names(identity, hosts), critical=False)
            .add_extension(key_usages(identity.role), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        return builder.sign(self._key, hashes.SHA256())


def make_authority(deployment: str, *, now: dt.datetime | None = None) -> Authority:
    """A new one, with a key of its own. Raises InvalidArgument for a deployment that cannot be named so."""
    check_deployment(deployment)
    key = ec.generate_private_key(ec.SECP256R1())
    now = now or dt.datetime.now(dt.UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Croupier"),
            x509.NameAttribute(NameOID.COMMON_NAME, deployment),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(seconds=BACKDATED))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key, deployment)


def open_authority(certificate_pem: bytes, key_pem: bytes, passphrase: bytes | None, deployment: str = "") -> Authority:
    """One that was made here or elsewhere. Without `deployment` its common name is the deployment's.

    Raises FailedPrecondition where the passphrase does not open the key, InvalidArgument for files that are no authority.
    """
    certificate = read_certificate(certificate_pem)
    try:
        key = serialization.load_pem_private_key(key_pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause might quote what is in the file.
        raise FailedPrecondition(
            "the authority's key does not open: it must be PEM, under the passphrase that this deployment derives from its key file"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InvalidArgument("the authority's key must be an EC key, such as P-256")
    return Authority(certificate, key, check_deployment(deployment or deployment_of(certificate)))


def verify(ca: x509.Certificate, certificate: x509.Certificate, now: dt.datetime) -> MachineIdentity:
    """Who a certificate says its holder is, if `ca` issued it and it is valid now. Raises InvalidArgument, saying what is wrong.

    For where a certificate comes by another way than TLS, which checks the same.
    """
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise InvalidArgument("the certificate is of another authority") from error
    if _may_issue(certificate):
        raise InvalidArgument("the certificate is an authority's, not a machine's")
    if now < certificate.not_valid_before_utc:
        raise InvalidArgument("the certificate is not valid yet: compare the clocks of both machines")
    if now > certificate.not_valid_after_utc:
        raise InvalidArgument("the certificate has expired: join again with a new join token")
    return identity_in(certificate)


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *MALFORMED):
        return False


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
