"""The built page, read whole: what is served is looked up by address, and no address leads to the disk."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from croupier.errors import FailedPrecondition
from croupier.server.web.built import INDEX_FILE
from croupier.server.web.index import Index, read_index

MOST_FILES = 2_000
MOST_BYTES = 64 * 1024 * 1024
"""All files of a page together, the compressed ones among them."""

ASSETS = "/assets/"
"""Below it every file that the build made is named after its content."""

_HASHED = re.compile(r"/assets/(?:.*/)?[^/]*[-.][A-Za-z0-9_-]{8,}\.[A-Za-z0-9.]+")

_TYPES: Mapping[str, bytes] = {
    ".css": b"text/css; charset=utf-8",
    ".gif": b"image/gif",
    ".html": b"text/html; charset=utf-8",
    ".ico": b"image/x-icon",
    ".jpg": b"image/jpeg",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".map": b"application/json",
    ".mjs": b"text/javascript; charset=utf-8",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".wasm": b"application/wasm",
    ".webmanifest": b"application/manifest+json",
    ".webp": b"image/webp",
    ".woff": b"font/woff",
    ".woff2": b"font/woff2",
}
"""What there is no type for is sent as bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    content: bytes = field(repr=False)
    brotli: bytes | None = field(repr=False)
    """The same, compressed when the page was built."""
    type: bytes
    digest: str
    immutable: bool
    """Whether its name says what is in it, so that it can be kept for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Every file of the page; a value, so that a page that is built anew is the old one or the new one, whole."""

    index: Index
    assets: Mapping[str, Asset] = field(repr=False)
    """By the path of its address."""


def type_of(name: str) -> bytes:
    return _TYPES.get(PurePosixPath(name).suffix.lower(), b"application/octet-stream")


def read_site(folder: Path) -> Site:
    """Takes as long as the disk does. Raises FailedPrecondition for what is no built page, or is too much."""
    try:
        files = dict(_files(folder))
    except OSError as error:
        raise FailedPrecondition(f"the page in {folder} cannot be read: {error.strerror}") from error
    index = files.pop(f"/{INDEX_FILE}", None)
    if index is None:
        raise FailedPrecondition(f"there is no {INDEX_FILE} in {folder}: build the page there (make web)")
    assets = {path: _asset(path, files) for path in files if not path.endswith(".br")}
    return Site(index=read_index(index), assets=MappingProxyType(assets))


def _asset(path: str, files: Mapping[str, bytes]) -> Asset:
    content, packed = files[path], files.get(f"{path}.br")
    return Asset(
        content=content,
        brotli=packed if packed is not None and len(packed) < len(content) else None,
        type=type_of(path),
        digest=hashlib.sha256(content).hexdigest()[:32],
        immutable=_HASHED.fullmatch(path) is not None,
    )


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    size = 0
    for count, path in enumerate(_paths(folder), start=1):
        size += path.stat().st_size
        if count > MOST_FILES or size > MOST_BYTES:
            raise FailedPrecondition(
                f"the page in {folder} has more than {MOST_FILES} files or {MOST_BYTES >> 20} MB: it is not what the build makes"
            )
        yield f"/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _paths(folder: Path) -> Iterator[Path]:
    """Its files, hidden ones and what links lead to left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path
