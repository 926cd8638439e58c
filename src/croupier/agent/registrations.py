"""Registrations by address, on disk: game servers that never register twice must be found again after a restart.

One JSON file, replaced as a whole and synced before anyone is told that it is kept.
"""

import asyncio
import base64
import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from croupier.domain.function import FunctionRef, Service
from croupier.errors import Unavailable

log = logging.getLogger(__name__)

FILE_BYTES = 64_000_000
RETRY_AFTER = 5.0
"""Seconds until a failed write is tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    service: Service
    session_id: str
    last_seen: float
    """Seconds since 1970."""


def save(path: Path, registrations: list[Registration]) -> None:
    """Replace the file. Raises OSError; then the old one is still whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        file.write(orjson.dumps({"version": 1, "registrations": [_plain(each) for each in registrations]}))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> list[Registration]:
    """What is kept. A file that cannot be understood is put aside with a warning, and nothing is kept then.

    Raises OSError when it is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        return []
    try:
        return _parse(raw)
    except (ValueError, TypeError, KeyError) as error:
        aside = path.with_suffix(f".damaged-{time.time_ns()}")
        path.replace(aside)
        log.warning(
            "the kept registrations cannot be understood (%s: %s); they are now in %s, and game servers that registered "
            "by address must register again",
            type(error).__name__,
            str(error)[:200],
            aside.name,
        )
        return []


def _parse(raw: bytes) -> list[Registration]:
    if len(raw) > FILE_BYTES:
        raise ValueError(f"larger than {FILE_BYTES} bytes")
    return [_read(each) for each in orjson.loads(raw)["registrations"]]


def _plain(registration: Registration) -> dict[str, Any]:
    service = registration.service
    return {
        "service_id": service.service_id,
        "version": service.version,
        "addr": service.addr,
        "functions": [{"id": ref.id, "version": ref.version} for ref in service.functions],
        "manifest": base64.b64encode(service.manifest_json).decode(),
        "session_id": registration.session_id,
        "last_seen": registration.last_seen,
    }


def _read(value: Any) -> Registration:
    last_seen = float(value["last_seen"])
    if not math.isfinite(last_seen):
        raise ValueError("last_seen is no time")
    return Registration(
        service=Service(
            service_id=_text(value["service_id"]),
            version=_text(value["version"]),
            addr=_text(value["addr"]),
            functions=tuple(FunctionRef(_text(ref["id"]), _text(ref["version"])) for ref in value["functions"]),
            manifest_json=base64.b64decode(_text(value["manifest"]), validate=True),
        ),
        session_id=_text(value["session_id"]),
        last_seen=last_seen,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text was expected")
    return value


class Keeper:
    """Writes the registrations whenever they changed; changes during a write share the next one."""

    def __init__(self, path: Path, snapshot: Callable[[], list[Registration]]) -> None:
        self._path = path
        self._snapshot = snapshot
        self._dirty = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []

    def changed(self) -> None:
        self._dirty.set()

    async def kept(self) -> None:
        """Return once everything up to now is on disk. Raises Unavailable when it cannot be written."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._dirty.set()
        await waiter

    async def run(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if not await self._write():
                self._dirty.set()
                await asyncio.sleep(RETRY_AFTER)

    async def _write(self) -> bool:
        waiters, self._waiters = self._waiters, []
        try:
            await asyncio.to_thread(save, self._path, self._snapshot())
        except OSError as error:
            log.warning("registrations cannot be kept on disk, trying again: %s", error.strerror)
            failure = Unavailable(f"the registration cannot be kept on disk: {error.strerror}; register again")
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(failure)
            return False
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        return True

    async def finish(self) -> None:
        """The last write, when `run` has ended."""
        await self._write()
