"""What a machine has to show: its key, its certificate and the authority it trusts, as three PEM files.

The key is made once, in a file that only its owner reads, and leaves it never. Renewing replaces the certificate's file at
once, so a reader finds the old one or the new one; a file that somebody else replaced is found by its time.
"""

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from croupier.domain.machine import Peer
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument
from croupier.pki.authority import BACKDATED, read_certificate
from croupier.pki.names import hosts_in, peer_in
from croupier.pki.request import key_pem, make_key, make_request, read_key

PEM_BYTES = 65_536
CA_FILE, CERT_FILE, KEY_FILE = "ca.pem", "cert.pem", "key.pem"
RENEWAL = 2 / 3
"""The part of a certificate's life after which it is renewed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Three files that belong together, as they were read."""

    ca_pem: bytes
    cert_pem: bytes
    key_pem: bytes = field(repr=False)
    peer: Peer
    """As others see it."""
    hosts: tuple[str, ...]

    @property
    def certificate(self) -> x509.Certificate:
        return read_certificate(self.cert_pem)

    @property
    def ca(self) -> x509.Certificate:
        return read_certificate(self.ca_pem)

    def renewal_at(self) -> float:
        """When it is to be renewed, in seconds since 1970."""
        certificate = self.certificate
        begins = certificate.not_valid_before_utc.timestamp() + BACKDATED
        return begins + (certificate.not_valid_after_utc.timestamp() - begins) * RENEWAL

    def request(self) -> bytes:
        """A request for a certificate like this one, with the same key."""
        return make_request(read_key(self.key_pem), self.peer.identity, self.hosts)

    def sign(self, data: bytes) -> bytes:
        """Proves to whoever has the certificate that this machine has its key."""
        return read_key(self.key_pem).sign(data, ec.ECDSA(hashes.SHA256()))


class MachineFiles:
    """The files of one machine. May be asked by several threads."""

    def __init__(self, *, ca: Path, cert: Path, key: Path) -> None:
        self.ca_path, self.cert_path, self.key_path = ca, cert, key
        self._stamp: tuple[int, ...] = ()
        self._identity: Identity | None = None

    @classmethod
    def of_folder(cls, folder: Path) -> "MachineFiles":
        return cls(ca=folder / CA_FILE, cert=folder / CERT_FILE, key=folder / KEY_FILE)

    @property
    def present(self) -> bool:
        return self.cert_path.exists()

    def current(self) -> Identity:
        """As the files are now; as they were, while they cannot be read, once they could.

        Raises FailedPrecondition for files that cannot be used.
        """
        known = self._identity
        try:
            stamp = tuple(path.stat().st_mtime_ns for path in (self.ca_path, self.cert_path, self.key_path))
            if known is not None and stamp == self._stamp:
                return known
            fresh = self._read()
        except (OSError, CroupierError) as error:
            if known is not None:
                return known
            message = error.message if isinstance(error, CroupierError) else f"{error.filename}: {error.strerror}"
            raise FailedPrecondition(f"the certificate files cannot be used: {message}") from error
        self._stamp, self._identity = stamp, fresh
        return fresh

    def _read(self) -> Identity:
        key = _read_private(self.key_path)
        cert, ca = _read_pem(self.cert_path), _read_pem(self.ca_path)
        certificate = read_certificate(cert)
        if certificate.public_key() != read_key(key).public_key():
            raise InvalidArgument(f"{self.cert_path} is not the certificate of {self.key_path}")
        read_certificate(ca)
        return Identity(ca_pem=ca, cert_pem=cert, key_pem=key, peer=peer_in(cert), hosts=hosts_in(certificate))

    def begin(self) -> ec.EllipticCurvePrivateKey:
        """The key of a machine that has no certificate yet, made where there is none. Raises FailedPrecondition."""
        try:
            self.key_path.parent.mkdir(parents=True, exist_ok=True)
            if not self.key_path.exists():
                write_whole(self.key_path, key_pem(make_key()), mode=0o600)
            return read_key(_read_private(self.key_path))
        except OSError as error:
            raise FailedPrecondition(f"{self.key_path} cannot be used: {error.strerror}") from error

    def replace(self, cert: bytes, ca: bytes | None = None) -> Identity:
        """Keep what was issued for the key. Raises InvalidArgument when it is of another key, FailedPrecondition for the disk."""
        certificate = read_certificate(cert)
        if certificate.public_key() != read_key(_read_private(self.key_path)).public_key():
            raise InvalidArgument("the certificate that was given is of another key than this machine's")
        try:
            if ca is not None:
                write_whole(self.ca_path, ca, mode=0o644)
            write_whole(self.cert_path, cert, mode=0o644)
        except OSError as error:
            raise FailedPrecondition(f"{self.cert_path} cannot be written: {error.strerror}") from error
        self._stamp = ()
        return self.current()


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Replace a file so that a reader finds all of it, also after a crash."""
    aside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _read_pem(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(PEM_BYTES + 1)
    if len(raw) > PEM_BYTES:
        raise InvalidArgument(f"{path} has more than {PEM_BYTES} bytes")
    return raw


def _read_private(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise FailedPrecondition(f"{path} can be read by others: run `chmod 600 {path}`")
    return _read_pem(path)
