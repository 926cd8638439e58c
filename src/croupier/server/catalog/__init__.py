"""What is known of the functions that can be called, and whether a call fits its function.

    packs ─────── sources ─┐
    providers ─── sources ─┴─► Snapshot (whole, replaced at once) ─┐
                                                                   ├─► Catalog.check(call) ─► Entry, held by the call
    agents' registrations ────► Spoken (agent by agent) ───────────┘

A function is described by a pack, else by a provider, else by the game servers of its own scope. A function that nobody
describes can be called all the same; its payload is then passed on unchecked.
"""

from croupier.server.catalog.catalog import Catalog, Pack, source_of_pack
from croupier.server.catalog.entry import EntityEntry, Entry, Kind, Origin
from croupier.server.catalog.snapshot import Snapshot, Source

__all__ = ["Catalog", "EntityEntry", "Entry", "Kind", "Origin", "Pack", "Snapshot", "Source", "source_of_pack"]
