"""What packs bring for the page: scripts that draw answers, which the page runs in a frame that has nothing.

A plugin is known by its pack and the pack's digest. The digest is over the content, so only those know it who have the pack or
were told by this server; and what it names never changes.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from croupier.descriptors.shown import RENDERERS
from croupier.errors import NotFound
from croupier.packs.manifest import WebPlugin
from croupier.packs.pack import Pack

FILE_BYTES = 4 * 1024 * 1024

TYPES = frozenset(
    {".css", ".gif", ".jpg", ".js", ".json", ".map", ".mjs", ".png", ".svg", ".txt", ".webp", ".woff", ".woff2"}
)
"""What a plugin may be made of. Documents are not among it: its frame is the server's."""

_DRAWN_BY_THE_PAGE = frozenset(RENDERERS.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugin:
    pack: str
    version: str
    """As the pack says it; empty where it says none."""
    digest: str
    """The pack's."""
    path: str
    """Of its script in the pack."""
    renderers: tuple[str, ...]


class Plugins:
    """Of the packs that count at the moment; `counting` tells them."""

    def __init__(self, counting: Callable[[], Sequence[Pack]]) -> None:
        self._counting = counting

    async def list(self) -> list[Plugin]:
        """Every plugin, by pack."""
        packs = sorted((pack for pack in self._counting() if pack.web_plugins), key=lambda pack: pack.name)
        return await asyncio.to_thread(lambda: [_plugin(pack, each) for pack in packs for each in pack.web_plugins])

    async def get(self, name: str, digest: str, path: str) -> Plugin:
        """Raises NotFound."""
        pack = await self._pack(name, digest)
        found = next((each for each in pack.web_plugins if each.path == path), None)
        if found is None:
            raise _unknown()
        return _plugin(pack, found)

    async def file(self, name: str, digest: str, path: str) -> bytes:
        """A plugin's script, or what lies beside or below it. Raises NotFound."""
        pack = await self._pack(name, digest)
        content = pack.files.get(path)
        if content is None or not _belongs(path, pack.web_plugins):
            raise _unknown()
        if PurePosixPath(path).suffix.lower() not in TYPES or len(content) > FILE_BYTES:
            raise NotFound(
                f"this file of the pack is not served: a plugin is made of {', '.join(sorted(TYPES))}, each file of at most "
                f"{FILE_BYTES >> 20} MB"
            )
        return content

    async def _pack(self, name: str, digest: str) -> Pack:
        found = next((pack for pack in self._counting() if pack.name == name and pack.web_plugins), None)
        # On a thread: the digest of a large pack in a folder is worked out when it is first asked for.
        known = await asyncio.to_thread(lambda: found.digest) if found is not None else ""
        if found is None or not hmac.compare_digest(known.encode(), digest.encode(errors="replace")):
            raise _unknown()
        return found


def _unknown() -> NotFound:
    return NotFound("there is no such plugin: its pack may have been changed or disabled, load the page again")


def _plugin(pack: Pack, plugin: WebPlugin) -> Plugin:
    return Plugin(
        pack=pack.name,
        version=pack.version,
        digest=pack.digest,
        path=plugin.path,
        renderers=plugin.renderers or _named_by_views(pack),
    )


def _named_by_views(pack: Pack) -> tuple[str, ...]:
    named = {view.renderer for function in pack.functions for view in function.outputs.views}
    return tuple(sorted(named - _DRAWN_BY_THE_PAGE))


def _belongs(path: str, plugins: Sequence[WebPlugin]) -> bool:
    """Whether it is a plugin, or lies in a plugin's folder; a plugin at the pack's root has none."""
    folders = {PurePosixPath(each.path).parent for each in plugins} - {PurePosixPath()}
    return any(path == each.path for each in plugins) or not folders.isdisjoint(PurePosixPath(path).parents)
