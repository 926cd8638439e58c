"""Refuse what must not be committed.

- lock files that hold download addresses, and addresses in the locks and build files we keep (tools/thin_npm_lock.py takes those out that npm writes);
- paths of somebody's machine;
- modules whose name says nothing (util, helper, common, manager), which is where design goes to rot.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent

_ADDRESSED_LOCK = re.compile(r"(^|/)(uv\.lock|pylock(\.[\w-]+)?\.toml)$")
_BUILD_FILE = re.compile(
    r"(^|/)(requirements/[^/]+|[^/]+\.lock|package-lock\.json|Makefile|\.npmrc|pip\.conf|\.ci/.+)$"
)
_ADDRESS = re.compile(r"https?://(?!127\.0\.0\.1\b|localhost\b)[^\s\"']+|--(?:extra-)?index-url|--find-links")
_HOMES = ("home", "root", "Users", "work", "tmp", "opt")
_MACHINE_PATH = re.compile(rf"(?<![\w.$~{{}}/>-])/(?:{'|'.join(_HOMES)})/[\w.-]+")
_EMPTY_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "managers"})
_GENERATED = PurePosixPath("wire/src")
"""Its names are the contract's (croupier.common.v1)."""


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def name_faults(name: str) -> Iterator[str]:
    path = PurePosixPath(name)
    if _ADDRESSED_LOCK.search(name):
        yield f"{name}: holds download addresses; commit requirements/*.lock (make lock)"
    if path.suffix == ".py" and not path.is_relative_to(_GENERATED):
        empty = _EMPTY_NAMES.intersection(word for part in path.with_suffix("").parts for word in part.split("_"))
        if empty:
            yield f"{name}: '{min(empty)}' says nothing; name the module after what it is about"


def line_faults(name: str, text: str) -> Iterator[str]:
    build_file = bool(_BUILD_FILE.search(name))
    for number, line in enumerate(text.splitlines(), start=1):
        if build_file and (match := _ADDRESS.search(line)):
            yield f"{name}:{number}: an address of a registry: {match[0]}"
        if (match := _MACHINE_PATH.search(line)) or str(ROOT) in line:
            yield f"{name}:{number}: a path of one machine: {match[0] if match else ROOT}"


def faults(name: str) -> Iterator[str]:
    yield from name_faults(name)
    content = (ROOT / name).read_bytes()
    if b"\0" not in content[:8192]:
        yield from line_faults(name, content.decode(errors="replace"))


def main() -> None:
    found = [fault for name in tracked() for fault in faults(name)]
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
