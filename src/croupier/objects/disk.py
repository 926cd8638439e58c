"""Objects as files: written beside their name, forced to the disk, then renamed."""

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar
from weakref import WeakValueDictionary

from croupier.errors import InvalidArgument, NotFound, Unavailable

T = TypeVar("T")

CHUNK = 262_144
"""Bytes read at a time."""

_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_PARTS = 8
_UNFINISHED = ".unfinished"
"""Before the name of a file that is being written; no object's name begins with a dot."""


class DiskObjects:
    """`croupier.objects.Objects` in a folder, which is made when it is first needed. One process uses it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, name: str, content: AsyncIterator[bytes]) -> None:
        path = self._path(name)
        # One at a time to a name: so the unfinished file has one name, and what a kill left of it is written over.
        async with self._writing.setdefault(name, asyncio.Lock()):
            await self._write(path, content)

    async def _write(self, path: Path, content: AsyncIterator[bytes]) -> None:
        unfinished = path.with_name(_UNFINISHED + path.name)
        file = await _on_disk(lambda: _create(unfinished))
        try:
            async for chunk in content:
                await _on_disk(partial(file.write, chunk))
            await _on_disk(lambda: _finish(file, unfinished, path))
        except BaseException:
            file.close()
            unfinished.unlink(missing_ok=True)
            raise

    async def get(self, name: str) -> AsyncIterator[bytes]:
        path = self._path(name)
        file = await _on_disk(lambda: _open(path))
        try:
            while chunk := await _on_disk(lambda: file.read(CHUNK)):
                yield chunk
        finally:
            file.close()

    async def names(self, folder: str) -> list[str]:
        path = self._path(folder)
        return await _on_disk(lambda: sorted({f"{folder}/{name}" for name in _files(path)}))

    async def delete(self, name: str) -> None:
        path = self._path(name)
        await _on_disk(lambda: path.unlink(missing_ok=True))
        if name not in self._writing:
            await _on_disk(lambda: path.with_name(_UNFINISHED + path.name).unlink(missing_ok=True))

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if len(parts) > _PARTS or not all(_PART.fullmatch(part) for part in parts):
            raise InvalidArgument(f"{name[:200]!r} is no name of an object")
        return self._folder.joinpath(*parts)


def _files(folder: Path) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        for entry in folder.iterdir():
            if entry.is_file():
                yield entry.name.removeprefix(_UNFINISHED)


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb")


def _finish(file: BinaryIO, unfinished: Path, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound(f"there is no object {path.name}") from None


async def _on_disk(step: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(step)
    except OSError as error:
        raise Unavailable(f"the objects' folder cannot be used: {error.strerror}; look at the disk") from error
