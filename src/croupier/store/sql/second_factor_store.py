import orjson
from sqlalchemy import Connection, select

from croupier.domain.second_factor import SecondFactor
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.second_factor_writes import ReplaceSecondFactor
from croupier.store.sql.writer import Writer


class SqlSecondFactorStore:
    """`croupier.store.second_factors.SecondFactorStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def put(self, factor: SecondFactor) -> None:
        await self._writer.submit(ReplaceSecondFactor(factor.user_id, factor))

    async def remove(self, user_id: str) -> None:
        await self._writer.submit(ReplaceSecondFactor(user_id, None))

    async def factors(self) -> list[SecondFactor]:
        return await self._read(_factors)


def _factors(connection: Connection) -> list[SecondFactor]:
    kept = tables.second_factors
    return [
        SecondFactor(
            user_id=row.user_id,
            sealed=row.sealed,
            confirmed_ms=row.confirmed_ms,
            last_step=row.last_step,
            recovery=tuple(orjson.loads(row.recovery)),
        )
        for row in connection.execute(select(kept).order_by(kept.c.user_id))
    ]
