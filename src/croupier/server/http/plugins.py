"""Plugins of packs over HTTP: which there are, their files, and the frame that each runs in.

| address | answer |
|---|---|
| `/api/plugins` | those of the packs that count |
| `/plugins/PACK/DIGEST/frame/PATH` | a document that runs the script PATH of the pack, and nothing else |
| `/plugins/PACK/DIGEST/files/PATH` | the script, and what lies beside it |

The frame is sandboxed: its origin is nobody's, so it has no cookies, and nothing that it asks for carries any. Whoever knows the
digest of a pack's content gets its files.
"""

import re
from dataclasses import dataclass
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Response

from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.addresses import is_loopback
from croupier.server.http.asking import ANSWERS_PROBLEMS, json_answer
from croupier.server.http.exchange import Answer, Exchange
from croupier.server.http.late import LateRoute
from croupier.server.http.page import READING
from croupier.server.packs.plugins import Plugin, Plugins
from croupier.server.web import policy
from croupier.server.web.site import type_of

PREFIX = "/plugins/"

_ADDRESS = re.compile(r"/plugins/([A-Za-z0-9][A-Za-z0-9._-]{0,63})/([0-9a-f]{64})/(frame|files)/(.{1,400})", re.DOTALL)
_HOST = re.compile(rb"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

_FRAME = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>{pack}</title>
<script type="module" src="{script}"></script>
</head>
<body></body>
</html>
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginEntry:
    pack: str
    version: str
    digest: str
    path: str
    renderers: list[str]
    """The names of views that it draws."""
    frame: str
    """The path of the document to be loaded in an `<iframe sandbox="allow-scripts">`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginList:
    plugins: list[PluginEntry]


class Wanted(NamedTuple):
    pack: str
    digest: str
    is_frame: bool
    path: str


def plugin_routes(plugins: Plugins) -> APIRouter:
    routes = APIRouter(tags=["packs"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/plugins", response_model=PluginList)
    async def list_plugins() -> Response:
        """What enabled packs bring for the page: scripts that draw answers, and the frames they run in."""
        return json_answer(PluginList(plugins=[_entry(each) for each in await plugins.list()]))

    return routes


def _entry(plugin: Plugin) -> PluginEntry:
    return PluginEntry(
        pack=plugin.pack,
        version=plugin.version,
        digest=plugin.digest,
        path=plugin.path,
        renderers=list(plugin.renderers),
        frame=f"{_folder(plugin)}frame/{quote(plugin.path)}",
    )


class PluginDoor:
    """Serves frames and files; nobody has to be signed in."""

    name = "plugin"
    is_counted = True

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def takes(self, exchange: Exchange) -> bool:
        return exchange.method in READING and exchange.path.startswith(PREFIX)

    async def answer(self, exchange: Exchange) -> Answer:
        """Raises NotFound, and InvalidArgument for a Host that is no plain name."""
        wanted = _wanted(exchange.path)
        if wanted.is_frame:
            plugin = await self._plugins.get(wanted.pack, wanted.digest, wanted.path)
            return _frame(plugin, _origin(exchange))
        content = await self._plugins.file(wanted.pack, wanted.digest, wanted.path)
        return Answer(200, type_of(wanted.path), content, policy.PLUGIN_FILE)


def _wanted(path: str) -> Wanted:
    found = _ADDRESS.fullmatch(path)
    if found is None:
        raise NotFound("there is no such plugin: `GET /api/plugins` lists them")
    return Wanted(found[1], found[2], found[3] == "frame", found[4])


def _frame(plugin: Plugin, origin: str) -> Answer:
    folder = _folder(plugin)
    script = f"{folder}files/{quote(plugin.path)}"
    content = _FRAME.format(pack=escape(plugin.pack), script=escape(script)).encode()
    return Answer(200, b"text/html; charset=utf-8", content, policy.plugin_frame(f"{origin}{folder}files/", origin))


def _folder(plugin: Plugin) -> str:
    return f"{PREFIX}{plugin.pack}/{plugin.digest}/"


def _origin(exchange: Exchange) -> str:
    """Under which the browser called; whatever is in front of a server beyond this machine speaks TLS."""
    host = exchange.headers.get(b"host", b"").strip()
    if not _HOST.fullmatch(host):
        raise InvalidArgument("the Host header is no plain name")
    scheme = "http" if is_loopback(host) and exchange.scope.get("scheme", "http") == "http" else "https"
    return f"{scheme}://{host.decode()}"
