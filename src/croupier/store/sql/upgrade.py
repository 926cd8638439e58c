"""Alembic, imported only when a database is behind (see `schema.py`)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return made


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, in the transaction that is open."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
