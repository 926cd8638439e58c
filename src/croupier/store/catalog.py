"""PORT: what must be kept for the catalog. The promises of `croupier.store` hold here too."""

from typing import Protocol

from croupier.domain.assignment import Assignments
from croupier.domain.provider import Provider


class CatalogStore(Protocol):
    async def put_provider(self, provider: Provider) -> None:
        """Keep it, in place of what was kept under its id."""

    async def remove_provider(self, provider_id: str) -> None:
        """Forget it; an unknown one is left unknown."""

    async def providers(self) -> list[Provider]:
        """Those that registered first come first."""

    async def put_assignments(self, assignments: Assignments) -> None:
        """Keep these and no others."""

    async def assignments(self) -> Assignments: ...
