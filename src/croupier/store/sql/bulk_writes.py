"""What can be asked of the writer about bulks. Applied in the order asked; neighbours of a kind share their statements."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from croupier.domain.bulk import Bulk, BulkRow
from croupier.store.sql import bulk_rows as as_rows
from croupier.store.sql import bulk_statements as statements
from croupier.store.sql.writes import ROW_BYTES, Write


@dataclass(frozen=True, slots=True, eq=False)
class BulkWrite(Write[None]):
    @classmethod
    @abstractmethod
    def run(cls, connection: Connection, writes: Sequence[Any]) -> None:
        """Apply `writes`, all of this kind."""


@dataclass(frozen=True, slots=True, eq=False)
class CreateBulk(BulkWrite):
    bulk: Bulk

    @classmethod
    def run(cls, connection: Connection, writes: Sequence["CreateBulk"]) -> None:
        statements.INSERT_BULKS.run(connection, [as_rows.bulk_row(write.bulk) for write in writes])


@dataclass(frozen=True, slots=True, eq=False)
class UpdateBulk(BulkWrite):
    bulk: Bulk

    @classmethod
    def run(cls, connection: Connection, writes: Sequence["UpdateBulk"]) -> None:
        last = {write.bulk.id: write.bulk for write in writes}
        statements.UPDATE_BULKS.run(connection, [as_rows.bulk_row(bulk) for bulk in last.values()])


@dataclass(frozen=True, slots=True, eq=False)
class AddRows(BulkWrite):
    bulk_id: str
    rows: Sequence[BulkRow]

    @property
    def weight(self) -> int:
        return sum(ROW_BYTES + len(row.payload) for row in self.rows)

    @classmethod
    def run(cls, connection: Connection, writes: Sequence["AddRows"]) -> None:
        rows = [as_rows.added_row(write.bulk_id, row) for write in writes for row in write.rows]
        statements.INSERT_ROWS.run(connection, rows)


@dataclass(frozen=True, slots=True, eq=False)
class RecordRows(BulkWrite):
    bulk_id: str
    rows: Sequence[BulkRow]

    @property
    def weight(self) -> int:
        return sum(ROW_BYTES + len(row.result) + len(row.message) for row in self.rows)

    @classmethod
    def run(cls, connection: Connection, writes: Sequence["RecordRows"]) -> None:
        last = {(write.bulk_id, row.row): row for write in writes for row in write.rows}
        rows = [as_rows.recorded_row(bulk_id, row) for (bulk_id, _), row in last.items()]
        statements.RECORD_ROWS.run(connection, rows)


@dataclass(frozen=True, slots=True, eq=False)
class DiscardRows(BulkWrite):
    bulk_id: str
    up_to: int

    @classmethod
    def run(cls, connection: Connection, writes: Sequence["DiscardRows"]) -> None:
        for write in writes:
            connection.execute(statements.DISCARD_ROWS, {"bulk_id": write.bulk_id, "up_to": write.up_to})


@dataclass(frozen=True, slots=True, eq=False)
class DiscardBulk(BulkWrite):
    bulk_id: str

    @classmethod
    def run(cls, connection: Connection, writes: Sequence["DiscardBulk"]) -> None:
        for write in writes:
            connection.execute(statements.DISCARD_BULK, {"id": write.bulk_id})


def apply_bulk(connection: Connection, writes: Sequence[BulkWrite]) -> None:
    for _, neighbours in groupby(writes, key=type):
        some = list(neighbours)
        some[0].run(connection, some)
