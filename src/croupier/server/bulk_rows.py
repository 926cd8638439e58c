"""From the records of a file to rows: each as the arguments that will be sent, checked against its function."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import orjson

from croupier.codes import Code
from croupier.domain.bulk import MOST_ROWS, ROW_BYTES, STORED_BYTES, Bulk, BulkRow, Fault, RowState, call_of
from croupier.domain.limits import JSON_DEPTH
from croupier.errors import InvalidArgument
from croupier.server.bulk_columns import Column, Schema, arguments, read_header
from croupier.server.bulk_file import CsvFile, JsonLines, Record, too_long
from croupier.server.catalog import Catalog
from croupier.server.catalog.checking import Unfit


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


Check = Callable[[bytes], tuple[Fault, ...]]
"""Why arguments do not fit; nothing when they do."""


def fits(catalog: Catalog, bulk: Bulk) -> Check:
    """The check that a call of the bulk would go through."""

    def check(payload: bytes) -> tuple[Fault, ...]:
        try:
            entry, call = catalog.accept(call_of(bulk, BulkRow(row=0, line=0, payload=payload), ""))
            if entry.codec is not None:
                entry.codec.encode(call.payload)
        except Unfit as error:
            unfit = {fault.path: fault.message for fault in error.faults}
            return tuple(Fault(path=path, message=message.en, zh=message.zh) for path, message in unfit.items())
        except InvalidArgument as error:
            named = {"": error.message} if error.code is not None else error.details or {"": error.message}
            return tuple(Fault(path=path, message=message) for path, message in named.items())
        return ()

    return check


class RowReader:
    """Feed it the file; it gives rows, those that do not fit with their faults.

    Raises InvalidArgument, naming the line, for what spoils the whole file.
    """

    def __init__(self, kind: Format, schema: Schema | None, check: Check) -> None:
        self._file = CsvFile() if kind is Format.CSV else JsonLines()
        self._schema = schema
        self._check = check
        self._columns: list[Column] | None = None if kind is Format.CSV else []
        self._is_csv = kind is Format.CSV
        self._stored = 0
        self.count = 0

    def feed(self, chunk: bytes) -> Iterator[BulkRow]:
        for record in self._file.feed(chunk):
            yield from self._read(record)

    def finish(self) -> Iterator[BulkRow]:
        """What was still open. Raises InvalidArgument when there was no row at all."""
        for record in self._file.finish():
            yield from self._read(record)
        if not self.count:
            missing = "a header and no row" if self._columns else "no row"
            raise InvalidArgument(
                f"the file holds {missing}: send one row for each call",
                code=Code.FILE_EMPTY,
            )

    def _read(self, record: Record) -> Iterator[BulkRow]:
        if self._columns is None:
            self._columns = read_header(record.cells, self._schema)
            return
        self.count += 1
        if self.count > MOST_ROWS:
            raise InvalidArgument(
                f"line {record.line}: more than {MOST_ROWS} rows: split the file",
                {"most": str(MOST_ROWS)},
                code=Code.FILE_ROWS_TOO_MANY,
            )
        payload, faults = self._csv_row(record) if self._is_csv else _json_row(record.cells[0])
        if len(payload) > ROW_BYTES:
            raise too_long(record.line)
        self._stored += len(payload)
        if self._stored > STORED_BYTES:
            raise InvalidArgument(
                f"line {record.line}: up to here the rows take {STORED_BYTES} bytes: split the file",
                {"most": str(STORED_BYTES)},
                code=Code.FILE_TOO_LARGE,
            )
        faults = faults or self._check(payload)
        state = RowState.INVALID if faults else RowState.PENDING
        yield BulkRow(row=self.count, line=record.line, state=state, payload=payload, faults=faults)

    def _csv_row(self, record: Record) -> tuple[bytes, tuple[Fault, ...]]:
        columns = self._columns or []
        if len(record.cells) != len(columns):
            fields = len(record.cells)
            return b"", _fault(
                f"{fields} fields in a file of {len(columns)} columns",
                f"有 {fields} 个字段，而文件有 {len(columns)} 列",
            )
        return _encoded(arguments(columns, record.cells))


def _encoded(value: dict[str, Any]) -> tuple[bytes, tuple[Fault, ...]]:
    try:
        payload = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"", _TOO_DEEP  # a cell's own JSON; everything else was read as what JSON can say
    return _bounded(payload, value)


def _json_row(text: str) -> tuple[bytes, tuple[Fault, ...]]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return b"", _fault(f"not JSON: {error}", f"不是合法的 JSON：{error}")
    if not isinstance(value, dict):
        return b"", _fault(
            'not a JSON object: write the arguments by name, as in {"player_id": "p1"}',
            '不是 JSON 对象：请按名称填写参数，例如 {"player_id": "p1"}',
        )
    return _bounded(text.encode(), value)


def _bounded(payload: bytes, value: dict[str, Any]) -> tuple[bytes, tuple[Fault, ...]]:
    may_be_deep = payload.count(b"{") + payload.count(b"[") > JSON_DEPTH
    return (b"", _TOO_DEEP) if may_be_deep and _is_deep(value) else (payload, ())


def _is_deep(value: dict[str, Any]) -> bool:
    level: list[Any] = [value]
    for _ in range(JSON_DEPTH):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _fault(message: str, zh: str) -> tuple[Fault, ...]:
    return (Fault(path="", message=message, zh=zh),)


_TOO_DEEP = _fault(f"nested deeper than {JSON_DEPTH} levels: flatten it", f"嵌套超过 {JSON_DEPTH} 层，请减少嵌套")
