"""Files that hold one secret for nobody but us: made once, with mode 0600, and refused when others can read them."""

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from croupier.errors import FailedPrecondition

LARGEST = 1024
"""Bytes; longer ones are cut, so that what is read has one byte more at most."""


def ensure_private_file(path: Path, make: Callable[[], str]) -> bytes:
    """What the file holds; where there is none, it is made first with what `make` says (ASCII, one line).

    Safe to repeat, also by two processes at once. Raises FailedPrecondition when others can read the file, when it is not
    a plain file, or when it cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            _create(path, make())
        return _read(path)
    except OSError as error:
        raise FailedPrecondition(f"the {path.name} file {path} cannot be used: {error.strerror}") from error


def read_private_file(path: Path) -> bytes:
    """What the file holds, up to `LARGEST` bytes and one. Raises FailedPrecondition as above, also where there is none."""
    try:
        return _read(path)
    except OSError as error:
        raise FailedPrecondition(f"the {path.name} file {path} cannot be used: {error.strerror}") from error


def _create(path: Path, content: str) -> None:
    # Written aside and linked, so that nobody ever reads half a secret and the first of two processes wins.
    aside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FailedPrecondition(f"{path} is not a plain file: remove it and start again")
        if status.st_mode & 0o077:
            raise FailedPrecondition(f"{path} can be read by others: run `chmod 600 {path}`")
        return file.read(LARGEST + 1)
