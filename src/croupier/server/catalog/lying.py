"""Packs as they lie in folders, read again when something of them changes."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from croupier.descriptors import Fault, Message
from croupier.descriptors.loading import is_descriptor_name
from croupier.errors import CroupierError
from croupier.packs.bounds import UNPACKED_BYTES
from croupier.packs.folder import read_file, walk_folder
from croupier.packs.manifest import MANIFEST_FILE
from croupier.packs.names import Names, canonical, is_hidden
from croupier.packs.pack import FaultyPack, Pack
from croupier.packs.reading import read_pack, revised
from croupier.packs.refusal import ArchiveRefused
from croupier.packs.remembered import Remembered

DEPTH = 4
"""How many folders below a directory of the settings packs are looked for."""
MOST_PACKS = 500
"""Of one directory."""

_NO_MANIFEST = b'{"functions": []}'
_OWN_PLACES = frozenset({"descriptors", "ui", "web-plugin"})

Stamp = tuple[int, int, int, int]
"""What changes with a file's content: its number, size, and times of change."""


def pack_folders(directory: Path) -> list[Path]:
    """A folder with a manifest is a pack, and so is one without that holds descriptions; in others their folders are looked at.

    Raises OSError.
    """
    return [folder for folder, _ in zip(_found(directory, DEPTH), range(MOST_PACKS), strict=False)]


def _found(folder: Path, depth: int) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    names = {entry.name for entry in found}
    if names & {MANIFEST_FILE, "descriptors"} or any(is_descriptor_name(name) for name in names):
        yield folder
    elif depth:
        for entry in found:
            if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name):
                yield from _found(Path(entry.path), depth - 1)


class LyingPack:
    """One folder. It is used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pack: Pack | None = None
        """As it was when it was last good."""
        self.faults: tuple[Fault, ...] = ()
        """What keeps it from being what it is now."""
        self._files: dict[str, bytes] = {}
        self._stamps: dict[str, Stamp] = {}
        self._remembered = Remembered()

    def look(self, changed: Iterable[Path] | None = None) -> None:
        """Read anew what changed; without a list, look at every file. A pack that is faulty stays what it was."""
        try:
            touched = None if changed is None else self._touched(changed)
            if touched is None:
                if self._look_at_all() or self.faults:
                    self._read({})
            elif touched or self.faults:
                self._read(touched)
        except FaultyPack as error:
            self.faults = tuple(self._as_written(fault) for fault in error.faults)
        except CroupierError as error:
            self.faults = (_fault(error.message),)
            self._stamps.clear()
        except OSError as error:
            self.faults = (_fault(f"cannot be read: {error.strerror or type(error).__name__}"),)
            self._stamps.clear()

    def _read(self, touched: Mapping[str, bytes]) -> None:
        """`touched` is all that changed since the pack was good; nothing where that is not known."""
        if touched and self.pack is not None and not self.faults and MANIFEST_FILE in self._files:
            self.pack = revised(self.pack, touched, self._remembered) or self._whole()
        else:
            self.pack = self._whole()
        self.faults = ()

    def _whole(self) -> Pack:
        files = self._files if MANIFEST_FILE in self._files else dict(_with_manifest(self._files))
        self._remembered.keep(files)
        return read_pack(files, self.folder.name, self._remembered)

    def _as_written(self, fault: Fault) -> Fault:
        """Without the folder that it was put into."""
        bare = fault.file.removeprefix("descriptors/")
        return replace(fault, file=bare) if fault.file not in self._files and bare in self._files else fault

    # ------------------------------------------------------------------------------------------------ files

    def _look_at_all(self) -> bool:
        """Whether anything is other than it was. Raises as `packs.folder.read_folder` does."""
        names, room = Names(), UNPACKED_BYTES
        files: dict[str, bytes] = {}
        stamps: dict[str, Stamp] = {}
        start = len(self.folder.as_posix()) + 1
        for place in walk_folder(self.folder):
            name = canonical(place.as_posix()[start:])
            names.add_file(name)
            stamps[name] = stamp = _stamp(place)
            is_same = self._stamps.get(name) == stamp
            files[name] = self._files[name] if is_same else read_file(place, name)
            room -= len(files[name])
            if room < 0:
                raise ArchiveRefused(f"{self.folder} holds more than {UNPACKED_BYTES} bytes")
        is_other = stamps != self._stamps or self.pack is None
        self._files, self._stamps = files, stamps
        return is_other

    def _touched(self, changed: Iterable[Path]) -> dict[str, bytes] | None:
        """The new contents of files that were there; None where files came or went. Raises as `_look_at_all` does."""
        touched, stamps = {}, {}
        for place in changed:
            name = place.relative_to(self.folder).as_posix()
            if name in self._stamps and place.is_file():
                stamps[name] = _stamp(place)
                touched[name] = read_file(place, name)
            elif is_hidden(name):
                continue
            elif name in self._stamps or place.exists() or any(each.startswith(f"{name}/") for each in self._files):
                return None
        self._stamps.update(stamps)
        self._files.update(touched)
        return touched


def _stamp(place: Path) -> Stamp:
    found = place.lstat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _with_manifest(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files of a folder that has no manifest, in the places that a pack has for them."""
    yield MANIFEST_FILE, _NO_MANIFEST
    for name, content in files.items():
        folder, inside, _ = name.partition("/")
        is_placed = bool(inside) and folder in _OWN_PLACES
        is_description = is_descriptor_name(name.rpartition("/")[2]) and "ui" not in name.split("/")[:-1]
        yield (f"descriptors/{name}" if is_description and not is_placed else name), content


def _fault(why: str) -> Fault:
    return Fault(file=".", path="$", message=Message(why, why))
