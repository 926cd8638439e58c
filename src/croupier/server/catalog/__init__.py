"""What is known of the functions that can be called, and whether a call fits its function.

    packs ─────── sources ─┐
    providers ─── sources ─┴─► Snapshot (whole, replaced at once) ─┐
                                                                   ├─► Catalog.check(call) ─► Entry, held by the call
    agents' registrations ────► Spoken (agent by agent) ───────────┘

A function is described by a pack, else by a provider, else by the game servers of its own scope. A function that nobody
describes can be called all the same; its payload is then passed on unchecked.
"""

from croupier.server.catalog.catalog import MOST_PROVIDERS, Catalog, Pack
from croupier.server.catalog.checking import compile_schema
from croupier.server.catalog.entry import Entry, Kind, Origin
from croupier.server.catalog.snapshot import Snapshot, Source

__all__ = ["MOST_PROVIDERS", "Catalog", "Entry", "Kind", "Origin", "Pack", "Snapshot", "Source", "compile_schema"]
