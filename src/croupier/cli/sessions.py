"""The sessions of `croupier login`: one for each server, in a file that nobody else can read."""

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from croupier.errors import FailedPrecondition

_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSession:
    token: str = field(repr=False)
    name: str
    expires_ms: int


def session_file() -> Path:
    """In the user's folder for settings; `XDG_CONFIG_HOME` moves it."""
    return Path(click.get_app_dir("croupier")) / "sessions.json"


def kept_session(url: str) -> KeptSession | None:
    """That of the server at `url`. Raises FailedPrecondition when others can read the file, or it is something else."""
    return _read(session_file()).get(url)


def keep_session(url: str, session: KeptSession | None) -> bool:
    """Keep this, or none, for the server at `url`. Returns whether there was one. Raises FailedPrecondition as above."""
    path = session_file()
    kept = _read(path)
    was_there = kept.pop(url, None) is not None
    if session is not None:
        kept[url] = session
    if was_there or session is not None:
        _write(path, kept)
    return was_there


def _read(path: Path) -> dict[str, KeptSession]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FailedPrecondition(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise FailedPrecondition(f"{path} can be read by others: remove it and sign in again")
        content = file.read(_BYTES)
    try:
        return dict(_sessions(json.loads(content)))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        # The cause might quote a session.
        raise FailedPrecondition(f"{path} holds no sessions: remove it and sign in again") from None


def _sessions(document: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, KeptSession]]:
    for url, kept in document.items():
        yield url, KeptSession(token=str(kept["token"]), name=str(kept["name"]), expires_ms=int(kept["expires_ms"]))


def _write(path: Path, kept: Mapping[str, KeptSession]) -> None:
    content = json.dumps({url: asdict(session) for url, session in kept.items()}, indent=2) + "\n"
    aside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(content)
            aside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise
    except OSError as error:
        raise FailedPrecondition(f"{path} cannot be written: {error.strerror}") from error
