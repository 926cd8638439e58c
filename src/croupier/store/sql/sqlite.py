"""SQLite as we use it: WAL, one writer at a time, every commit forced to the disk."""

import fcntl
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event

from croupier.errors import FailedPrecondition
from croupier.store.sql.statements import CACHED_STATEMENTS

BUSY_MS = 5_000
CHECKPOINT_PAGES = 4_000
"""The log is folded into the file every 16 MB: four times as seldom as SQLite's default, for a quarter of the syncs."""


class Lock:
    """Held while the store is open: what the writer remembers of jobs holds only if nobody else writes.

    The kernel drops it with the process, however that ends.
    """

    def __init__(self, path: Path) -> None:
        """Raises FailedPrecondition when another process has it."""
        self._file = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise FailedPrecondition(
                f"{path} is in use by another Croupier process: stop it, or choose another data directory"
            ) from None

    def release(self) -> None:
        self._file.close()


def writer_engine(path: Path) -> Engine:
    engine = _engine(path, poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reader_engine(path: Path, size: int) -> Engine:
    engine = _engine(path, poolclass=QueuePool, pool_size=size, max_overflow=0, isolation_level="AUTOCOMMIT")
    event.listen(engine, "connect", _read_only)
    return engine


def keep_log(engine: Engine, path: Path) -> None:
    """Switch the file to write-ahead logging, for good: readers and the writer do not wait for each other.

    Raises FailedPrecondition where the file system cannot do it.
    """
    connection = engine.raw_connection()  # outside of any transaction, in which SQLite would quietly refuse
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        (mode,) = cursor.fetchone() or ("",)
        cursor.close()
    finally:
        connection.close()
    if mode != "wal":
        raise FailedPrecondition(
            f"{path} lies on a file system without shared memory: choose a directory on a local disk"
        )


def _engine(path: Path, **options: Any) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        hide_parameters=True,  # payloads must not reach an error's text
        connect_args={"cached_statements": CACHED_STATEMENTS, "timeout": BUSY_MS / 1000, "check_same_thread": False},
        **options,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own accord
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def _read_only(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    connection.connection.cursor().execute("BEGIN IMMEDIATE")  # as in `statements.Rows`, past what SQLAlchemy adds
