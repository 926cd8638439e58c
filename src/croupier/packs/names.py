"""The names of files in a pack: the same file on every system, and nothing beside the pack."""

import re
import unicodedata

from croupier.packs.bounds import MOST_FOLDERS, NAME_BYTES
from croupier.packs.refusal import ArchiveRefused

_DRIVE = re.compile(r"[A-Za-z]:")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, those that reorder text, halves of pairs, line ends: such a name is not what it looks like."""


def canonical(name: str) -> str:
    """`name` as the pack knows it: relative, in NFC, without a leading `./`; empty for the pack's own folder.

    Raises ArchiveRefused.
    """
    if name.startswith("/") or _DRIVE.match(name):
        raise _refused(name, "is absolute: names are relative to the pack's folder")
    is_plain = (
        name.isascii() and name.isprintable()
    )  # nearly every name; looking at each character takes ten times as long
    if not is_plain and any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise _refused(name, "holds control characters, or is not UTF-8")
    if "\\" in name:
        raise _refused(name, "holds a backslash: folders are divided by /")
    name = unicodedata.normalize("NFC", name)
    if len(name.encode()) > NAME_BYTES:
        raise _refused(name, f"is longer than {NAME_BYTES} bytes")
    parts = [part for part in name.rstrip("/").split("/") if part != "."]
    if ".." in parts:
        raise _refused(name, "leads out of the pack: `..` is not allowed")
    if "" in parts and parts != [""]:
        raise _refused(name, "has an empty part")
    if any(part.endswith((" ", ".")) for part in parts):
        raise _refused(name, "has a part that ends with a dot or a space, which some systems drop")
    if len(parts) > MOST_FOLDERS + 1:
        raise _refused(name, f"lies more than {MOST_FOLDERS} folders deep")
    return "/".join(parts)


def is_hidden(name: str) -> bool:
    """Whether an editor, a file manager or version control left it there: such files are no part of a pack."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


class Names:
    """The names of one pack, of which no two may be the same file on any system."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[str, bool]] = {}
        """By the name in one case: the name as it was written, and whether it is a folder."""

    def add(self, name: str, *, folder: bool) -> None:
        """Take a canonical name. Raises ArchiveRefused when it or a folder above it clashes with an earlier one."""
        for end, character in enumerate(name):
            if character == "/":
                self._add(name[:end], folder=True)
        self._add(name, folder=folder)

    def _add(self, name: str, *, folder: bool) -> None:
        # Folding may undo the normal form, so it is made anew.
        folded = unicodedata.normalize("NFC", name.casefold())
        known, is_folder = self._taken.setdefault(folded, (name, folder))
        if known != name:
            raise _refused(name, f"differs from {_shown(known)} only in upper and lower case")
        if folder != is_folder:
            raise _refused(name, "is a file and a folder")

    def add_file(self, name: str) -> None:
        """Like `add`, and it may not be there at all yet."""
        folded = unicodedata.normalize("NFC", name.casefold())
        if self._taken.get(folded) == (name, False):
            raise _refused(name, "is there twice")
        self.add(name, folder=False)


def _refused(name: str, why: str) -> ArchiveRefused:
    return ArchiveRefused(f"the name {_shown(name)} {why}")


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 100 else name[:100] + "…")
