import asyncio
import logging
from pathlib import Path

from croupier.errors import CroupierError
from croupier.server.web.built import INDEX_FILE, page_folder
from croupier.server.web.site import ASSETS, Site, read_site

_log = logging.getLogger(__name__)

_Mark = tuple[Path, int, int, int, int]
"""A folder; its index file: when it was written, how large, which; and when files last came to or left its assets."""


class BuiltPage:
    """The page of this installation, read when somebody first asks for it, and again when it was built anew."""

    def __init__(self, named: Path | None) -> None:
        """`named` is the folder that the settings name."""
        self._named = named
        self._site: Site | None = None
        self._mark: _Mark | None = None
        self._problem = ""
        self._turn = asyncio.Lock()

    async def now(self) -> Site | None:
        """As it is on the disk; while nothing is there, as it was. None where it was not built or cannot be read, which the
        log says once.
        """
        async with self._turn:
            mark = await asyncio.to_thread(_mark, self._named)
            if mark is not None and mark != self._mark:
                await self._read(mark)
            return self._site

    async def lately(self) -> Site | None:
        """As it was when somebody last opened it."""
        return self._site or await self.now()

    async def build(self) -> str:
        """The same for the same page; empty where there is none."""
        site = await self.now()
        return site.index.build if site is not None else ""

    async def _read(self, mark: _Mark) -> None:
        try:
            self._site, self._mark = await asyncio.to_thread(read_site, mark[0]), mark
            self._problem = ""
        except CroupierError as error:
            if error.message != self._problem:
                _log.warning("the page cannot be served: %s", error.message)
            self._site, self._mark, self._problem = None, None, error.message


def _mark(named: Path | None) -> _Mark | None:
    folder = page_folder(named)
    if folder is None:
        return None
    try:
        found = (folder / INDEX_FILE).stat()
        assets = folder / ASSETS.strip("/")
        changed = assets.stat().st_mtime_ns if assets.is_dir() else 0
    except OSError:
        return None
    return folder, found.st_mtime_ns, found.st_size, found.st_ino, changed
