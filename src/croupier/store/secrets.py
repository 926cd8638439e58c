"""PORT: what must be kept of secrets. The promises of `croupier.store` hold here too. What is kept is sealed already."""

from collections.abc import Sequence
from typing import Protocol

from croupier.domain.secret import Secret, SecretPlace


class SecretStore(Protocol):
    async def put(self, secrets: Sequence[Secret]) -> None:
        """Keep these, each in place of what was kept there: all of them or none.

        What was kept before is no longer in the file when the store has next put it in order; copies and backups keep it.
        """

    async def remove(self, place: SecretPlace) -> None:
        """Forget it with all its versions; an unknown one is left unknown."""

    async def all(self) -> list[Secret]:
        """By place."""
