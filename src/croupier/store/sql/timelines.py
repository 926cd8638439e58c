"""What was done to one entity, newest first: two short walks along an index, then the calls and jobs by their ids."""

from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select, tuple_

from croupier.domain.entity import Subject
from croupier.domain.listing import Cursor, Page
from croupier.domain.scope import Scope
from croupier.store import Deed
from croupier.store.sql import rows
from croupier.store.sql.queries import natural
from croupier.store.sql.searches import BARE_JOB, LIGHT_CALL
from croupier.store.sql.tables import call_subjects, calls, jobs

_subject = call_subjects.c
_place = tuple_(_subject.started_ms, _subject.call_id)
_NEWEST = (
    select(_subject.started_ms, _subject.call_id)
    .where(
        *(_subject[name] == bindparam(name) for name in ("game_id", "env", "entity", "entity_id", "is_query")),
    )
    .order_by(_subject.started_ms.desc(), _subject.call_id.desc())
    .limit(bindparam("at_most"))
)
_BEFORE = _NEWEST.where(_place < tuple_(bindparam("before_ms"), bindparam("before_id")))
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_CALLS = select(*LIGHT_CALL).where(calls.c.id.in_(_ids))
_JOBS = BARE_JOB.where(jobs.c.id.in_(_ids))


def timeline(
    connection: Connection, scope: Scope, subject: Subject, part: tuple[int, Cursor | None], *, queries: bool
) -> Page[Deed]:
    limit, before = natural(part[0]), part[1]
    given: dict[str, Any] = {**scope._asdict(), "entity": subject.entity, "entity_id": subject.id, "at_most": limit + 1}
    statement = _NEWEST
    if before is not None:
        statement, given = _BEFORE, given | {"before_ms": natural(before.time_ms), "before_id": before.id}
    found: list[Cursor] = []
    for is_query in (0, 1) if queries else (0,):
        found += [Cursor(*row) for row in connection.execute(statement, given | {"is_query": is_query})]
    places = list(islice(sorted(found, reverse=True), limit + 1))
    end = places[limit - 1] if limit and len(places) > limit else None
    return Page(_deeds(connection, [place.id for place in places[:limit]]), end)


def _deeds(connection: Connection, call_ids: list[str]) -> list[Deed]:
    given = {"ids": call_ids}
    records = {row.id: rows.light_call_record(row) for row in connection.execute(_CALLS, given)}
    started = [call_id for call_id, record in records.items() if record.kind == "job"]
    found = {row.id: rows.job(row) for row in connection.execute(_JOBS, {"ids": started})} if started else {}
    return [Deed(record=records[each], job=found.get(each)) for each in call_ids if each in records]
