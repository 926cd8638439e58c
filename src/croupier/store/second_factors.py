"""PORT: what must be kept of people's second factors. The promises of `croupier.store` hold here too."""

from typing import Protocol

from croupier.domain.second_factor import SecondFactor


class SecondFactorStore(Protocol):
    async def put(self, factor: SecondFactor) -> None:
        """Keep this in place of what was kept of its user."""

    async def remove(self, user_id: str) -> None:
        """Keep nothing of this user."""

    async def factors(self) -> list[SecondFactor]:
        """By user id."""
