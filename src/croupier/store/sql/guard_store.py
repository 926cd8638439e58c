from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from croupier.domain.limit import Budget, Limit, Per, Period, Rate, Spent, Then
from croupier.domain.maintenance import Window
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.guard_writes import ForgetGuards, KeepSpent, PutLimit, PutWindow, RemoveLimit
from croupier.store.sql.writer import Writer


class SqlGuardStore:
    """`croupier.store.guards.GuardStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def put_limit(self, limit: Limit) -> None:
        await self._writer.submit(PutLimit(limit))

    async def remove_limit(self, limit_id: str) -> None:
        await self._writer.submit(RemoveLimit(limit_id))

    async def limits(self) -> list[Limit]:
        return await self._read(_limits)

    async def put_window(self, window: Window) -> None:
        await self._writer.submit(PutWindow(window))

    async def windows(self) -> list[Window]:
        return await self._read(_windows)

    async def keep_spent(self, spent: Sequence[Spent]) -> None:
        await self._writer.post(KeepSpent(spent))

    async def spent(self) -> list[Spent]:
        return await self._read(_spent)

    async def forget_guards(self, before_ms: int) -> None:
        await self._writer.submit(ForgetGuards(before_ms))


def _limits(connection: Connection) -> list[Limit]:
    return [_limit(row) for row in connection.execute(select(tables.limits).order_by(tables.limits.c.id))]


def _limit(row: Row[Any]) -> Limit:
    return Limit(
        id=row.id,
        functions=row.functions,
        game_id=row.game_id,
        env=row.env,
        per=Per(row.per),
        rate=None if row.rate_calls is None else Rate(calls=row.rate_calls, seconds=row.rate_seconds),
        concurrency=row.concurrency,
        budget=_budget(row.budget) if row.budget else None,
        replaces=row.replaces,
        note=row.note,
        changed_by=row.changed_by,
        changed_ms=row.changed_ms,
    )


def _budget(text: str) -> Budget:
    said = orjson.loads(text)
    return Budget(
        path=said["path"],
        most=said["most"],
        period=Period(said["period"]),
        zone=said["zone"],
        then=Then(said["then"]),
    )


def _windows(connection: Connection) -> list[Window]:
    kept = tables.maintenance_windows
    rows = connection.execute(select(kept).order_by(kept.c.starts_ms, kept.c.id))
    return [Window(**row) for row in rows.mappings()]


def _spent(connection: Connection) -> list[Spent]:
    return [Spent(**row) for row in connection.execute(select(tables.budget_spent)).mappings()]
