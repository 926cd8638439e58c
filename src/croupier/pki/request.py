"""A machine's key, and its request for a certificate (PKCS 10): a wish, of which the authority takes the key only."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from croupier.domain.machine import MachineIdentity
from croupier.errors import InvalidArgument
from croupier.pki.names import MALFORMED, subject_names

REQUEST_BYTES = 16_384


def make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Unencrypted: for a file that only its owner reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Raises InvalidArgument, which never quotes it."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidArgument("the key file cannot be read: it must hold an EC key without a passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InvalidArgument("the key is no EC key")
    return key


def make_request(key: ec.EllipticCurvePrivateKey, identity: MachineIdentity, hosts: tuple[str, ...]) -> bytes:
    """A request, as PEM."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    builder = builder.add_extension(subject_names(identity, hosts), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_request(pem: bytes) -> x509.CertificateSigningRequest:
    """Raises InvalidArgument unless it is signed by the key it names, which must be EC P-256, and asks for no more than a
    machine's certificate.
    """
    if len(pem) > REQUEST_BYTES:
        raise InvalidArgument(f"a certificate request has at most {REQUEST_BYTES} bytes")
    try:
        request = x509.load_pem_x509_csr(pem)
        key = request.public_key()
        extensions = {each.oid: each.value for each in request.extensions}
        sound = request.is_signature_valid
    except (*MALFORMED, InvalidSignature) as error:
        raise InvalidArgument("the certificate request cannot be read: send a PKCS 10 request as PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidArgument("the key of a certificate request must be EC P-256")
    if not sound:
        raise InvalidArgument("the certificate request is not signed by the key that it names")
    if any(not isinstance(each, x509.SubjectAlternativeName) for each in extensions.values()):
        raise InvalidArgument("a certificate request may ask for subject alternative names and for nothing else")
    return request


def check_asks(request: x509.CertificateSigningRequest, identity: MachineIdentity, hosts: tuple[str, ...]) -> None:
    """Raises InvalidArgument when it asks for another identity, or for names beyond what is granted."""
    try:
        asked = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    granted = set(subject_names(identity, hosts))
    if not set(asked) <= granted:
        beyond = sorted(str(name.value) for name in set(asked) - granted)
        raise InvalidArgument(f"the certificate request asks for more than is granted: {', '.join(beyond)[:500]}")


def same_key(request: x509.CertificateSigningRequest, certificate: x509.Certificate) -> bool:
    return request.public_key() == certificate.public_key()
