"""A folder of files as a pack has them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from croupier.errors import NotFound
from croupier.packs.bounds import FILE_BYTES, MOST_ENTRIES, UNPACKED_BYTES
from croupier.packs.names import Names, canonical, is_hidden
from croupier.packs.refusal import ArchiveRefused


def read_folder(folder: Path) -> dict[str, bytes]:
    """Its files by their canonical names, sorted; hidden ones are left out.

    Raises ArchiveRefused as for an archive (links, special files, sizes, names), NotFound when it is no folder, OSError.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    names, files = Names(), {}
    room = UNPACKED_BYTES
    for place in walk_folder(folder):
        name = canonical(place.relative_to(folder).as_posix())
        names.add_file(name)
        files[name] = read_file(place, name)
        room -= len(files[name])
        if room < 0:
            raise ArchiveRefused(f"{folder} holds more than {UNPACKED_BYTES} bytes")
    return dict(sorted(files.items()))


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write them below `folder`, which is made; their names are canonical. Raises OSError, FileExistsError among them."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(content)


def walk_folder(folder: Path) -> Iterator[Path]:
    """The files of it, links and special files among them. Raises ArchiveRefused beyond the bounds, OSError."""
    count = 0
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if is_hidden(entry.name):
                continue
            count += 1
            if count > MOST_ENTRIES:
                raise ArchiveRefused(f"{folder} has more than {MOST_ENTRIES} entries")
            place = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                canonical(place.relative_to(folder).as_posix())  # its depth, before it is walked
                waiting.append(place)
            else:
                yield place


def read_file(place: Path, name: str) -> bytes:
    """Opened first and looked at then, so that it cannot become something else in between.

    Raises ArchiveRefused, naming `name`, for what is no file or too large; OSError.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if place.is_symlink():
            raise ArchiveRefused(f"{name!a} is a symbolic link: a pack holds files and folders only") from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArchiveRefused(f"{name!a} is neither a file nor a folder: a pack holds files and folders only")
        content = file.read(FILE_BYTES + 1)
    if len(content) > FILE_BYTES:
        raise ArchiveRefused(f"{name!a} is larger than {FILE_BYTES} bytes")
    return content
