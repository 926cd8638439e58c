"""The page over HTTP: its files, and its index under every address that a person may open.

| address | answer |
|---|---|
| `/assets/…`, and whatever else has an ending | the file that the build made; 404 where there is none |
| `/`, and any other for a browser that wants a document | the index |
| `/api/…` and what else programs use | not the page's |

Nobody has to be signed in for it: there is nothing in it but the program.
"""

from croupier.errors import NotFound
from croupier.server.http.exchange import Answer, Exchange
from croupier.server.http.negotiation import names_tag, wants
from croupier.server.http.not_built import NOT_BUILT
from croupier.server.http.problems import Headers
from croupier.server.web import policy
from croupier.server.web.page import BuiltPage
from croupier.server.web.site import ASSETS, Asset

READING = frozenset({"GET", "HEAD"})

PROGRAMS = frozenset({"api", "healthz", "invoke", "metrics", "plugins", "readyz", "start-job"})
"""First words of the addresses that are never the page's."""

SHARED = frozenset({"games", "jobs"})
"""First words that programs use, and the page where a document is wanted."""

_HTML = b"text/html; charset=utf-8"
_NEVER_KEPT = (b"cache-control", b"no-store")
_KEPT = (b"cache-control", b"public, max-age=31536000, immutable")
_ASKED_AGAIN = (b"cache-control", b"no-cache")


class PageDoor:
    name = "page"
    is_counted = False
    """However many ask: it costs less than to count them."""

    def __init__(self, page: BuiltPage) -> None:
        self._page = page

    def takes(self, exchange: Exchange) -> bool:
        """Whether the page answers this request."""
        if exchange.method not in READING:
            return False
        path = exchange.path
        first, _, rest = path[1:].partition("/")
        if first in PROGRAMS:
            return False
        if first in SHARED:
            return not rest.endswith("/stream") and _wants_document(exchange)
        return path == "/" or _is_file(path) or _wants_document(exchange)

    async def answer(self, exchange: Exchange) -> Answer:
        """A 304 among the answers has no body, nor headers that tell of one. Raises NotFound for a file that is not there."""
        path = exchange.path
        wants_file = path.startswith(ASSETS) or (_is_file(path) and not _wants_document(exchange))
        site = await (self._page.lately() if wants_file else self._page.now())
        asset = site.assets.get(path) if site is not None else None
        if asset is not None:
            return _file(exchange, asset)
        if wants_file:
            raise NotFound(f"there is no file {path}: the page may have been built anew, load it again")
        if site is None:
            return Answer(200, _HTML, NOT_BUILT, [_NEVER_KEPT, *policy.document("")])
        nonce, content = site.index.filled()
        return Answer(200, _HTML, content, [_NEVER_KEPT, (b"vary", b"Accept"), *policy.document(nonce)])


def _file(exchange: Exchange, asset: Asset) -> Answer:
    content, tag = asset.content, asset.digest
    headers: Headers = [_KEPT if asset.immutable else _ASKED_AGAIN, *policy.STATIC]
    if asset.brotli is not None:
        headers.append((b"vary", b"Accept-Encoding"))
        if wants(exchange.headers.get(b"accept-encoding", b""), b"br"):
            content, tag = asset.brotli, f"{tag}-br"
            headers.append((b"content-encoding", b"br"))
    headers.append((b"etag", b'"%s"' % tag.encode()))
    if names_tag(exchange.headers.get(b"if-none-match", b""), tag):
        return Answer(304, b"", b"", [each for each in headers if each[0] != b"content-encoding"])
    return Answer(200, asset.type, content, headers)


def _is_file(path: str) -> bool:
    """Whether its last part has an ending, as files have."""
    return path.startswith(ASSETS) or "." in path.rpartition("/")[2]


def _wants_document(exchange: Exchange) -> bool:
    """Browsers name HTML when a person opens an address; programs name JSON or whatever there is."""
    return wants(exchange.headers.get(b"accept", b""), b"text/html")
