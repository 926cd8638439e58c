"""PORT: which account the people of an identity provider are. The promises of `croupier.store` hold here too."""

from typing import Protocol

from croupier.domain.identity import IdentityLink


class IdentityStore(Protocol):
    async def link(self, link: IdentityLink) -> None:
        """Keep this in place of what was kept of its issuer and subject."""

    async def links(self) -> list[IdentityLink]:
        """By issuer and subject."""
