"""What has left the database: gzipped JSON lines, a folder a day (UTC), under `objects`.

    jobs/2026-01-31/j….jsonl.gz     a job on the first line, then its events; by the day on which it was created
    calls/2026-01-31/c….jsonl.gz    some calls; named after the first, by the day on which that began
    audit/0…1-0…100000.jsonl.gz     rows of the audit record, from one to another: an export, signed

The same things give the same bytes under the same name, so what is written a second time changes nothing.
"""

import asyncio
import base64
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from croupier.domain.call import Result
from croupier.domain.job import Job, JobEvent
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.errors import CroupierError, InternalError, NotFound
from croupier.objects import Objects
from croupier.server.payload_json import payload_fields
from croupier.store import CallRecord

BATCH = 500
"""Most events that are read back at a time."""
CHUNK = 262_144
"""Bytes that are compressed at a time."""
LINE_BYTES = 2 * PAYLOAD_BYTES
"""No line that we wrote is longer."""

_GZIP = 16 + zlib.MAX_WBITS


class _EventLine(msgspec.Struct):
    seq: int
    type: str
    message: str
    progress: int
    reason: str
    time_ms: int
    payload: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))
    payload_base64: str | None = None


_decode_event = msgspec.json.Decoder(_EventLine).decode


class Archive:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def keep_job(self, job: Job, events: AsyncIterator[list[JobEvent]]) -> None:
        """Write the job and all its events."""
        await self._objects.put(_job_name(job), _zipped(_job_lines(job, events)))

    async def keep_calls(self, records: list[CallRecord]) -> None:
        """Write calls of one day."""
        first = records[0]
        name = f"calls/{day(first.started_ms)}/{first.call.id}.jsonl.gz"
        await self._objects.put(name, _zipped(_call_lines(records)))

    async def keep_audit(self, first: int, last: int, export: AsyncIterator[bytes]) -> str:
        """Write the export of these rows of the audit record, and say under which name."""
        name = f"audit/{first:016d}-{last:016d}.jsonl.gz"
        await self._objects.put(name, _zipped_pieces(export))
        return name

    async def story(self, job: Job, after: int) -> AsyncIterator[list[JobEvent]]:
        """The job's events with a seq above `after`, in order, in batches.

        Raises NotFound when the archive does not have the job (any more).
        """
        batch: list[JobEvent] = []
        async with aclosing(self._lines(job)) as lines:
            async for line in lines:
                event = _event(job.id, line)
                if event is not None and event.seq > after:
                    batch.append(event)
                    if len(batch) >= BATCH or event.payload:
                        yield batch
                        batch = []
        if batch:
            yield batch

    async def with_result(self, job: Job) -> Job:
        """The job with its result, if the archive has it."""
        try:
            async for batch in self.story(job, job.last_seq - 1):
                for event in batch:
                    if event.type == "done":
                        return replace(job, payload=event.payload)
        except NotFound:
            return job
        return job

    async def _lines(self, job: Job) -> AsyncGenerator[bytes, None]:
        rest = b""
        try:
            async for part in _unzipped(self._objects.get(_job_name(job))):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    yield line
                if len(rest) > LINE_BYTES:
                    raise InternalError(f"the archive of job {job.id} is damaged: a line of it has no end")
        except NotFound:
            raise NotFound(
                f"the events of job {job.id} are no longer kept: its retention is over, and the archive does not have them"
            ) from None


def day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def _job_name(job: Job) -> str:
    return f"jobs/{day(job.created_ms)}/{job.id}.jsonl.gz"


async def _job_lines(job: Job, events: AsyncIterator[list[JobEvent]]) -> AsyncIterator[bytes]:
    yield orjson.dumps(
        {
            "job_id": job.id,
            "function_id": job.function_id,
            "game_id": job.scope.game_id,
            "env": job.scope.env,
            "caller": job.caller,
            "state": job.state,
            "error": job.error,
            "reason": job.reason,
            "agent_id": job.agent_id,
            "service_id": job.service_id,
            "created_ms": job.created_ms,
            "finished_ms": job.finished_ms,
        }
    )
    async for batch in events:
        for event in batch:
            yield orjson.dumps(
                {
                    "seq": event.seq,
                    "type": event.type,
                    "message": event.message,
                    "progress": event.progress,
                    "reason": event.reason,
                    "time_ms": event.time_ms,
                }
                | payload_fields(event.payload)
            )


def _event(job_id: str, line: bytes) -> JobEvent | None:
    """None for the first line, which is the job."""
    if line.startswith(b'{"job_id":'):
        return None
    try:
        found = _decode_event(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InternalError(f"the archive of job {job_id} is damaged: a line of it is no event") from None
    payload = bytes(found.payload)
    if found.payload_base64 is not None:
        payload = base64.b64decode(found.payload_base64)
    elif payload == b"null":
        payload = b""
    return JobEvent(
        job_id=job_id,
        seq=found.seq,
        type=found.type,
        message=found.message,
        progress=found.progress,
        payload=payload,
        reason=found.reason,
        time_ms=found.time_ms,
    )


async def _call_lines(records: Iterable[CallRecord]) -> AsyncIterator[bytes]:
    for record in records:
        yield orjson.dumps(_call_line(record), default=dict)


def _call_line(record: CallRecord) -> dict[str, Any]:
    call, outcome, trail = record.call, record.outcome, record.trail
    failed = outcome if isinstance(outcome, CroupierError) else None
    return {
        "call_id": call.id,
        "kind": record.kind,
        "function_id": call.function_id,
        "game_id": call.scope.game_id,
        "env": call.scope.env,
        "caller": call.caller,
        "idempotency_key": call.idempotency_key,
        "route": call.route,
        "target_service_id": call.target_service_id,
        "hash_key": call.hash_key,
        "version": call.version,
        "metadata": call.metadata,
        "timeout": call.timeout,
        "traceparent": call.traceparent,
        "replay_of": call.replay_of,
        "replays": record.replays,
        "state": record.state,
        "started_ms": record.started_ms,
        "finished_ms": record.finished_ms,
        "trail": trail._asdict(),
        "result": payload_fields(outcome.payload) if isinstance(outcome, Result) else None,
        "reason": failed.reason if failed is not None else "",
        "error": failed.message if failed is not None else "",
        "details": failed.details if failed is not None else {},
    } | payload_fields(call.payload)


def _zipped(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    return _zipped_pieces(line + b"\n" async for line in lines)


async def _zipped_pieces(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """As a gzip file; without a time in it, so that the same pieces give the same bytes."""
    packer = zlib.compressobj(wbits=_GZIP)
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= CHUNK:
            yield await asyncio.to_thread(packer.compress, bytes(waiting))
            waiting.clear()
    yield packer.compress(waiting) + packer.flush()


async def _unzipped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Raises InternalError where it is no gzip file."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        async for chunk in chunks:
            yield unpacker.decompress(chunk, CHUNK)
            while unpacker.unconsumed_tail:
                yield unpacker.decompress(unpacker.unconsumed_tail, CHUNK)
    except zlib.error:
        raise InternalError("an object of the archive is damaged: restore it from a backup") from None
