"""Pages of long lists, newest first.

Where no index serves a condition, `SCANNED` entries are looked at, so that no question keeps a reader for seconds: the page
then ends early and says where to go on.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Table,
    and_,
    false,
    func,
    null,
    or_,
    select,
    true,
    tuple_,
)

from croupier.domain.job import Job
from croupier.domain.listing import CallFilter, Cursor, JobFilter, Page
from croupier.domain.policy import ANY, Within
from croupier.store import CallRecord
from croupier.store.sql import rows
from croupier.store.sql.queries import natural
from croupier.store.sql.tables import PAYLOAD, RESULT, calls, jobs

SCANNED = 50_000

LIGHT_CALL = [column for column in calls.c if column.name not in {PAYLOAD, RESULT, "payload_sha256", "metadata"}]
"""Without payload and result, the digest and metadata."""

BARE_JOB = select(jobs, null().label(PAYLOAD))
"""Without the result."""

Conditions = Iterator[ColumnElement[bool]]


def calls_page(connection: Connection, which: CallFilter, limit: int, after: Cursor | None) -> Page[CallRecord]:
    found, end = _page(
        connection,
        (calls, LIGHT_CALL, calls.c.started_ms),
        list(_times(calls.c.started_ms, which)),
        lambda entries: _call_conditions(entries, which),
        (natural(limit), after),
    )
    return Page([rows.light_call_record(row) for row in found], end)


def jobs_page(connection: Connection, which: JobFilter, limit: int, after: Cursor | None) -> Page[Job]:
    indexed = [*_times(jobs.c.created_ms, which), *_scope(jobs, which), *_states(jobs, which)]
    found, end = _page(
        connection,
        (jobs, [*jobs.c, null().label(PAYLOAD)], jobs.c.created_ms),
        indexed,
        lambda entries: _job_conditions(entries, which),
        (natural(limit), after),
    )
    return Page([rows.job(row) for row in found], end)


def _page(
    connection: Connection,
    what: tuple[Table, list[Any], Column[int]],
    indexed: list[ColumnElement[bool]],
    conditions: Callable[[FromClause], Conditions],
    part: tuple[int, Cursor | None],
) -> tuple[list[Row[Any]], Cursor | None]:
    (table, columns, time), (limit, after) = what, part
    if after is not None:
        indexed = [*indexed, tuple_(time, table.c.id) < tuple_(natural(after.time_ms), after.id)]
    newest = (time.desc(), table.c.id.desc())
    at = time.label("at")
    entries = select(*columns, at).where(*indexed).order_by(*newest).limit(SCANNED).subquery()
    # Not sorted a second time, which would read all before the first is known: a scan of sorted entries stays sorted.
    found = list(connection.execute(select(entries).where(*conditions(entries)).limit(limit + 1)))
    if len(found) > limit:
        return found[:limit], _cursor(found[limit - 1]) if limit else None
    last = select(at, table.c.id).where(*indexed).order_by(*newest).offset(SCANNED - 1).limit(1)
    end = connection.execute(last).one_or_none()
    return found, None if end is None else _cursor(end)


def _cursor(row: Row[Any]) -> Cursor:
    return Cursor(row.at, row.id)


def _call_conditions(entries: FromClause, which: CallFilter) -> Conditions:
    yield from _scope(entries, which)
    yield from _states(entries, which)
    yield from _equal(entries, which, "function_id", "caller", "idempotency_key", "replay_of")
    if which.trace_id:
        yield func.substr(entries.c.traceparent, 4, 32) == which.trace_id


def _job_conditions(entries: FromClause, which: JobFilter) -> Conditions:
    yield from _equal(entries, which, "function_id", "caller", "agent_id")


def _scope(entries: FromClause, which: CallFilter | JobFilter) -> Conditions:
    if which.scope is not None:
        yield entries.c.game_id == which.scope.game_id
        yield entries.c.env == which.scope.env
    if which.within is not None:
        yield fits(entries, which.within)


def fits(entries: FromClause, within: Within) -> ColumnElement[bool]:
    """Whether an entry's scope is among those."""
    places = sorted(within.places)
    return or_(false(), *(_fits(entries, *place) for place in places))


def _fits(entries: FromClause, game_id: str, env: str) -> ColumnElement[bool]:
    game = true() if game_id == ANY else entries.c.game_id == game_id
    return and_(game, true() if env == ANY else entries.c.env == env)


def _states(entries: FromClause, which: CallFilter | JobFilter) -> Conditions:
    if which.states:
        yield entries.c.state.in_(sorted(state.value for state in which.states))


def _times(time: Column[int], which: CallFilter | JobFilter) -> Conditions:
    if which.since_ms is not None:
        yield time >= natural(which.since_ms)
    if which.until_ms is not None:
        yield time < natural(which.until_ms)


def _equal(entries: FromClause, which: object, *names: str) -> Conditions:
    for name in names:
        if wanted := getattr(which, name):
            yield entries.c[name] == wanted
