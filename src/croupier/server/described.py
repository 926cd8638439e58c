"""What fills the catalog, besides agents: packs, folders and providers, put together."""

from collections.abc import Iterator
from dataclasses import dataclass

from croupier.descriptors import Fault, Message
from croupier.objects import Objects
from croupier.server.catalog import Catalog, Kind, Origin
from croupier.server.catalog.assigned import AssignedFunctions
from croupier.server.catalog.directories import Directories
from croupier.server.catalog.entry import LoadFault
from croupier.server.catalog.pack_sources import PackSources
from croupier.server.catalog.providers import Providers
from croupier.server.gates import Gates
from croupier.server.packs import Packs, Trust
from croupier.settings import ServerSettings
from croupier.store import Store
from croupier.store.sql import system_clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What fills the catalog, besides agents."""

    catalog: Catalog
    assigned: AssignedFunctions
    providers: Providers
    packs: Packs
    directories: Directories

    async def begin(self) -> None:
        for part in (self.assigned, self.providers, self.packs, self.directories):
            await part.begin()

    async def stop(self) -> None:
        await self.directories.stop()
        await self.packs.stop()
        await self.catalog.spoken.stop()

    def faults(self) -> list[LoadFault]:
        return [*self.providers.faults(), *self.directories.faults(), *self._unreadable()]

    def _unreadable(self) -> Iterator[LoadFault]:
        for name, problem in self.packs.problems():
            fault = Fault(file=name, path="$", message=Message(problem, problem))
            yield LoadFault(origin=Origin(kind=Kind.PACK, name=name), fault=fault)


def described_by(settings: ServerSettings, gates: Gates, catalog: Catalog, store: Store, objects: Objects) -> Described:
    guard, audit, sources = gates.guard, gates.audit, PackSources(catalog)
    trust = Trust(keys=settings.packs.trusted_keys, allow_unsigned=settings.packs.allow_unsigned)
    directories = Directories(settings.packs.directories, sources)
    return Described(
        catalog=catalog,
        assigned=AssignedFunctions(guard=guard, audit=audit, catalog=catalog, store=store.catalog),
        providers=Providers(guard=guard, audit=audit, catalog=catalog, store=store.catalog, clock=system_clock),
        packs=Packs(
            guard=guard,
            audit=audit,
            store=store.packs,
            objects=objects,
            trust=trust,
            changed=sources.use_installed,
            clock=system_clock,
            lying=lambda: directories.packs,
        ),
        directories=directories,
    )
