import ssl
from pathlib import Path
from typing import Any

from croupier.errors import FailedPrecondition


class TlsFiles:
    """The certificate chain and key of a port, read again when they were replaced: renewing needs no restart."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises FailedPrecondition for files that cannot be used."""
        self._files = (cert, key)
        self._stamp = self._now()
        self.context = self._made()
        """For the listener; each handshake takes the newest by itself."""
        self._newest = self.context

    def _now(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in self._files)
        except OSError as error:
            raise FailedPrecondition(
                f"the certificate file {error.filename} cannot be read: {error.strerror}"
            ) from error

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(*self._files)
        except (OSError, ssl.SSLError) as error:
            cert, key = self._files
            raise FailedPrecondition(
                f"{cert} and {key} are no certificate chain and key that belong together, as PEM without a passphrase"
            ) from error
        context.sni_callback = self._handshake
        return context

    def _handshake(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:  # noqa: ARG002 — the signature of the callback
        """Called at the beginning of each handshake, also where the client names no host."""
        try:
            stamp = self._now()
            if stamp != self._stamp:
                self._newest, self._stamp = self._made(), stamp
        except FailedPrecondition:
            # Being replaced just now, or badly: what was read before still counts.
            stamp = self._stamp
        connection.context = self._newest
