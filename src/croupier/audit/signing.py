"""Statements that anyone can check: where the chain stood, what was cut off, what an export holds. ed25519."""

from dataclasses import replace

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from croupier.domain.audit import Checkpoint, Cut
from croupier.errors import InvalidArgument

_CHECKPOINT = b"croupier audit checkpoint 1\n"
_CUT = b"croupier audit cut 1\n"
_EXPORT = b"croupier audit export 1\n"
"""No statement can be taken for one of another kind."""


class Witness:
    """Whoever knows the public key."""

    def __init__(self, public: bytes) -> None:
        """Raises InvalidArgument unless these are the 32 bytes of a key."""
        try:
            self._key = Ed25519PublicKey.from_public_bytes(public)
        except ValueError:
            raise InvalidArgument("a public key of the audit record has 32 bytes, written as 64 hex digits") from None
        self.public = public

    def signed_checkpoint(self, checkpoint: Checkpoint) -> bool:
        return self._signed(_checkpoint_text(checkpoint), checkpoint.signature)

    def signed_cut(self, cut: Cut) -> bool:
        return self._signed(_cut_text(cut), cut.signature)

    def signed_export(self, digest: bytes, signature: bytes) -> bool:
        return self._signed(_EXPORT + digest, signature)

    def _signed(self, text: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """The deployment. Its private key is derived from the deployment's, so there is none to keep."""

    def __init__(self, seed: bytes) -> None:
        """`seed` has 32 bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.witness = Witness(self._key.public_key().public_bytes_raw())

    def checkpoint(self, checkpoint: Checkpoint) -> Checkpoint:
        return replace(checkpoint, signature=self._key.sign(_checkpoint_text(checkpoint)))

    def cut(self, cut: Cut) -> Cut:
        return replace(cut, signature=self._key.sign(_cut_text(cut)))

    def export(self, digest: bytes) -> bytes:
        return self._key.sign(_EXPORT + digest)


def _checkpoint_text(checkpoint: Checkpoint) -> bytes:
    said = {"hash": checkpoint.hash.hex(), "seq": checkpoint.seq, "time_ms": checkpoint.time_ms}
    return _CHECKPOINT + orjson.dumps(said)


def _cut_text(cut: Cut) -> bytes:
    said = {"by": cut.by, "hash": cut.hash.hex(), "time_ms": cut.time_ms, "up_to": cut.up_to}
    return _CUT + orjson.dumps(said)
