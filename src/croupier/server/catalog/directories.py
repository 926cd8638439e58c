"""Packs in the directories of the settings: loaded as they lie, and again as soon as something of them changes.

a file changes ──► watchfiles ──► LyingPack (only that file is read) ──► Pack ──► PackSources ──► Catalog
                    (gathered)     on a thread                          whole, or the one before it and faults
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from watchfiles import awatch

from croupier.descriptors import Fault, Message
from croupier.errors import FailedPrecondition
from croupier.packs.pack import Pack
from croupier.server.catalog.entry import Kind, LoadFault, Origin
from croupier.server.catalog.lying import LyingPack, pack_folders
from croupier.server.catalog.pack_sources import PackSources

log = logging.getLogger(__name__)

STEP_MS, GATHER_MS = 50, 500
"""Changes are taken up when nothing changed for so long, and after so long at most."""
LOGGED_FAULTS = 10


class Directories:
    """`begin` comes first, `stop` last. An earlier directory's packs go before a later one's."""

    def __init__(self, directories: Sequence[Path], sources: PackSources) -> None:
        self._directories = [directory.resolve() for directory in directories]
        self._sources = sources
        self._packs: dict[Path, LyingPack] = {}
        self.packs: Sequence[Pack] = ()
        """Those that are in the catalog now."""
        self._faults: list[LoadFault] = []
        self._unwatched: list[LoadFault] = []
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Load everything. What is wrong with a pack is logged and told by `faults`.

        Raises FailedPrecondition for a directory that is not there.
        """
        for directory in self._directories:
            if not await asyncio.to_thread(directory.is_dir):
                raise FailedPrecondition(
                    f"packs.directories names {directory}, which is no folder: make it, or take it out"
                )
        if self._directories:
            self._watching = asyncio.create_task(self._watch())
            await asyncio.sleep(0)  # from here on it is watched, so nothing is missed between the look and the watch
            await self.look(None)

    async def reload(self) -> Sequence[Fault]:
        """Look at every file again; returns what is wrong, each fault with its pack's folder before the file's name."""
        if self._directories:
            await self.look(None)
        return [found.fault for found in self.faults()]

    def faults(self) -> Sequence[LoadFault]:
        return [*self._faults, *self._unwatched]

    async def stop(self) -> None:
        self._stopping.set()
        if self._watching is not None:
            await self._watching

    # ------------------------------------------------------------------------------------------------ looking

    async def _watch(self) -> None:
        try:
            async for changes in awatch(
                *self._directories, stop_event=self._stopping, step=STEP_MS, debounce=GATHER_MS
            ):
                await self.look([Path(place) for _, place in changes])
        except Exception as error:
            log.exception("folders of packs are not watched any more")
            en = f"changes are not noticed any more ({error}): POST /api/packs/reload reads them, a restart watches again"
            zh = f"不再监视目录变化（{error}）：可用 POST /api/packs/reload 重新读取，重启后恢复监视"
            self._unwatched = [
                _told(each, Fault(file=".", path="$", message=Message(en, zh))) for each in self._directories
            ]

    async def look(self, changed: Sequence[Path] | None) -> None:
        async with self._changing:
            packs, self._faults = await asyncio.to_thread(self._looked, changed)
            self.packs = packs
            await self._sources.use_lying(packs)
        for found in self._faults[:LOGGED_FAULTS]:
            log.warning("pack %s (%d faults in folders): %s", found.origin.name, len(self._faults), found.fault)
        count = sum(len(pack.functions) for pack in packs)
        log.info("folders hold %d packs that describe %d functions", len(packs), count)

    def _looked(self, changed: Sequence[Path] | None) -> tuple[list[Pack], list[LoadFault]]:
        """On a thread."""
        faults: list[LoadFault] = []
        folders = self._folders(faults)
        self._packs = {folder: self._packs.get(folder) or LyingPack(folder) for folder in folders}
        for folder, pack in self._packs.items():
            if changed is None or (pack.pack is None and not pack.faults):
                pack.look()
            elif within := [place for place in changed if place.is_relative_to(folder)]:
                pack.look(within)
            faults += [_told(folder, fault) for fault in pack.faults]
        return self._distinct(faults), faults

    def _folders(self, faults: list[LoadFault]) -> list[Path]:
        found: dict[Path, None] = {}
        for directory in self._directories:
            try:
                found.update(dict.fromkeys(pack_folders(directory)))
            except OSError as error:
                why = f"cannot be read: {error.strerror or type(error).__name__}"
                faults.append(_told(directory, Fault(file=".", path="$", message=Message(why, why))))
        return list(found)

    def _distinct(self, faults: list[LoadFault]) -> list[Pack]:
        """Of two packs with one name the first."""
        named: dict[str, tuple[Path, Pack]] = {}
        for folder, lying in self._packs.items():
            if lying.pack is None:
                continue
            first, _ = named.setdefault(lying.pack.name, (folder, lying.pack))
            if first != folder:
                said = f"left out: {first.name} before it is named {lying.pack.name} too"
                zh = f"已忽略：之前的 {first.name} 也名为 {lying.pack.name}"
                faults.append(_told(folder, Fault(file=".", path="$", message=Message(said, zh))))
        return [pack for _, pack in named.values()]


def _told(folder: Path, fault: Fault) -> LoadFault:
    where = Fault(file=f"{folder.name}/{fault.file}", path=fault.path, message=fault.message)
    return LoadFault(origin=Origin(kind=Kind.PACK, name=folder.name), fault=where)
