import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from croupier.demo.seed import seeded_players

_SCHEMA = """
CREATE TABLE players (
    player_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    level INTEGER NOT NULL,
    coins INTEGER NOT NULL,
    banned INTEGER NOT NULL DEFAULT 0,
    ban_reason TEXT NOT NULL DEFAULT '',
    banned_until TEXT NOT NULL DEFAULT '',
    last_login TEXT NOT NULL
);
CREATE TABLE items (
    player_id TEXT NOT NULL REFERENCES players,
    item TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (player_id, item)
) WITHOUT ROWID;
CREATE TABLE mails (
    id INTEGER PRIMARY KEY,
    player_id TEXT NOT NULL REFERENCES players,
    text TEXT NOT NULL,
    sent_at TEXT NOT NULL
);
"""
_WAIT_SECONDS = 5.0


class Database:
    """The game's file. Every transaction has its own connection, so it may be used from any thread."""

    def __init__(self, path: Path, players: int) -> None:
        """Open the file; a new one is filled with `players` players."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing() as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'players'").fetchone():
                self._create(connection, players)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One short transaction: kept when the block ends, undone when it raises."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @staticmethod
    def _create(connection: sqlite3.Connection, players: int) -> None:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        for player in seeded_players(players):
            connection.execute(
                "INSERT INTO players VALUES (:player_id, :name, :level, :coins, :banned, :ban_reason, '', :last_login)",
                player,
            )
            connection.execute("INSERT INTO items VALUES (?, 'potion', ?)", (player["player_id"], player["level"]))
