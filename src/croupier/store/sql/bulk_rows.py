"""Bulks and their rows as rows of the database and back."""

from typing import Any

import msgspec
import orjson
from sqlalchemy import Row as Found

from croupier.domain.bulk import Bulk, BulkRow, BulkState, Fault, Plan, RowState
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.store.sql import refusals
from croupier.store.sql.statements import Row

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Principal).decode


def bulk_row(bulk: Bulk) -> Row:
    """In the order of `bulk_statements.BULK`."""
    return (
        bulk.id,
        bulk.function_id,
        bulk.scope.game_id,
        bulk.scope.env,
        bulk.name,
        bulk.state.value,
        bulk.rows,
        bulk.invalid,
        bulk.sha256,
        bulk.uploaded_by,
        bulk.started_by,
        "" if bulk.starter is None else bulk.starter.kind,
        bulk.dry_run,
        bulk.parent_id,
        bulk.plan.canary,
        bulk.plan.rate,
        bulk.plan.concurrency,
        bulk.plan.skip_invalid,
        bulk.confirmed,
        bulk.created_ms,
        bulk.started_ms,
        bulk.finished_ms,
        "" if bulk.starter is None else _encode(bulk.starter).decode(),
        bulk.approval_id,
    )


def bulk(row: Found[Any]) -> Bulk:
    return Bulk(
        id=row.id,
        function_id=row.function_id,
        scope=Scope(row.game_id, row.env),
        name=row.name,
        state=BulkState(row.state),
        rows=row.total,
        invalid=row.invalid,
        sha256=row.sha256,
        uploaded_by=row.uploaded_by,
        started_by=row.started_by,
        starter=_starter(row),
        approval_id=row.approval_id,
        dry_run=bool(row.dry_run),
        parent_id=row.parent_id,
        plan=Plan(canary=row.canary, rate=row.rate, concurrency=row.concurrency, skip_invalid=bool(row.skip_invalid)),
        confirmed=bool(row.confirmed),
        created_ms=row.created_ms,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
    )


def _starter(row: Found[Any]) -> Principal | None:
    if row.starter:
        return _decode(row.starter)
    # Of a bulk that an earlier version started, only this is known.
    return Principal(name=row.started_by, kind=row.started_kind) if row.started_by else None


def added_row(bulk_id: str, row: BulkRow) -> Row:
    """In the order of `bulk_statements.INSERT_ROWS`."""
    told = [[fault.path, fault.message, fault.zh] for fault in row.faults]
    faults = orjson.dumps(told).decode() if told else ""
    return (bulk_id, row.row, row.line, row.state.value, row.payload, faults)


def recorded_row(bulk_id: str, row: BulkRow) -> Row:
    """In the order of `bulk_statements.RECORD_ROWS`."""
    return (
        bulk_id,
        row.row,
        row.state.value,
        row.call_id,
        row.result or None,
        row.result_bytes,
        row.reason,
        row.message,
        "" if row.code is None else refusals.said(row.code, row.parameters),
        row.service_id,
        row.started_ms,
        row.finished_ms,
    )


def row(found: Found[Any]) -> BulkRow:
    faults = orjson.loads(found.faults) if found.faults else ()
    code, parameters = refusals.read(found.refusal)
    return BulkRow(
        row=found.number,
        line=found.line,
        state=RowState(found.state),
        payload=found.payload,
        faults=tuple(_fault(*told) for told in faults),
        call_id=found.call_id,
        result=found.result or b"",
        result_bytes=found.result_bytes,
        reason=found.reason,
        message=found.message,
        code=code,
        parameters=parameters,
        service_id=found.service_id,
        started_ms=found.started_ms,
        finished_ms=found.finished_ms,
    )


def _fault(path: str, message: str, zh: str = "") -> Fault:
    """An earlier version kept no Chinese."""
    return Fault(path=path, message=message, zh=zh)
