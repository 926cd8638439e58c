"""The serials that were revoked when a machine last heard of it, on its disk: they must count no more after a restart either, whose
server cannot be asked.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from croupier.errors import FailedPrecondition
from croupier.pki.identity import write_whole

FILE_BYTES = 16_000_000
"""A server keeps 200 000 certificates at most."""

_SERIAL = re.compile(r"[0-9a-f]{1,40}")


class _Document(msgspec.Struct, kw_only=True):
    version: int
    serials: list[str]


class RevokedFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> frozenset[str]:
        """Nothing where nothing was ever heard. Raises FailedPrecondition for a file that cannot be understood: taken for an
        empty one, it would let in whoever was put out.
        """
        try:
            with self._path.open("rb") as file:
                raw = file.read(FILE_BYTES + 1)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise FailedPrecondition(f"{self._path} cannot be read: {error.strerror}") from error
        try:
            said = msgspec.json.decode(raw, type=_Document)
        except msgspec.DecodeError:
            said = _Document(version=0, serials=[])
        if len(raw) > FILE_BYTES or said.version != 1 or not all(map(_SERIAL.fullmatch, said.serials)):
            raise FailedPrecondition(
                f"{self._path} does not hold which certificates were revoked: remove it, and until the server is connected "
                "revoked ones count again"
            )
        return frozenset(said.serials)

    def save(self, serials: Iterable[str]) -> None:
        """Raises OSError; then the file is as it was."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, msgspec.json.encode(_Document(version=1, serials=sorted(serials))), mode=0o600)
