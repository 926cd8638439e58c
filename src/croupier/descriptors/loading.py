"""Every description of a folder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from croupier.descriptors.entity import Descriptor
from croupier.descriptors.faults import Fault, FaultyDescriptor, Message
from croupier.descriptors.reading import DESCRIPTOR_BYTES, read_descriptor

FILES = 100_000
"""How many files one folder may hold."""

_FOLDERS_LEFT_OUT = frozenset({"ui", "web-plugin", "node_modules"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    descriptors: tuple[Descriptor, ...]
    """By file name."""
    faults: tuple[Fault, ...]


def load_directory(root: Path) -> Loaded:
    """The descriptions of all `*.json` below `root`, and what is wrong with the others.

    Left out: folders named `ui`, hidden ones, links, and `manifest.json`. Reads the disk: run it in a thread.
    """
    descriptors: list[Descriptor] = []
    faults: list[Fault] = []
    for number, path in enumerate(descriptor_files(root)):
        name = path.relative_to(root).as_posix()
        if number == FILES:
            faults.append(
                Fault(file=name, path="$", message=Message(f"more than {FILES} files", f"文件超过 {FILES} 个"))
            )
            break
        try:
            descriptors.append(read_descriptor(_read(path), name))
        except FaultyDescriptor as error:
            faults += error.faults
        except OSError as error:
            why = error.strerror or type(error).__name__
            faults.append(Fault(file=name, path="$", message=Message(f"cannot be read: {why}", f"无法读取：{why}")))
    return Loaded(descriptors=tuple(descriptors), faults=tuple(faults))


def descriptor_files(root: Path) -> Iterator[Path]:
    """In the order of their names, folder by folder."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _FOLDERS_LEFT_OUT and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if is_descriptor_name(name) and not path.is_symlink():
                yield path


def is_descriptor_name(name: str) -> bool:
    """Whether a file of this name, outside a folder `ui`, is a description."""
    return name.endswith(".json") and name != "manifest.json" and not name.startswith(".")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(DESCRIPTOR_BYTES + 1)
