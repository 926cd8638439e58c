"""Whose packs are taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from croupier.codes import Code
from croupier.errors import FailedPrecondition, PermissionDenied
from croupier.packs.pack import Pack
from croupier.packs.signing import KEY_BYTES, TrustedKey, read_trusted_keys, verify


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    keys: Path | None = None
    """A file of public keys; it is read each time, so that a key that is taken out counts no more at once."""
    allow_unsigned: bool = False

    def admit(self, pack: Pack) -> str:
        """Who stands for the pack; empty where nobody does and nobody has to. Reads a file.

        Raises PermissionDenied, or FailedPrecondition when the file of keys cannot be read.
        """
        trusted = self._trusted()
        if pack.signature is not None and (pack.signature.key_id in trusted or not self.allow_unsigned):
            return verify(pack.signature, trusted, pack.name, pack.digest)
        if not self.allow_unsigned:
            raise PermissionDenied(
                f"pack {pack.name} is not signed: sign it with `croupier pack sign` and a key that this server trusts "
                "(server.packs.trusted_keys), or start the server with --allow-unsigned",
                {"pack": pack.name},
                code=Code.PACK_UNSIGNED,
            )
        return ""

    def _trusted(self) -> Mapping[str, TrustedKey]:
        if self.keys is None:
            return {}
        try:
            with self.keys.open("rb") as file:
                return read_trusted_keys(file.read(KEY_BYTES + 1))
        except OSError as error:
            raise FailedPrecondition(
                f"the trusted keys cannot be read ({error.strerror}): look at server.packs.trusted_keys"
            ) from error
