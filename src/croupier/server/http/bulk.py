"""Bulk runs over HTTP: upload, look, start, steer, follow, read what became of each row."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from croupier.domain.bulk import BulkRow, BulkState, Plan, RowState
from croupier.domain.job import JobEvent
from croupier.domain.limits import KEY_BYTES
from croupier.errors import InvalidArgument
from croupier.server.access.streams import LiveStreams
from croupier.server.bulk import Progress, Upload
from croupier.server.bulk_rows import Format
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.bulk_documents import (
    BULK_BODIES,
    BulkEntry,
    BulkList,
    BulkProgress,
    BulkRows,
    BulkUploaded,
    csv_page,
    entry,
    progress_document,
    rerun_decoder,
    row_document,
    start_decoder,
    uploaded_document,
)
from croupier.server.http.documents import to_json
from croupier.server.http.late import LateRoute
from croupier.server.http.metrics import HttpMetrics
from croupier.server.http.openapi import reference
from croupier.server.http.ports import Bulks
from croupier.server.http.requests import header_text, optional_scope, parse_body, parse_query, said_of, scope_of
from croupier.server.http.stream import JobStream, UnkeptFrames, seen_number

PAGE = 200
_WAITS: dict[int | str, dict[str, Any]] = {
    202: {
        "content": {"application/json": {"schema": reference("Waiting")}},
        "description": "Somebody else has to approve the run first.",
    }
}
CALLER_LEFT = 499

_FORMATS = {
    "text/csv": Format.CSV,
    "application/x-ndjson": Format.JSONL,
    "application/jsonl": Format.JSONL,
    "application/jsonlines": Format.JSONL,
}
_FILE = {"schema": {"type": "string"}}
_UPLOAD = {"requestBody": {"required": True, "content": {"text/csv": _FILE, "application/x-ndjson": _FILE}}}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": reference("JobEvent")}},
        "description": "How it stands, as it changes.",
    },
    204: {"description": "The bulk has ended and its end has been seen: do not come back."},
}
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": _FILE}, "description": "Every row and its outcome."}
}

States = Annotated[list[RowState] | None, Query(max_length=len(RowState))]
After = Annotated[int, Query(ge=0, description="The number of the last row seen.")]


def bulk_routes(bulks: Bulks, *, streams: LiveStreams, stopping: asyncio.Event, metrics: HttpMetrics) -> APIRouter:
    """The routes on `bulks`; every stream ends when `stopping` is set."""
    routes = APIRouter(tags=["bulk"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)
    frames = UnkeptFrames()

    @routes.post("/api/bulk", response_model=BulkUploaded, openapi_extra=_UPLOAD)
    async def upload_bulk(
        asking: Asking,
        request: Request,
        function_id: Annotated[str, Query(min_length=1, max_length=KEY_BYTES)],
        name: Annotated[str, Query(max_length=KEY_BYTES)] = "",
    ) -> Response:
        """Send a file of rows, `text/csv` or `application/x-ndjson`. Every row is checked; nothing runs before `start`."""
        query = parse_query(request.scope["query_string"])
        upload = Upload(
            function_id=function_id, scope=scope_of(asking.headers, query), kind=_format(request), name=name
        )
        try:
            bulk, faults = await bulks.upload(asking.caller, upload, request.stream())
        except ClientDisconnect:
            return Response(status_code=CALLER_LEFT)
        return json_answer(uploaded_document(bulk, faults))

    @routes.get("/api/bulk", response_model=BulkList)
    async def list_bulks(
        asking: Asking,
        request: Request,
        state: Annotated[list[BulkState] | None, Query(max_length=len(BulkState))] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Bulk runs, newest first, of the scope that is named, or of every scope."""
        scope = optional_scope(asking.headers, parse_query(request.scope["query_string"]))
        found = await bulks.list(asking.caller, scope, frozenset(state or ()), limit)
        return json_answer(BulkList(bulks=[entry(each.bulk, each.asked) for each in found]))

    @routes.get("/api/bulk/{bulk_id}", response_model=BulkProgress)
    async def read_bulk(asking: Asking, bulk_id: str) -> Response:
        """One bulk run and how far it is."""
        return json_answer(progress_document(await bulks.get(asking.caller, bulk_id)))

    @routes.post(
        "/api/bulk/{bulk_id}/start",
        response_model=BulkEntry,
        responses=_WAITS,
        openapi_extra=BULK_BODIES["BulkStart"],
    )
    async def start_bulk(asking: Asking, bulk_id: str, request: Request) -> Response:
        """Run it. With `dry_run` the answer is another bulk, a dry run of the same rows."""
        body = parse_body(start_decoder, await request.body() or b"{}")
        plan = Plan(canary=body.canary, rate=body.rate, concurrency=body.concurrency, skip_invalid=body.skip_invalid)
        started = await bulks.start(
            asking.caller,
            bulk_id,
            plan,
            expected_sha256=body.expected_sha256,
            dry_run=body.dry_run,
            said=said_of(body, asking.headers),
        )
        return json_answer(entry(started))

    @routes.post("/api/bulk/{bulk_id}/rerun", response_model=BulkEntry, openapi_extra=BULK_BODIES["BulkRerun"])
    async def rerun_bulk(asking: Asking, bulk_id: str, request: Request) -> Response:
        """A new bulk of the rows that failed, to be started on its own."""
        body = parse_body(rerun_decoder, await request.body() or b"{}")
        return json_answer(entry(await bulks.rerun(asking.caller, bulk_id, include_unknown=body.include_unknown)))

    @routes.get("/api/bulk/{bulk_id}/rows", response_model=BulkRows)
    async def read_bulk_rows(
        asking: Asking,
        bulk_id: str,
        state: States = None,
        after: After = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
        reveal: bool = False,
    ) -> Response:
        """Rows with their arguments, their faults and their outcomes. The next page is after `next`.

        Sensitive values are masked. `reveal` shows them to who may (`calls:reveal`), and is on record.
        """
        states = frozenset(state or ())
        found = await bulks.rows(asking.caller, bulk_id, states, after=after, limit=limit, reveal=reveal)
        more = found[-1].row if len(found) == limit else None
        return json_answer({"rows": [row_document(row) for row in found], "next": more})

    @routes.get("/api/bulk/{bulk_id}/rows.csv", response_class=Response, responses=_CSV)
    async def export_bulk_rows(asking: Asking, bulk_id: str, state: States = None, reveal: bool = False) -> Response:
        """Every row and its outcome as CSV; sensitive values as in `rows`."""
        pages = await bulks.export(asking.caller, bulk_id, frozenset(state or ()), reveal=reveal)
        headers = {"Content-Disposition": 'attachment; filename="bulk-rows.csv"'}
        return StreamingResponse(_table(pages), media_type="text/csv; charset=utf-8", headers=headers)

    @routes.get("/api/bulk/{bulk_id}/stream", response_class=Response, responses=_STREAM)
    async def stream_bulk(asking: Asking, bulk_id: str) -> Response:
        """Follow it as server-sent events: `progress` with the whole picture, at last `done`, or `error` when canceled."""
        seen = seen_number(header_text(asking.headers, b"last-event-id"), None)
        bulk = (await bulks.get(asking.caller, bulk_id)).bulk
        if bulk.ended and seen > bulk.finished_ms:
            return Response(status_code=204)
        events = _events(bulks.follow(asking.caller, bulk_id))
        return JobStream(
            events, caller=asking.caller, streams=streams, stopping=stopping, frames=frames, metrics=metrics
        )

    _add_verbs(routes, bulks)
    return routes


def _add_verbs(routes: APIRouter, bulks: Bulks) -> None:
    @routes.post("/api/bulk/{bulk_id}/confirm", response_model=BulkEntry)
    async def confirm_bulk(asking: Asking, bulk_id: str) -> Response:
        """Go on after the canary."""
        return json_answer(entry(await bulks.confirm(asking.caller, bulk_id)))

    @routes.post("/api/bulk/{bulk_id}/pause", response_model=BulkEntry)
    async def pause_bulk(asking: Asking, bulk_id: str) -> Response:
        """Begin no more rows; those that run end."""
        return json_answer(entry(await bulks.pause(asking.caller, bulk_id)))

    @routes.post("/api/bulk/{bulk_id}/resume", response_model=BulkEntry)
    async def resume_bulk(asking: Asking, bulk_id: str) -> Response:
        """Go on with a bulk that is paused."""
        return json_answer(entry(await bulks.resume(asking.caller, bulk_id)))

    @routes.post("/api/bulk/{bulk_id}/cancel", response_model=BulkEntry)
    async def cancel_bulk(asking: Asking, bulk_id: str) -> Response:
        """Begin no more rows, for good; those that run end."""
        return json_answer(entry(await bulks.cancel(asking.caller, bulk_id)))


def _format(request: Request) -> Format:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        return _FORMATS[kind]
    except KeyError:
        raise InvalidArgument("send the file with Content-Type text/csv or application/x-ndjson") from None


async def _table(pages: AsyncIterator[list[BulkRow]]) -> AsyncIterator[bytes]:
    first = True
    async for rows in pages:
        yield csv_page(rows, with_header=first)
        first = False


async def _events(story: AsyncIterator[Progress]) -> AsyncIterator[list[JobEvent]]:
    """Each event is the whole picture, so a reader that was cut off needs none of those it missed."""
    number = 0
    async for progress in story:
        bulk = progress.bulk
        document = progress_document(progress)
        # Numbers rise over reconnects and restarts, and the last one is above the time of the end.
        number = max(number + 1, time.time_ns() // 1_000_000, bulk.finished_ms + 1)
        kind = {BulkState.DONE: "done", BulkState.CANCELED: "error"}.get(bulk.state, "progress")
        yield [
            JobEvent(
                job_id=bulk.id,
                seq=number,
                type=kind,
                message=f"{bulk.state.value}: {progress.ended} of {bulk.rows} rows",
                progress=document.progress,
                payload=to_json(document),
                reason="canceled" if kind == "error" else "",
            )
        ]
