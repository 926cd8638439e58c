from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, func, select, tuple_

from croupier.domain.approval import Approval, ApprovalState, ReviewState
from croupier.domain.audit import Note
from croupier.domain.call import Call
from croupier.domain.entity import Subject
from croupier.domain.listing import Cursor, Page
from croupier.domain.notice import Event, Notice, NoticeState
from croupier.errors import CroupierError
from croupier.store.approvals import STUCK_AFTER, ApprovalFilter, Tally
from croupier.store.sql.approval_writes import AskApproval, ForgetApprovals, OpenApproval, PutNotice, ReplaceApproval
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.queries import natural
from croupier.store.sql.searches import fits
from croupier.store.sql.tables import UNDECIDED, approvals, notices
from croupier.store.sql.writer import Writer
from croupier.store.sql.writes import Begin

_decode = msgspec.json.Decoder(Approval).decode


class SqlApprovalStore:
    """`croupier.store.approvals.ApprovalStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read, clock: Callable[[], int]) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock

    async def ask(
        self,
        approval: Approval,
        call: Call,
        *,
        about: Sequence[Subject] = (),
        note: Note | None = None,
        notices: Sequence[Notice] = (),
    ) -> str | None:
        begin = Begin(call, approval.kind.value, self._clock(), about, note=note)
        return await self._writer.submit(AskApproval(begin, approval, notices))

    async def open(self, approval: Approval, *, notices: Sequence[Notice] = ()) -> bool:
        return bool(await self._writer.submit(OpenApproval(approval, notices)))

    async def replace(
        self, approval: Approval, *, ended: CroupierError | None = None, notices: Sequence[Notice] = ()
    ) -> bool:
        return bool(await self._writer.submit(ReplaceApproval(approval, ended, notices, self._clock())))

    async def approval(self, approval_id: str) -> Approval | None:
        return await self._read(lambda connection: _one(connection, approvals.c.id == approval_id))

    async def latest(self, call_id: str) -> Approval | None:
        return await self._read(lambda connection: _one(connection, approvals.c.call_id == call_id))

    async def undecided(self, call_ids: Sequence[str]) -> Mapping[str, str]:
        return await self._read(lambda connection: _undecided(connection, call_ids))

    async def approvals(self, which: ApprovalFilter, limit: int, after: Cursor | None = None) -> Page[Approval]:
        return await self._read(lambda connection: _page(connection, which, natural(limit), after))

    async def pending(self, person: str, most: int) -> int:
        return await self._read(lambda connection: _pending(connection, person, natural(most)))

    async def tally(self) -> Tally:
        return await self._read(_tally)

    async def overdue(self, now_ms: int, limit: int) -> list[Approval]:
        return await self._read(lambda connection: _overdue(connection, now_ms, natural(limit)))

    async def forget(self, before_ms: int, limit: int) -> int:
        return int(await self._writer.submit(ForgetApprovals(before_ms, natural(limit))))

    async def due_notices(self, now_ms: int, limit: int) -> list[Notice]:
        return await self._read(lambda connection: _due(connection, now_ms, natural(limit)))

    async def put_notice(self, notice: Notice) -> None:
        await self._writer.submit(PutNotice(notice))

    async def notices(self, approval_id: str) -> list[Notice]:
        return await self._read(lambda connection: _notices(connection, approval_id))


def _one(connection: Connection, condition: Any) -> Approval | None:
    newest = (
        select(approvals.c.document).where(condition).order_by(approvals.c.created_ms.desc(), approvals.c.id.desc())
    )
    document = connection.execute(newest.limit(1)).scalar_one_or_none()
    return None if document is None else _decode(document)


def _undecided(connection: Connection, call_ids: Sequence[str]) -> Mapping[str, str]:
    found = select(approvals.c.call_id, approvals.c.id).where(approvals.c.call_id.in_(call_ids), UNDECIDED)
    return {row.call_id: row.id for row in connection.execute(found)}


def _page(connection: Connection, which: ApprovalFilter, limit: int, after: Cursor | None) -> Page[Approval]:
    order = (approvals.c.created_ms, approvals.c.id)
    found = select(approvals.c.document).where(*_conditions(which))
    if after is not None:
        found = found.where(tuple_(*order) < tuple_(after.time_ms, after.id))
    found = found.order_by(*(column.desc() for column in order)).limit(limit + 1)
    items = [_decode(document) for document in connection.scalars(found)]
    more = len(items) > limit > 0
    items = items[:limit]
    return Page(items, Cursor(items[-1].created_ms, items[-1].id) if more else None)


def _conditions(which: ApprovalFilter) -> list[Any]:
    found: list[Any] = []
    if which.scope is not None:
        found += [approvals.c.game_id == which.scope.game_id, approvals.c.env == which.scope.env]
    if which.within is not None:
        found.append(fits(approvals, which.within))
    if which.states:
        found.append(approvals.c.state.in_([state.value for state in which.states]))
    if which.review is not None:
        found.append(approvals.c.review == which.review.value)
    if which.function_id:
        found.append(approvals.c.function_id == which.function_id)
    if which.person:
        found.append(approvals.c.person == which.person)
    return found


def _pending(connection: Connection, person: str, most: int) -> int:
    pending = (approvals.c.state == ApprovalState.PENDING.value, approvals.c.person == person)
    found = select(approvals.c.id).where(*pending).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()


def _overdue(connection: Connection, now_ms: int, limit: int) -> list[Approval]:
    pending = approvals.c.state == ApprovalState.PENDING.value
    found = select(approvals.c.document).where(pending, approvals.c.expires_ms <= now_ms)
    return [_decode(document) for document in connection.scalars(found.order_by(approvals.c.created_ms).limit(limit))]


def _tally(connection: Connection) -> Tally:
    def count(table: Table, *conditions: ColumnElement[bool]) -> int:
        return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()

    return Tally(
        pending=count(approvals, approvals.c.state == ApprovalState.PENDING.value),
        reviews=count(approvals, approvals.c.review == ReviewState.OPEN.value),
        stuck=count(notices, notices.c.state == NoticeState.WAITING.value, notices.c.attempts >= STUCK_AFTER),
        failed=count(notices, notices.c.state == NoticeState.FAILED.value),
    )


def _due(connection: Connection, now_ms: int, limit: int) -> list[Notice]:
    waiting = notices.c.state == NoticeState.WAITING.value
    found = select(notices).where(waiting, notices.c.next_ms <= now_ms).order_by(notices.c.next_ms).limit(limit)
    return [_notice(row) for row in connection.execute(found)]


def _notices(connection: Connection, approval_id: str) -> list[Notice]:
    found = select(notices).where(notices.c.approval_id == approval_id)
    return [_notice(row) for row in connection.execute(found.order_by(notices.c.created_ms, notices.c.id))]


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        approval_id=row.approval_id,
        webhook=row.webhook,
        event=Event(row.event),
        text=row.text,
        state=NoticeState(row.state),
        attempts=row.attempts,
        next_ms=row.next_ms,
        created_ms=row.created_ms,
        error=row.error,
    )
