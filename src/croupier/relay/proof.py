"""Who is at the other end of a link, by certificate.

TLS tells a listener who dials, but a dialler learns from it only that a machine of the right role listens there, not which.
So both ends show their certificates in the handshake and sign it, and both know the other whoever dialled.
"""

import datetime as dt
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from croupier.domain.machine import Peer
from croupier.errors import InvalidArgument, Unauthenticated
from croupier.pki.authority import read_certificate, verify
from croupier.pki.identity import MachineFiles
from croupier.pki.names import peer_in
from croupier.relay.frames import Identity

Counts = Callable[[Peer], None]
"""Raises Unauthenticated for a certificate that was revoked or is of another deployment."""


class LinkProof:
    """One end's certificate, and how it checks the other's."""

    def __init__(self, files: MachineFiles, counts: Counts) -> None:
        self._files = files
        self._counts = counts
        self._shown = files.current()

    @property
    def certificate(self) -> bytes:
        return self._shown.cert_pem

    def sign(self, transcript: bytes) -> bytes:
        return self._shown.sign(transcript)

    def check(self, other: Identity, certificate: bytes, signature: bytes, transcript: bytes) -> Peer:
        """Who signed the transcript. Raises Unauthenticated unless that is who `other` says it is, and its certificate counts."""
        if not certificate:
            raise Unauthenticated("the other end of the link shows no certificate: let it join with a join token")
        try:
            made = read_certificate(certificate)
            verify(self._shown.ca, made, dt.datetime.now(dt.UTC))
            key = made.public_key()
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise Unauthenticated("the certificate of the other end of the link has no EC key")
            key.verify(signature, transcript, ec.ECDSA(hashes.SHA256()))
        except InvalidArgument as error:
            raise Unauthenticated(f"the other end of the link cannot be let in: {error.message}") from error
        except InvalidSignature as error:
            raise Unauthenticated(
                "the other end of the link does not have the key of the certificate that it shows"
            ) from error
        peer = peer_in(certificate)
        if (str(peer.identity.role), peer.identity.id) != (str(other.role), other.id):
            raise Unauthenticated(
                f"the other end of the link says that it is {other.role} {other.id}, and its certificate is of "
                f"{peer.identity.role} {peer.identity.id}: start it with that id, or with its own certificate"
            )
        self._counts(peer)
        return peer


def relayed_peer(ca_pem: bytes, certificate: bytes) -> Peer:
    """Who an edge says calls, by the certificate it passes on. Raises Unauthenticated unless `ca_pem` issued it.

    Whether it has expired is for the gate to say, which knows who has renewed: the caller's connection may be older.
    """
    try:
        shown = read_certificate(certificate)
        verify(read_certificate(ca_pem), shown, min(dt.datetime.now(dt.UTC), shown.not_valid_after_utc))
    except InvalidArgument as error:
        raise Unauthenticated(f"the certificate that the edge passes on does not count: {error.message}") from error
    return peer_in(certificate)
