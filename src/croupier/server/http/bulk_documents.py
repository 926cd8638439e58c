"""Bulk runs as JSON and CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from croupier.codes import Code
from croupier.domain.bulk import Bulk, BulkRow, BulkState, Fault, Plan, RowState
from croupier.server.bulk import Progress
from croupier.server.bulk_intake import RowFault
from croupier.server.http.openapi import reference
from croupier.server.payload_json import payload_fields

_PLAN = Plan()


class BulkStart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `/api/bulk/{bulk_id}/start`."""

    canary: int = _PLAN.canary
    rate: float = _PLAN.rate
    concurrency: int = _PLAN.concurrency
    skip_invalid: bool = False
    dry_run: bool = False
    expected_sha256: str = ""
    reason: str = ""
    ticket: str = ""
    break_glass: bool = False


class BulkRerun(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `/api/bulk/{bulk_id}/rerun`."""

    include_unknown: bool = False


start_decoder = msgspec.json.Decoder(BulkStart)
rerun_decoder = msgspec.json.Decoder(BulkRerun)

BULK_BODIES: Mapping[str, dict[str, Any]] = {
    name: {"requestBody": {"required": False, "content": {"application/json": {"schema": reference(name)}}}}
    for name in ("BulkStart", "BulkRerun")
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkEntry:
    bulk_id: str
    name: str
    function_id: str
    game_id: str
    env: str
    state: BulkState
    rows: int
    valid: int
    invalid: int
    sha256: str
    canary: int
    rate: float
    concurrency: int
    skip_invalid: bool
    dry_run: bool
    parent_id: str
    uploaded_by: str
    started_by: str
    approval_id: str
    """What it runs under, or of a draft the request that is still to be decided."""
    created_ms: int
    started_ms: int
    finished_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkList:
    bulks: list[BulkEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkProgress(BulkEntry):
    counts: dict[RowState, int]
    progress: int
    """Percent of the rows that have ended, of those that are run."""
    speed: float
    """Rows ended per second, over the last ten seconds."""
    eta_seconds: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkUploaded:
    bulk_id: str
    state: BulkState
    rows: int
    valid: int
    invalid: int
    sha256: str
    errors: list[RowFault]


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkRowEntry:
    row: int
    line: int
    state: RowState
    arguments: Any
    errors: list[Fault]
    call_id: str
    result: Any
    """The answer, when it is JSON of at most 4 KB; the record of the call has every answer."""
    result_bytes: int
    reason: str
    message: str
    code: Code | None
    """The message by name (docs/reference/refusals.md); null where it has none."""
    parameters: dict[str, str]
    service_id: str
    started_ms: int
    finished_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkRows:
    rows: list[BulkRowEntry]
    next: int | None


def entry(bulk: Bulk, asked: str = "") -> BulkEntry:
    """`asked` is the request for approval that a draft waits for."""
    return BulkEntry(**(_fields(bulk) | {"approval_id": bulk.approval_id or asked}))


def progress_document(progress: Progress) -> BulkProgress:
    return BulkProgress(
        **(_fields(progress.bulk) | {"approval_id": progress.bulk.approval_id or progress.asked}),
        counts={state: progress.counts.get(state, 0) for state in RowState},
        progress=progress.percent,
        speed=round(progress.speed, 2),
        eta_seconds=progress.eta_seconds,
    )


def uploaded_document(bulk: Bulk, faults: Sequence[RowFault]) -> BulkUploaded:
    return BulkUploaded(
        bulk_id=bulk.id,
        state=bulk.state,
        rows=bulk.rows,
        valid=bulk.valid,
        invalid=bulk.invalid,
        sha256=bulk.sha256,
        errors=list(faults),
    )


def row_document(row: BulkRow) -> BulkRowEntry:
    return BulkRowEntry(
        row=row.row,
        line=row.line,
        state=row.state,
        arguments=orjson.Fragment(row.payload) if row.payload else None,
        errors=list(row.faults),
        call_id=row.call_id,
        result=payload_fields(row.result).get("payload"),
        result_bytes=row.result_bytes,
        reason=row.reason,
        message=row.message,
        code=row.code,
        parameters=dict(row.parameters),
        service_id=row.service_id,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
    )


def _fields(bulk: Bulk) -> dict[str, Any]:
    return {
        "bulk_id": bulk.id,
        "name": bulk.name,
        "function_id": bulk.function_id,
        "game_id": bulk.scope.game_id,
        "env": bulk.scope.env,
        "state": bulk.state,
        "rows": bulk.rows,
        "valid": bulk.valid,
        "invalid": bulk.invalid,
        "sha256": bulk.sha256,
        "canary": bulk.plan.canary,
        "rate": bulk.plan.rate,
        "concurrency": bulk.plan.concurrency,
        "skip_invalid": bulk.plan.skip_invalid,
        "dry_run": bulk.dry_run,
        "parent_id": bulk.parent_id,
        "uploaded_by": bulk.uploaded_by,
        "started_by": bulk.started_by,
        "approval_id": bulk.approval_id,
        "created_ms": bulk.created_ms,
        "started_ms": bulk.started_ms,
        "finished_ms": bulk.finished_ms,
    }


# ------------------------------------------------------------------------------------------------ as CSV

_COLUMNS = (
    "row",
    "line",
    "state",
    "reason",
    "message",
    "arguments",
    "result",
    "call_id",
    "service_id",
    "started",
    "finished",
)


def csv_page(rows: Sequence[BulkRow], *, with_header: bool) -> bytes:
    page = io.StringIO()
    writer = csv.writer(page)
    if with_header:
        writer.writerow(_COLUMNS)
    for row in rows:
        message = row.message or "; ".join(f"{fault.path or 'row'}: {fault.message}" for fault in row.faults)
        texts = (message, row.payload.decode(), row.result.decode(errors="replace"), row.call_id, row.service_id)
        times = (_time(row.started_ms), _time(row.finished_ms))
        writer.writerow((row.row, row.line, row.state.value, row.reason, *map(_harmless, texts), *times))
    return page.getvalue().encode("utf-8", "replace")


def _harmless(text: str) -> str:
    """Spreadsheets run what begins like a formula; games and players choose these texts."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds") if milliseconds else ""
