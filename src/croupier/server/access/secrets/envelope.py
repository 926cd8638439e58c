import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace

from croupier.domain.secret import SecretPlace, SecretVersion, VersionState
from croupier.errors import FailedPrecondition
from croupier.server.access.keys import KEY_BYTES, Seal

PURPOSE = "secrets"
"""What the key-encryption key is derived for, where none is named in the settings."""


class Envelope:
    """Seals and opens versions of secrets. Says nothing of its keys, whoever prints it."""

    __slots__ = ("_seals", "key_id")

    def __init__(self, key: bytes, earlier: Sequence[bytes] = ()) -> None:
        """`key` wraps from now on; `earlier` ones open what was wrapped before."""
        self.key_id = key_id(key)
        self._seals = {key_id(each): Seal(each) for each in (*earlier, key)}

    def close(self, place: SecretPlace, number: int, value: bytes) -> tuple[bytes, bytes]:
        """The data key, wrapped, and the value, sealed with it."""
        data_key = os.urandom(KEY_BYTES)
        about = _about(place, number)
        return self._seals[self.key_id].close(data_key, f"key {about}"), Seal(data_key).close(value, f"value {about}")

    def open(self, place: SecretPlace, version: SecretVersion) -> bytes:
        """Raises FailedPrecondition when its key is not known here, or something was changed."""
        about = _about(place, version.number)
        data_key = self._unwrapped(place, version)
        try:
            return Seal(data_key).open(version.sealed, f"value {about}")
        except FailedPrecondition:
            raise _broken(place, version) from None

    def is_stale(self, version: SecretVersion) -> bool:
        """Whether an earlier key wraps it."""
        return version.state is not VersionState.DESTROYED and version.key_id != self.key_id

    def knows(self, version: SecretVersion) -> bool:
        return version.state is VersionState.DESTROYED or version.key_id in self._seals

    def rewrap(self, place: SecretPlace, version: SecretVersion) -> SecretVersion:
        """The same data key and value, under the key of now. Raises FailedPrecondition as `open` does."""
        if version.state is VersionState.DESTROYED:
            return version
        data_key = self._unwrapped(place, version)
        wrapped = self._seals[self.key_id].close(data_key, f"key {_about(place, version.number)}")
        return replace(version, wrapped=wrapped, key_id=self.key_id)

    def renew(self, place: SecretPlace, version: SecretVersion) -> SecretVersion:
        """The same value under a new data key. Raises FailedPrecondition as `open` does."""
        if version.state is VersionState.DESTROYED:
            return version
        wrapped, sealed = self.close(place, version.number, self.open(place, version))
        return replace(version, wrapped=wrapped, sealed=sealed, key_id=self.key_id)

    def _unwrapped(self, place: SecretPlace, version: SecretVersion) -> bytes:
        if version.state is VersionState.DESTROYED:
            raise FailedPrecondition(f"version {version.number} of secret {place} is destroyed")
        seal = self._seals.get(version.key_id)
        if seal is None:
            raise FailedPrecondition(
                f"secret {place} is sealed with key {version.key_id}, which this server was not given: name the key that "
                "it had in server.secrets.previous_key_file or previous_key_env, or set the secret anew"
            )
        try:
            return seal.open(version.wrapped, f"key {_about(place, version.number)}")
        except FailedPrecondition:
            raise _broken(place, version) from None


def key_id(key: bytes) -> str:
    """Tells keys apart, and nothing of them: they are random."""
    return hashlib.sha256(b"croupier key id " + key).hexdigest()[:16]


def _about(place: SecretPlace, number: int) -> str:
    # Names have no spaces.
    return f"{place.game_id} {place.env} {place.name} {number}"


def _broken(place: SecretPlace, version: SecretVersion) -> FailedPrecondition:
    return FailedPrecondition(
        f"version {version.number} of secret {place} was changed in the database, or is another's: set the secret anew"
    )
