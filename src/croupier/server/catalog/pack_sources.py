import asyncio
from collections.abc import Sequence

from croupier.server.catalog.catalog import Catalog, Pack, source_of_pack
from croupier.server.catalog.snapshot import Source


class PackSources:
    """Packs on their way into the catalog: made ready on a thread, one that was there already only once.

    Installed packs go before those that lie in folders; of one name, the installed one takes the other's place.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._installed: Sequence[Pack] = ()
        self._lying: Sequence[Pack] = ()
        self._made: dict[int, tuple[Pack, Source]] = {}
        """By the pack's identity; packs never change."""
        self._changing = asyncio.Lock()

    async def use_installed(self, packs: Sequence[Pack]) -> None:
        """From now on these are the installed packs that count, and no others; of two with one function the first."""
        async with self._changing:
            self._installed = packs
            await self._renew()

    async def use_lying(self, packs: Sequence[Pack]) -> None:
        """From now on these are the packs in folders, and no others."""
        async with self._changing:
            self._lying = packs
            await self._renew()

    async def _renew(self) -> None:
        installed = {pack.name for pack in self._installed}
        packs = [*self._installed, *(pack for pack in self._lying if pack.name not in installed)]
        new = [pack for pack in packs if id(pack) not in self._made]
        if new:
            known = {source.origin.name: source for _, source in self._made.values()}
            sources = await asyncio.to_thread(lambda: [source_of_pack(pack, known.get(pack.name)) for pack in new])
            self._made.update((id(pack), (pack, source)) for pack, source in zip(new, sources, strict=True))
        self._made = {id(pack): self._made[id(pack)] for pack in packs}
        self._catalog.use_sources(packs=[self._made[id(pack)][1] for pack in packs])
