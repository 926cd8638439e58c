"""Bringing a database to the form this program knows."""

import importlib
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select

from croupier.errors import FailedPrecondition
from croupier.store.sql import sqlite, tables


def bring_to_head(engine: Engine, path: Path) -> None:
    """Make the tables of a new database, move an older one to the newest form, leave one that is current.

    All or nothing: a migration that fails leaves the database as it was.
    Raises FailedPrecondition, having changed nothing, when the file is not ours or a newer program wrote it.
    """
    with engine.connect() as connection:
        found = _revision(connection, path)
    sqlite.keep_log(engine, path)
    if found == tables.HEAD:
        return
    with engine.begin() as connection:
        if found is None:
            create(connection)
        else:
            # By name, because importing Alembic takes 0.3 s of a start that may last 1.5 s, and is hardly ever needed.
            importlib.import_module("croupier.store.sql.upgrade").upgrade(connection)


def create(connection: Connection) -> None:
    """Make everything at once, as the migrations would have left it (a test compares the two)."""
    tables.metadata.create_all(connection)
    tables.alembic_version.create(connection)
    connection.execute(insert(tables.alembic_version).values(version_num=tables.HEAD))


def _revision(connection: Connection, path: Path) -> str | None:
    """The migration it stands at, empty before the first; None for a new database."""
    present = inspect(connection).get_table_names()
    if not present:
        return None
    if tables.alembic_version.name not in present:
        raise FailedPrecondition(f"{path} belongs to another program: choose another data directory")
    found = connection.scalars(select(tables.alembic_version)).one_or_none() or ""
    if found and found not in tables.REVISIONS:
        raise FailedPrecondition(
            f"{path} was written by a newer Croupier (its form is {found}, this one knows {tables.HEAD}): "
            "install that version, or restore the backup made before the upgrade"
        )
    return found
