"""Packs without a disk, and packs to install."""

import json
from collections.abc import Sequence
from typing import Any

from tests.planes.audit_testbed import audit_in_memory
from tests.planes.objects_testbed import ObjectsInMemory

from croupier.domain.pack import InstalledPack
from croupier.packs.pack import Pack
from croupier.packs.tar import write_archive
from croupier.server.access.guard import Guard
from croupier.server.packs import Packs, Trust


class PacksInMemory:
    """`croupier.store.packs.PackStore` for as long as a test lasts."""

    def __init__(self) -> None:
        self.kept: dict[str, InstalledPack] = {}

    async def replace(self, packs: Sequence[InstalledPack], forget: Sequence[str] = ()) -> None:
        self.kept |= {each.name: each for each in packs}
        for name in forget:
            self.kept.pop(name, None)

    async def packs(self) -> list[InstalledPack]:
        return sorted(self.kept.values(), key=lambda each: each.name)


class Told:
    """What the catalog would be told."""

    def __init__(self) -> None:
        self.packs: list[Pack] = []
        self.times = 0

    async def __call__(self, packs: Sequence[Pack]) -> None:
        self.packs = list(packs)
        self.times += 1

    @property
    def names(self) -> list[str]:
        return [pack.name for pack in self.packs]


def packs_in_memory(guard: Guard, **changes: Any) -> Packs:
    """Without a trusted key; unsigned packs are taken."""
    parts: dict[str, Any] = {
        "store": PacksInMemory(),
        "objects": ObjectsInMemory(),
        "trust": Trust(allow_unsigned=True),
        "changed": Told(),
        "clock": lambda: 1_700_000_000_000,
    }
    return Packs(guard=guard, audit=audit_in_memory(), **parts | changes)


def pack_files(name: str = "prom", functions: Sequence[str] = ("prom.query",), **manifest: Any) -> dict[str, bytes]:
    """A pack that says its name, with functions of one text argument."""
    said = {"id": name, "version": "1.0.0", "functions": [{"id": each} for each in functions], **manifest}
    params = {"type": "object", "properties": {"expr": {"type": "string"}}}
    described = {f"descriptors/{each}.json": json.dumps({"id": each, "params": params}) for each in functions}
    return {"manifest.json": json.dumps(said).encode(), **{file: text.encode() for file, text in described.items()}}


def pack_archive(name: str = "prom", functions: Sequence[str] = ("prom.query",), **manifest: Any) -> bytes:
    return write_archive(pack_files(name, functions, **manifest))
