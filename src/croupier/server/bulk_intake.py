"""Where the rows of a bulk come from: a file that is sent, or the rows of another bulk. Stored while they come."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import orjson

from croupier.codes import Code
from croupier.domain.bulk import UPLOAD_BYTES, Bulk, BulkRow, BulkState, RowState
from croupier.errors import CroupierError, PayloadTooLarge
from croupier.server.bulk_rows import Check, Format, RowReader, fits
from croupier.server.catalog import Catalog
from croupier.store.bulk import WRITE_ROWS, BulkStore

log = logging.getLogger(__name__)

SHOWN_FAULTS = 100
PORTION_BYTES = 1_000_000
TURN = 50
"""Rows that are read before others get their turn."""
COPY_PAGE = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFault:
    row: int
    line: int
    path: str
    message: str
    zh: str


@dataclass(slots=True)
class Filling:
    """What is known of a bulk's rows so far."""

    rows: int = 0
    invalid: int = 0
    faults: list[RowFault] = field(default_factory=list)
    """The first SHOWN_FAULTS."""

    def note(self, row: BulkRow) -> None:
        self.rows += 1
        self.invalid += row.state is RowState.INVALID
        for fault in row.faults[: SHOWN_FAULTS - len(self.faults)]:
            self.faults.append(
                RowFault(row=row.row, line=row.line, path=fault.path, message=fault.message, zh=fault.zh)
            )


class BulkIntake:
    def __init__(self, catalog: Catalog, store: BulkStore) -> None:
        self._catalog = catalog
        self._store = store

    async def receive(self, bulk: Bulk, kind: Format, chunks: AsyncIterator[bytes]) -> tuple[Bulk, list[RowFault]]:
        """Store the file's rows; nothing is kept of a file that is refused.

        Raises InvalidArgument, naming the line, PayloadTooLarge, or what `chunks` raises.
        """
        function = self._catalog.function(bulk.scope, bulk.function_id)
        reader = RowReader(kind, function.schema if function else None, fits(self._catalog, bulk))
        digest = hashlib.sha256()
        return await self._fill(bulk, _read(reader, chunks, digest), digest)

    async def copy(self, bulk: Bulk, parent: Bulk, states: frozenset[RowState], *, switch: str = "") -> Bulk:
        """Store those rows of `parent` as rows of `bulk`, checked anew; the argument `switch` is set to true in each."""
        digest = hashlib.sha256()
        copied, _ = await self._fill(
            bulk, self._copies(parent, states, switch, fits(self._catalog, bulk), digest), digest
        )
        return copied

    async def _fill(
        self, bulk: Bulk, rows: AsyncIterator[BulkRow], digest: "hashlib._Hash"
    ) -> tuple[Bulk, list[RowFault]]:
        await self._store.create(bulk)
        try:
            filling = await self._keep(bulk, rows)
            bulk = replace(
                bulk,
                state=BulkState.INVALID if filling.invalid else BulkState.READY,
                rows=filling.rows,
                invalid=filling.invalid,
                sha256=digest.hexdigest(),
            )
            await self._store.update(bulk)
        except BaseException:
            await self._discard(bulk.id)
            raise
        return bulk, filling.faults

    async def _keep(self, bulk: Bulk, rows: AsyncIterator[BulkRow]) -> Filling:
        filling = Filling()
        portion: list[BulkRow] = []
        weight = 0
        async for row in rows:
            filling.note(row)
            portion.append(row)
            weight += len(row.payload)
            if len(portion) == WRITE_ROWS or weight >= PORTION_BYTES:
                await self._store.add(bulk.id, portion)
                portion, weight = [], 0
            elif filling.rows % TURN == 0:
                await asyncio.sleep(0)
        if portion:
            await self._store.add(bulk.id, portion)
        return filling

    async def _discard(self, bulk_id: str) -> None:
        try:
            await self._store.discard(bulk_id)
        except CroupierError as error:
            log.warning("what there is of bulk %s goes at the next start: %s", bulk_id, error.message)

    async def _copies(
        self, parent: Bulk, states: frozenset[RowState], switch: str, check: Check, digest: "hashlib._Hash"
    ) -> AsyncIterator[BulkRow]:
        after = number = 0
        while found := await self._store.rows(parent.id, states, after=after, limit=COPY_PAGE):
            after = found[-1].row
            for row in found:
                number += 1
                payload = _switched(row.payload, switch) if switch and row.payload else row.payload
                digest.update(payload + b"\n")
                faults = check(payload) if payload else row.faults
                state = RowState.INVALID if faults else RowState.PENDING
                yield BulkRow(row=number, line=row.line, state=state, payload=payload, faults=faults)


def _switched(payload: bytes, argument: str) -> bytes:
    return orjson.dumps({**orjson.loads(payload), argument: True})


async def _read(reader: RowReader, chunks: AsyncIterator[bytes], digest: "hashlib._Hash") -> AsyncIterator[BulkRow]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > UPLOAD_BYTES:
            raise PayloadTooLarge(
                f"the file is larger than {UPLOAD_BYTES} bytes: split it",
                {"most": str(UPLOAD_BYTES)},
                code=Code.FILE_TOO_LARGE,
            )
        digest.update(chunk)
        for row in reader.feed(chunk):
            yield row
    for row in reader.finish():
        yield row
