"""The statements of the writer, compiled once."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    column,
    literal_column,
    select,
    update,
    values,
)
from sqlalchemy.dialects import sqlite

from croupier.store.sql.tables import KEY, KEYED, RUNNING, audit, call_bodies, call_subjects, calls, job_events, jobs

ROWS = 64
"""Most rows in one statement. Each distinct number of rows is a text of its own in the driver's statement cache."""

CACHED_STATEMENTS = 832
"""Room for every number of rows of every statement here."""

Row = tuple[object, ...]

_DIALECT = sqlite.dialect()
_ONE_ROW = re.compile(r"\(\?(?:, \?)*\)")


class Rows:
    """A statement over any number of rows, many rows to a step.

    The driver lets go of the interpreter at every step and may wait milliseconds to get it back from a busy event loop,
    so a step per row (executemany) would make the writer crawl exactly when there is much to write.

    The text is SQLAlchemy's, the execution is the driver's own: SQLAlchemy's takes as long as inserting three rows. What
    fails is then the driver's error, which `failures` knows as well.
    """

    def __init__(self, statement: Insert | Update | Select[Any], columns: Sequence[str]) -> None:
        keys = list(columns) if isinstance(statement, Insert) else None
        text = str(statement.compile(dialect=_DIALECT, column_keys=keys))
        self._head, self._tail = _ONE_ROW.split(text)
        self._row = "(" + ", ".join("?" * len(columns)) + ")"
        self._texts: dict[int, str] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Returns how many rows of the table changed."""
        changed = 0
        if rows:
            with closing(connection.connection.cursor()) as cursor:
                for text, parameters in self._steps(rows):
                    cursor.execute(text, parameters)
                    changed += cursor.rowcount
        return changed

    def find(self, connection: Connection, rows: Sequence[Row]) -> list[Any]:
        """Returns the first column of what a Select found."""
        found: list[Any] = []
        if rows:
            with closing(connection.connection.cursor()) as cursor:
                for text, parameters in self._steps(rows):
                    cursor.execute(text, parameters)
                    found += [value for (value,) in cursor.fetchall()]
        return found

    def _steps(self, rows: Sequence[Row]) -> Iterator[tuple[str, tuple[object, ...]]]:
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            yield self._text(len(some)), tuple(chain.from_iterable(some))

    def _text(self, count: int) -> str:
        if (text := self._texts.get(count)) is None:
            text = self._texts[count] = self._head + ", ".join([self._row] * count) + self._tail
        return text


def _given(table: Table, columns: Sequence[str]) -> CTE:
    kinds = (column(name, table.c[name].type) for name in columns)
    return values(*kinds, name="given").data([tuple("" for _ in columns)]).cte("given")


def update_rows(table: Table, columns: Sequence[str], *conditions: ColumnElement[bool], keys: int = 1) -> Rows:
    """Sets `columns[keys:]` of the rows that `columns[:keys]` name."""
    given = _given(table, columns)
    named = (table.c[name] == given.c[name] for name in columns[:keys])
    statement = update(table).values({name: given.c[name] for name in columns[keys:]}).where(*named, *conditions)
    return Rows(statement, columns)


INSERT_CALLS = Rows(
    sqlite.insert(calls).on_conflict_do_nothing(index_elements=KEY, index_where=KEYED),
    (
        "id",
        "kind",
        "function_id",
        "game_id",
        "env",
        "caller",
        "idempotency_key",
        "payload",
        "payload_sha256",
        "route",
        "target_service_id",
        "hash_key",
        "version",
        "metadata",
        "timeout",
        "traceparent",
        "state",
        "started_ms",
        "replay_of",
    ),
)

INSERT_BODIES = Rows(sqlite.insert(call_bodies), ("call_id", "part", "body"))

INSERT_SUBJECTS = Rows(
    sqlite.insert(call_subjects).on_conflict_do_nothing(),
    ("game_id", "env", "entity", "entity_id", "is_query", "started_ms", "call_id"),
)

_given_ids = _given(calls, ("id",))
RUNNING_CALLS = Rows(
    select(calls.c.id).join(_given_ids, _given_ids.c.id == calls.c.id).where(calls.c.state == RUNNING), ("id",)
)

FINISH_CALLS = update_rows(
    calls,
    ("id", "state", "finished_ms", "result", "reason", "message", "details", "service_id", "agent_id", "trail"),
    calls.c.state == RUNNING,
)

EXPIRE_KEYS = update(calls).values(key_expired=1).where(calls.c.id.in_(bindparam("ids", expanding=True)))

COUNT_REPLAYS = (
    update(calls).values(replays=calls.c.replays + bindparam("count")).where(calls.c.id == bindparam("owner"))
)

INSERT_JOBS = Rows(sqlite.insert(jobs), ("id", "function_id", "game_id", "env", "caller", "created_ms"))

PLACE_JOBS = update_rows(jobs, ("id", "agent_id", "service_id"))
RUN_JOBS = update_rows(jobs, ("id", "state"), jobs.c.state == literal_column("'pending'"))

ASK_JOBS_TO_STOP = update_rows(
    jobs,
    ("id", "cancel_reason"),
    jobs.c.cancel_reason == literal_column("''"),
    jobs.c.finished_ms == literal_column("0"),
)

ADVANCE_JOBS = update_rows(jobs, ("id", "state", "last_seq", "progress", "error", "reason", "finished_ms"))

INSERT_EVENTS = Rows(
    sqlite.insert(job_events),
    ("job_id", "seq", "type", "message", "progress", "payload", "reason", "time_ms"),
)

INSERT_AUDIT = Rows(sqlite.insert(audit), ("seq", "row", "hash", "mac", "act_id", "time_ms"))
