"""PORT: what must be kept of installed packs. The promises of `croupier.store` hold here too."""

from collections.abc import Sequence
from typing import Protocol

from croupier.domain.pack import InstalledPack


class PackStore(Protocol):
    async def replace(self, packs: Sequence[InstalledPack], forget: Sequence[str] = ()) -> None:
        """Keep these in place of what was kept under their names, and nothing of those that are named in `forget`.
        All of it or none.
        """

    async def packs(self) -> list[InstalledPack]:
        """By name."""
