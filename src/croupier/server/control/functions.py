"""FunctionService and JobService on the server: the spine's gRPC entry."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import TypeVar

from croupier.domain.addresses import peer_ip
from croupier.domain.call import Call, Route
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.limits import CALL_TIMEOUT_MAX, KEY_BYTES, METADATA_BYTES, METADATA_ENTRIES, PAYLOAD_BYTES
from croupier.domain.principal import Principal
from croupier.domain.routing import wait_seconds
from croupier.domain.scope import parse_scope
from croupier.domain.trace import Trace, begin_trace, trace_in, tracestate_of
from croupier.errors import CroupierError, InvalidArgument, PayloadTooLarge
from croupier.rpc.service import CALL_ID, REPLAYED, TRACE_ID, Context, metadata_value
from croupier.server.access.arrivals import Arrivals
from croupier.server.access.guard import Guard
from croupier.server.access.streams import LiveStreams
from croupier.server.calls import Calls
from croupier.server.jobs import Jobs
from croupier.telemetry import Span, Tracer
from croupier.telemetry.facts import facts_of
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2 as wire

_ROUTING_KEYS = frozenset(
    {"game_id", "env", "route", "target_service_id", "hash_key", "version", "traceparent", "wait_for"}
)


T = TypeVar("T")


class Functions:
    def __init__(
        self, *, guard: Guard, streams: LiveStreams, calls: Calls, jobs: Jobs, tracer: Tracer | None = None
    ) -> None:
        self._guard = guard
        self._streams = streams
        self._calls = calls
        self._jobs = jobs
        self._tracer = tracer
        self._arrivals = Arrivals()

    def _caller(self, context: Context) -> Principal:
        """Raises Unauthenticated without `authorization: Bearer TOKEN` in the gRPC metadata."""
        value = metadata_value(context, "authorization")
        caller = self._guard.authenticate({b"authorization": value.encode()} if value else {})
        return self._arrivals.at(caller, peer_ip(context.peer()))

    async def invoke(self, request: wire.InvokeRequest, context: Context) -> wire.InvokeResponse:
        caller = self._caller(context)
        call, span = self._enter(request, caller, context, "c", _time_left(context))
        result = await _told(self._calls.invoke(caller, call), span, context)
        if result.replayed:
            _name_first(context, result.call_id)
        return wire.InvokeResponse(payload=result.payload)

    async def start_job(self, request: wire.InvokeRequest, context: Context) -> wire.StartJobResponse:
        caller = self._caller(context)
        call, span = self._enter(request, caller, context, "j", None)
        job_id = await _told(self._jobs.start(caller, call), span, context)
        if job_id != call.id:
            _name_first(context, job_id)
        return wire.StartJobResponse(job_id=job_id)

    def _enter(
        self, request: wire.InvokeRequest, caller: Principal, context: Context, prefix: str, timeout: float | None
    ) -> tuple[Call, Span | None]:
        """The call, whose ids every answer carries, and its span where spans are collected."""
        trace = trace_in(request.metadata, metadata_value(context, "traceparent"))
        context.set_trailing_metadata(((TRACE_ID, trace.trace_id),))
        call = read_call(request, caller, prefix, timeout, trace)
        context.set_trailing_metadata(((TRACE_ID, trace.trace_id), (CALL_ID, call.id)))
        if (state := tracestate_of(metadata_value(context, "tracestate"))) != "":
            call = replace(call, metadata={"tracestate": state, **call.metadata})
        if self._tracer is None:
            return call, None
        span = self._tracer.enter(f"gRPC {call.function_id}", trace, facts_of(call))
        return replace(call, traceparent=span.traceparent), span

    async def stream_job(self, request: wire.JobStreamRequest, context: Context) -> AsyncIterator[wire.JobEvent]:
        caller = self._caller(context)
        story = self._jobs.follow(caller, request.job_id, request.after_seq)
        async for batch in self._streams.follow(caller, story):
            for event in batch:
                yield to_wire(event)

    async def cancel_job(self, request: wire.CancelJobRequest, context: Context) -> wire.StartJobResponse:
        job = await self._jobs.cancel(self._caller(context), request.job_id, "cancelled over gRPC")
        return wire.StartJobResponse(job_id=job.id)

    async def get_job_result(
        self, request: job_pb2.GetJobResultRequest, context: Context
    ) -> job_pb2.GetJobResultResponse:
        job = await self._jobs.get(self._caller(context), request.job_id)
        return job_pb2.GetJobResultResponse(state=job.state.value, payload=job.payload, error=job.error)


async def _told(work: Awaitable[T], span: Span | None, context: Context) -> T:
    """What `work` returns or raises, told to the span; of a failure the answer's metadata name the call that has the record."""
    outcome = "internal"
    try:
        answer = await work
        outcome = "ok"
    except CroupierError as error:
        outcome = error.reason
        if error.call_id:
            _name_first(context, error.call_id, replayed=error.replayed)
        raise
    except asyncio.CancelledError:
        outcome = "canceled"
        raise
    finally:
        if span is not None:
            span.end(outcome, {})
    return answer


def _name_first(context: Context, call_id: str, *, replayed: bool = True) -> None:
    """The record is that of the first call with this idempotency key; the one that was made has none."""
    told = dict(context.trailing_metadata() or ()) | {CALL_ID: call_id} | ({REPLAYED: "true"} if replayed else {})
    context.set_trailing_metadata(tuple(told.items()))


def to_wire(event: JobEvent) -> wire.JobEvent:
    return wire.JobEvent(
        type=event.type, message=event.message, progress=event.progress, payload=event.payload, seq=event.seq
    )


def _time_left(context: Context) -> float | None:
    """Seconds until the gRPC deadline, or None when the caller set none."""
    left: object = context.time_remaining()  # None without a deadline, whatever its stub says
    return min(max(left, 0.001), CALL_TIMEOUT_MAX) if isinstance(left, float) and math.isfinite(left) else None


def read_call(
    request: wire.InvokeRequest, caller: Principal, prefix: str, timeout: float | None, trace: Trace | None = None
) -> Call:
    """The request as a call. Raises InvalidArgument or PayloadTooLarge, naming what is wrong."""
    metadata = dict(request.metadata)
    if not request.function_id or len(request.function_id) > KEY_BYTES:
        raise InvalidArgument(f"function_id must have 1 to {KEY_BYTES} characters")
    if len(request.payload) > PAYLOAD_BYTES:
        raise PayloadTooLarge(f"a payload of {len(request.payload)} bytes; at most {PAYLOAD_BYTES} are allowed")
    _check_sizes(request.idempotency_key, metadata)
    return Call(
        id=new_id(prefix),
        function_id=request.function_id,
        scope=parse_scope(metadata.get("game_id", ""), metadata.get("env", "")),
        payload=request.payload,
        caller=caller.name,
        idempotency_key=request.idempotency_key,
        route=read_route(metadata.get("route", "")),
        target_service_id=metadata.get("target_service_id", ""),
        hash_key=metadata.get("hash_key", ""),
        version=metadata.get("version", ""),
        metadata={key: value for key, value in metadata.items() if key not in _ROUTING_KEYS},
        timeout=timeout,
        traceparent=(trace or begin_trace()).traceparent,
        wait_for=wait_seconds(metadata.get("wait_for", "")),
    )


def read_route(name: str) -> Route:
    try:
        return Route(name) if name else Route.LB
    except ValueError as error:
        raise InvalidArgument(f"route must be one of {', '.join(Route)}, not {name[:40]!r}") from error


def _check_sizes(key: str, metadata: dict[str, str]) -> None:
    if len(key.encode()) > KEY_BYTES:
        raise InvalidArgument(f"idempotency_key must be at most {KEY_BYTES} bytes")
    if len(metadata) > METADATA_ENTRIES:
        raise InvalidArgument(f"metadata may have at most {METADATA_ENTRIES} entries")
    if sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items()) > METADATA_BYTES:
        raise InvalidArgument(f"metadata may have at most {METADATA_BYTES} bytes in all")
