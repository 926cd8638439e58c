"""The authority of a server: two files in `ca` of its data folder, the key under a passphrase derived from the deployment's key."""

from pathlib import Path

from croupier.errors import Conflict, FailedPrecondition, InvalidArgument
from croupier.pki.authority import Authority, make_authority, open_authority
from croupier.pki.identity import PEM_BYTES, write_whole
from croupier.server.access.keys import load_key

FOLDER = "ca"
_PURPOSE = "pki.authority"


def _places(data: Path) -> tuple[Path, Path]:
    return data / FOLDER / "ca.pem", data / FOLDER / "ca.key"


def _passphrase(data: Path, key_file: Path | None) -> bytes:
    return load_key(data, key_file).derive(_PURPOSE).hex().encode()


def load_authority(data: Path, key_file: Path | None) -> Authority | None:
    """None where none was made. Raises FailedPrecondition for files that cannot be used or a key that does not open."""
    cert, key = _places(data)
    if not cert.exists():
        return None
    try:
        return open_authority(_read(cert), _read(key), _passphrase(data, key_file))
    except OSError as error:
        raise FailedPrecondition(f"the authority's file {error.filename} cannot be read: {error.strerror}") from error
    except InvalidArgument as error:
        raise FailedPrecondition(f"the authority in {cert.parent} cannot be used: {error.message}") from error


def init_authority(
    data: Path, key_file: Path | None, deployment: str, own: tuple[Path, Path, bytes | None] | None = None
) -> Authority:
    """Make an authority, or take over `own`: the files of certificate and key, and the key's passphrase.

    Raises Conflict where there is one already.
    """
    cert, key = _places(data)
    if cert.exists() or key.exists():
        raise Conflict(
            f"there is an authority in {cert.parent} already; every certificate of this deployment depends on it"
        )
    authority = make_authority(deployment) if own is None else _taken(own, deployment)
    try:
        cert.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(key, authority.key_file(_passphrase(data, key_file)), mode=0o600)
        write_whole(cert, authority.certificate_pem, mode=0o644)
    except OSError as error:
        raise FailedPrecondition(f"{cert.parent} cannot be written: {error.strerror}") from error
    return authority


def _taken(own: tuple[Path, Path, bytes | None], deployment: str) -> Authority:
    cert, key, passphrase = own
    try:
        return open_authority(_read(cert), _read(key), passphrase, deployment)
    except OSError as error:
        raise FailedPrecondition(f"{error.filename} cannot be read: {error.strerror}") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(PEM_BYTES)
