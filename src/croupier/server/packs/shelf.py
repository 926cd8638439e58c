"""The archives of installed packs, as objects named after their content."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

from croupier.domain.pack import InstalledPack, PackState, PackVersion
from croupier.errors import CroupierError, FailedPrecondition, InternalError, NotFound
from croupier.objects import Objects
from croupier.packs.pack import Pack
from croupier.packs.reading import read_pack
from croupier.packs.signing import parse_signature
from croupier.packs.tar import read_own_archive, write_archive

log = logging.getLogger(__name__)

FOLDER = "packs"
_CHUNK = 262_144


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A pack that the server knows: what is kept of it, and what it is."""

    record: InstalledPack
    pack: Pack | None
    """None for one that is uninstalled or cannot be read."""
    problem: str = ""
    """Why it cannot be read."""
    lying: bool = False
    """It lies in a folder of the settings, and is changed there."""

    @property
    def enabled(self) -> bool:
        return self.record.state is PackState.ENABLED and self.pack is not None


class Shelf:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def put(self, pack: Pack) -> None:
        """Keep the pack's content; its signature is kept with the record, so that it cannot be exchanged behind it."""
        await self._objects.put(_name(pack.digest), _pieces(await asyncio.to_thread(write_archive, pack.files)))

    async def load(self, name: str, version: PackVersion) -> Pack:
        """The pack as it was installed. Raises FailedPrecondition when it is not kept any more, or was changed."""
        try:
            archive = await self._read(version.digest)
            pack = await asyncio.to_thread(_read, archive, name)
        except NotFound:
            raise FailedPrecondition(
                f"the archive of pack {name} is not there any more: import the pack again"
            ) from None
        if pack.digest != version.digest:
            raise FailedPrecondition(f"the archive of pack {name} was changed on the disk: import the pack again")
        return replace(pack, signature=parse_signature(version.signature.encode()) if version.signature else None)

    async def held(self, record: InstalledPack) -> Held:
        """What is kept of a pack, with the pack; one that cannot be read is logged, and does not keep the others away."""
        if not record.installed:
            return Held(record=record, pack=None)
        try:
            return Held(record=record, pack=await self.load(record.name, record.current))
        except InternalError:
            raise
        except CroupierError as error:
            log.error("pack %s cannot be used: %s", record.name, error.message)  # noqa: TRY400 — the words say it all
            return Held(record=record, pack=None, problem=error.message)

    async def clear(self, records: Iterable[InstalledPack]) -> None:
        """Delete the archives that none of `records` names: what a kill left, and versions that are forgotten."""
        named = {_name(version.digest) for record in records for version in record.versions}
        for name in await self._objects.names(FOLDER):
            if name not in named:
                await self._objects.delete(name)

    async def _read(self, digest: str) -> bytes:
        found = bytearray()
        async for chunk in self._objects.get(_name(digest)):
            found += chunk
        return bytes(found)


def _read(archive: bytes, name: str) -> Pack:
    return read_pack(read_own_archive(archive), name)


def _name(digest: str) -> str:
    return f"{FOLDER}/{digest}.tgz"


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]
