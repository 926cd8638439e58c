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
    for number, name in enumerate(descriptor_files(root)):
        if number == FILES:
            faults.append(
                Fault(file=name, path="$", message=Message(f"more than {FILES} files", f"文件超过 {FILES} 个"))
            )
            break
        try:
            descriptors.append(read_descriptor(_read(root, name), name))
        except FaultyDescriptor as error:
            faults += error.faults
        except OSError as error:
            why = error.strerror or type(error).__name__
            faults.append(Fault(file=name, path="$", message=Message(f"cannot be read: {why}", f"无法读取：{why}")))
    return Loaded(descriptors=tuple(descriptors), faults=tuple(faults))


def descriptor_files(root: Path) -> Iterator[str]:
    """Their paths below `root`, in the order of their names, folder by folder."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        folders = []
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and is_descriptor_name(entry.name):
                yield folder + entry.name
            elif entry.is_dir(follow_symlinks=False) and entry.name not in _FOLDERS_LEFT_OUT and entry.name[0] != ".":
                folders.append(f"{folder}{entry.name}/")
        waiting += reversed(folders)


def is_descriptor_name(name: str) -> bool:
    """Whether a file of this name, outside a folder `ui`, is a description."""
    return name.endswith(".json") and name != "manifest.json" and not name.startswith(".")


def _read(root: Path, name: str) -> bytes:
    # A Path for each of ten thousand files takes longer than reading it, and so does room for the largest.
    with open(f"{root}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 — see above
        return file.read(min(os.fstat(file.fileno()).st_size, DESCRIPTOR_BYTES) + 1)
