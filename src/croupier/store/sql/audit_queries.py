"""What is read of the audit record."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, literal_column, or_, select

from croupier.domain.audit import AuditFilter, AuditPage, Checkpoint, Cut, SealedRow
from croupier.store.sql.queries import natural
from croupier.store.sql.tables import audit, audit_checkpoints, audit_cuts

SCANNED = 20_000
"""So many rows are looked at for a page, where no index serves a condition."""

_cut_off = select(func.coalesce(func.max(audit_cuts.c.up_to), literal_column("0"))).scalar_subquery()
_ROWS = select(audit).where(audit.c.seq > _cut_off)


def rows(connection: Connection, after: int, limit: int) -> list[SealedRow]:
    statement = _ROWS.where(audit.c.seq > natural(after)).order_by(audit.c.seq).limit(natural(limit))
    return [_sealed(row) for row in connection.execute(statement)]


def row(connection: Connection, seq: int) -> SealedRow | None:
    found = connection.execute(_ROWS.where(audit.c.seq == natural(seq))).one_or_none()
    return None if found is None else _sealed(found)


def misfiled(connection: Connection, after: int, up_to: int, limit: int) -> list[int]:
    which = _ROWS.where(audit.c.seq > natural(after), audit.c.seq <= natural(up_to)).subquery()
    said = case((func.json_valid(which.c.row) == 1, which.c.row), else_=literal_column("'{}'"))
    bent = or_(
        which.c.act_id != func.coalesce(func.json_extract(said, "$.act_id"), literal_column("''")),
        which.c.time_ms.is_distinct_from(func.json_extract(said, "$.time_ms")),
    )
    found = (
        select(which.c.seq).where(func.json_valid(which.c.row) == 1, bent).order_by(which.c.seq).limit(natural(limit))
    )
    return list(connection.scalars(found))


def old(connection: Connection, before_ms: int, most: int | None) -> SealedRow | None:
    seqs = select(audit.c.seq).where(audit.c.seq > _cut_off)
    statement = _ROWS.order_by(audit.c.seq.desc()).limit(1)
    if most is not None:
        seqs = seqs.where(audit.c.seq <= _cut_off + natural(most))
        statement = statement.where(audit.c.seq <= _cut_off + natural(most))
    # A sum is looked up in no index: by that of times everything newer would have to be sorted.
    newer = seqs.where(audit.c.time_ms + literal_column("0") >= natural(before_ms)).order_by(audit.c.seq).limit(1)
    if (first_newer := connection.scalar(newer)) is not None:
        statement = statement.where(audit.c.seq < first_newer)
    found = connection.execute(statement).one_or_none()
    return None if found is None else _sealed(found)


def search(connection: Connection, which: AuditFilter, limit: int, before: int | None) -> AuditPage:
    indexed = list(_indexed(which))
    if before is not None:
        indexed.append(audit.c.seq < natural(before))
    newest = _ROWS.where(*indexed).order_by(audit.c.seq.desc()).limit(SCANNED).subquery()
    limit = natural(limit)
    found = connection.execute(select(newest).where(*_conditions(newest.c.row, which)).limit(limit + 1)).all()
    if len(found) > limit:
        return AuditPage([_sealed(each) for each in found[:limit]], found[limit - 1].seq if limit else None)
    last = select(audit.c.seq).where(audit.c.seq > _cut_off, *indexed).order_by(audit.c.seq.desc())
    end = connection.execute(last.offset(SCANNED - 1).limit(1)).scalar()
    return AuditPage([_sealed(each) for each in found], end)


def checkpoints(connection: Connection, after: int, limit: int) -> list[Checkpoint]:
    kept = audit_checkpoints
    statement = select(kept).where(kept.c.seq > natural(after)).order_by(kept.c.seq).limit(natural(limit))
    return [Checkpoint(**each) for each in connection.execute(statement).mappings()]


def cuts(connection: Connection) -> list[Cut]:
    found = connection.execute(select(audit_cuts).order_by(audit_cuts.c.up_to))
    return [Cut(**each) for each in found.mappings()]


def _sealed(found: Row[Any]) -> SealedRow:
    return SealedRow(found.seq, found.row.encode(), found.hash, found.mac)


def _indexed(which: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if which.act_id:
        yield audit.c.act_id == which.act_id
    if which.after_seq:
        yield audit.c.seq > natural(which.after_seq)
    if which.since_ms is not None:
        yield audit.c.time_ms >= natural(which.since_ms)
    if which.until_ms is not None:
        yield audit.c.time_ms < natural(which.until_ms)


def _conditions(text: ColumnElement[Any], which: AuditFilter) -> Iterator[ColumnElement[bool]]:
    wanted = {
        "$.act_id": which.act_id,
        "$.actor.name": which.actor,
        "$.actor.user_id": which.user_id,
        "$.target": which.target,
        "$.trace_id": which.trace_id,
        "$.phase": which.phase,
        "$.result": which.result,
        "$.reason": which.reason,
        "$.game_id": which.scope.game_id if which.scope is not None else "",
        "$.env": which.scope.env if which.scope is not None else "",
    }
    said = case((func.json_valid(text) == 1, text), else_=literal_column("'{}'"))  # a row that a hand bent fits nothing
    for path, expected in wanted.items():
        if expected:
            yield func.json_extract(said, path) == expected
    if which.action:
        action: ColumnElement[Any] = func.json_extract(said, "$.action")
        area = which.action.removesuffix("*")
        begins: ColumnElement[Any] = action if area == which.action else func.substr(action, 1, len(area))
        yield begins == area
    if which.text:
        yield _holds(text, which.text)
    if which.masks:
        yield or_(*(_holds(text, each) for each in which.masks))


def _holds(text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    place: ColumnElement[int] = func.instr(text, part)
    return place > 0
