"""The deployment's key: 32 random bytes from which every other key here is derived, each for one purpose.

    key file ── HKDF-SHA-256 (RFC 5869), a label for each purpose ──► secrets, audit, second factors, cookies …

Whoever has the file can read what is sealed in the database, and nobody else: keep a copy of it apart from the database's.
"""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from croupier.errors import FailedPrecondition
from croupier.settings.private_file import ensure_private_file, read_private_file

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = b"\x01"
"""Before everything sealed, so that another cipher can follow one day."""


class DeploymentKey:
    """Says nothing of itself, whoever prints it."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a deployment key has {KEY_BYTES} bytes")
        self._secret = secret

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (`audit.chain`, `secrets` …): the same each time, and of no help in finding another's."""
        info = b"croupier " + purpose.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._secret)

    def seal_for(self, purpose: str) -> "Seal":
        return Seal(self.derive(purpose))


class Seal:
    """Keeps short values unreadable and unchanged in the database: AES-256-GCM with a random nonce for each."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, plain: bytes, about: str) -> bytes:
        """`about` says whose it is: it opens with the same words only, so that it cannot be put in another's place."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, plain, about.encode())

    def open(self, closed: bytes, about: str) -> bytes:
        """Raises FailedPrecondition when it was closed by another key, for another, or was changed."""
        nonce, sealed = closed[1 : 1 + _NONCE_BYTES], closed[1 + _NONCE_BYTES :]
        try:
            if closed[:1] == _FORM and len(nonce) == _NONCE_BYTES:
                return self._cipher.decrypt(nonce, sealed, about.encode())
        except InvalidTag:
            pass
        raise FailedPrecondition(
            "what is sealed in the database does not open with this key: start the server with the key file it had before"
        )


def load_key(data: Path, file: Path | None = None) -> DeploymentKey:
    """The key in `file`, which must exist; without one, in the file `key` of the data folder, made with mode 0600 at the first start.

    Raises FailedPrecondition when others can read the file, or it holds something else.
    """
    path = file or data / "key"
    raw = read_private_file(path) if file else ensure_private_file(path, _new_key)
    try:
        # The cause would quote the file's content.
        return DeploymentKey(base64.b64decode(raw.strip(), validate=True))
    except (ValueError, binascii.Error):
        raise FailedPrecondition(
            f"{path} holds no key: bring back the file that was there, or put {KEY_BYTES} random bytes there as base64"
        ) from None


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
