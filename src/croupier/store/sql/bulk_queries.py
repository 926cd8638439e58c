"""What is read of bulks."""

from sqlalchemy import Connection, bindparam, func, select

from croupier.domain.bulk import Bulk, BulkRow, BulkState, RowState
from croupier.domain.policy import Within
from croupier.domain.scope import Scope
from croupier.store.sql import bulk_rows as as_rows
from croupier.store.sql.searches import fits
from croupier.store.sql.tables import bulk_rows, bulks

_BULK = select(bulks).where(bulks.c.id == bindparam("id"))
_COUNTS = (
    select(bulk_rows.c.state, func.count())
    .where(bulk_rows.c.bulk_id == bindparam("bulk_id"))
    .group_by(bulk_rows.c.state)
)


def bulk(connection: Connection, bulk_id: str) -> Bulk | None:
    row = connection.execute(_BULK, {"id": bulk_id}).one_or_none()
    return None if row is None else as_rows.bulk(row)


def recent_bulks(
    connection: Connection,
    scope: Scope | None,
    states: frozenset[BulkState],
    limit: int,
    *,
    within: Within | None = None,
) -> list[Bulk]:
    statement = select(bulks).order_by(bulks.c.created_ms.desc(), bulks.c.id.desc()).limit(limit)
    if scope is not None:
        statement = statement.where(bulks.c.game_id == scope.game_id, bulks.c.env == scope.env)
    if within is not None:
        statement = statement.where(fits(bulks, within))
    if states:
        statement = statement.where(bulks.c.state.in_(sorted(state.value for state in states)))
    return [as_rows.bulk(row) for row in connection.execute(statement)]


def rows(connection: Connection, bulk_id: str, states: frozenset[RowState], *, after: int, limit: int) -> list[BulkRow]:
    statement = (
        select(bulk_rows)
        .where(bulk_rows.c.bulk_id == bulk_id, bulk_rows.c.number > after)
        .order_by(bulk_rows.c.number)
        .limit(limit)
    )
    if states:
        statement = statement.where(bulk_rows.c.state.in_(sorted(state.value for state in states)))
    return [as_rows.row(row) for row in connection.execute(statement)]


def counts(connection: Connection, bulk_id: str) -> dict[RowState, int]:
    return {RowState(state): count for state, count in connection.execute(_COUNTS, {"bulk_id": bulk_id})}
