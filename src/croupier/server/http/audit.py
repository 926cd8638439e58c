"""The audit record over HTTP: looked through, taken along, verified, cut."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from croupier.audit.documents import checkpoint_document, cut_document
from croupier.errors import InvalidArgument
from croupier.server.access.audit_record import AuditRecord
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.audit_documents import (
    CUT_BODY,
    AuditCheckpoint,
    AuditCheckpoints,
    AuditCut,
    AuditEntry,
    AuditList,
    AuditVerdict,
    Wanted,
    audit_entry,
    audit_verdict,
    cut_decoder,
)
from croupier.server.http.filters import Limit, parse_moment
from croupier.server.http.late import LateRoute
from croupier.server.http.requests import parse_body

_LINES, _CSV = "application/x-ndjson", "text/csv; charset=utf-8"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {_LINES: {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}},
        "description": "The record.",
    }
}

Seq = Annotated[int, Query(ge=0, le=2**53)]


class Form(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def audit_routes(record: AuditRecord) -> APIRouter:
    routes = APIRouter(tags=["audit"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/audit", response_model=AuditList)
    async def search_audit(asking: Asking, wanted: Wanted, before: Seq | None = None, limit: Limit = 100) -> Response:
        """Rows that fit everything asked for, newest first. A page may be short and still have a next one."""
        page = await record.search(asking.caller, wanted.masked_by(record), limit, before)
        return json_answer(AuditList(rows=[audit_entry(each) for each in page.rows], next=page.next))

    @routes.get("/api/audit/export", response_class=Response, responses=_FILE)
    async def export_audit(
        asking: Asking, wanted: Wanted, form: Annotated[Form, Query(alias="format")] = Form.JSONL
    ) -> Response:
        """The rows that fit, oldest first: signed JSON lines that `croupier audit verify` verifies anywhere, or CSV."""
        pieces = await record.export(asking.caller, wanted.masked_by(record), csv=form is Form.CSV)
        media = _CSV if form is Form.CSV else _LINES
        headers = {"Content-Disposition": f'attachment; filename="audit.{form.value}"'}
        return StreamingResponse(_some(pieces), media_type=media, headers=headers)

    @routes.post("/api/audit/verify", response_model=AuditVerdict)
    async def verify_audit(asking: Asking) -> Response:
        """Every row that is kept: does it follow from the one before, did this deployment write it?"""
        return json_answer(audit_verdict(await record.verify(asking.caller)))

    @routes.get("/api/audit/checkpoints", response_model=AuditCheckpoints)
    async def list_audit_checkpoints(asking: Asking, after: Seq = 0, limit: Limit = 1000) -> Response:
        """Signed statements of where the record stood, oldest first, and the key to check them with."""
        public_key, found = await record.checkpoints(asking.caller, after, limit)
        return json_answer({"public_key": public_key, "checkpoints": [checkpoint_document(each) for each in found]})

    @routes.post("/api/audit/checkpoints", response_model=AuditCheckpoint)
    async def make_audit_checkpoint(asking: Asking) -> Response:
        """One of now."""
        return json_answer(checkpoint_document(await record.checkpoint(asking.caller)))

    @routes.post("/api/audit/cut", response_model=AuditCut, openapi_extra=CUT_BODY)
    async def cut_audit(asking: Asking, request: Request) -> Response:
        """Take away old rows for good. The rest can be verified still: that they were taken away is signed, and on record."""
        before_ms = parse_moment("before", parse_body(cut_decoder, await request.body()).before)
        if before_ms is None:
            raise InvalidArgument("before must be a time, such as 2026-01-31T18:00:00Z")
        return json_answer(cut_document(await record.cut(asking.caller, before_ms)))

    @routes.get("/api/audit/{seq}", response_model=AuditEntry)
    async def read_audit(asking: Asking, seq: int) -> Response:
        """One row."""
        return json_answer(audit_entry(await record.row(asking.caller, seq)))

    return routes


async def _some(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        if piece:
            yield piece
