from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from croupier_sdk.errors import REASONS, CallError
from croupier_sdk.functions.encoding import Unserializable, to_payload
from croupier_sdk.functions.options import Route
from croupier_sdk.rpc.backoff import Backoff
from croupier_sdk.rpc.channel import Tls, check_secure, dial
from croupier_sdk.running.context import current_trace
from croupier_wire.function.v1 import function_pb2

_SERVICE = "/croupier.function.v1.FunctionService"
_STREAM_TRIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class InvokeOptions:
    """How a call is to be made; what is left out is the function's or the platform's choice."""

    idempotency_key: str = ""
    """A repeated call with the same key gets the first one's answer."""
    route: Route = ""
    target_service_id: str = ""
    """The one game server meant, for route targeted."""
    hash_key: str = ""
    """What decides the game server, for route hash."""
    version: str = ""
    trace_id: str = ""
    """The trace that begins with this call: 32 hexadecimal digits."""
    traceparent: str = ""
    """W3C trace context to go on from; without this and `trace_id`, that of the handler this runs in, if it runs in one."""
    tracestate: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    """Seconds until the call is given up, on every hop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEvent:
    """One line of a job's story: type is progress, log, done or error."""

    seq: int
    type: str
    message: str
    progress: int
    payload: bytes

    @property
    def last(self) -> bool:
        return self.type in {"done", "error"}

    @property
    def result(self) -> Any:
        """The payload as JSON, or as bytes where it is not JSON."""
        return _value(self.payload)


_DEFAULTS = InvokeOptions()


class Invoker:
    """Calls functions over FunctionService of a server, an edge or an agent. Every method raises CallError when it does not succeed.

    Nothing is repeated by itself but the following of a job: a call that ended `unavailable` did not run and can be sent again;
    one that ended `outcome_unknown` or `deadline_exceeded` may have run, so send it again with the same idempotency key only.
    """

    def __init__(self, address: str, *, game_id: str, env: str, token: str = "", tls: Tls | None = None) -> None:
        check_secure(address, tls, "address")
        self._scope = {"game_id": game_id, "env": env}
        self._headers = (("authorization", f"Bearer {token}"),) if token else ()
        self._address, self._tls = address, tls
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def invoke(self, function_id: str, payload: Any = None, *, options: InvokeOptions = _DEFAULTS) -> Any:
        """Call a function with a JSON value (None: no arguments); returns its answer as JSON, or bytes if it is not JSON."""
        return _value(await self.invoke_raw(function_id, _payload(payload), options=options))

    async def invoke_raw(self, function_id: str, payload: bytes, *, options: InvokeOptions = _DEFAULTS) -> bytes:
        """The same with bytes both ways, sent as they are."""
        call = self._open().unary_unary(
            f"{_SERVICE}/Invoke", function_pb2.InvokeRequest.SerializeToString, function_pb2.InvokeResponse.FromString
        )
        request = self._request(function_id, payload, options)
        try:
            answer = await call(request, timeout=options.timeout, metadata=self._headers)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from error
        return answer.payload

    async def start_job(self, function_id: str, payload: Any = None, *, options: InvokeOptions = _DEFAULTS) -> str:
        """Start a job and return its id at once. `options.timeout` bounds the start, not the job."""
        call = self._open().unary_unary(
            f"{_SERVICE}/StartJob",
            function_pb2.InvokeRequest.SerializeToString,
            function_pb2.StartJobResponse.FromString,
        )
        request = self._request(function_id, _payload(payload), options)
        try:
            answer = await call(request, timeout=options.timeout, metadata=self._headers)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from error
        return answer.job_id

    async def cancel_job(self, job_id: str) -> None:
        """Ask for a job's end; how it really ended is its last event."""
        call = self._open().unary_unary(
            f"{_SERVICE}/CancelJob",
            function_pb2.CancelJobRequest.SerializeToString,
            function_pb2.StartJobResponse.FromString,
        )
        try:
            await call(function_pb2.CancelJobRequest(job_id=job_id), metadata=self._headers)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from error

    async def stream_job(self, job_id: str, *, after: int = 0) -> AsyncIterator[JobEvent]:
        """The job's events after `after`, in order, ending with its last.

        A broken connection is made good without gap or duplicate; CallError `unavailable` is raised once five tries in a row failed.
        """
        backoff, failed = Backoff(), 0
        while True:
            try:
                async for event in self._stream(job_id, after):
                    if event.seq and event.seq <= after:
                        continue
                    after, failed = event.seq or after, 0
                    backoff.reset()
                    yield event
                    if event.last:
                        return
                broken = CallError(14, "unavailable", f"the stream of job {job_id} ended before the job")
            except grpc.aio.AioRpcError as error:
                broken = call_error(error)
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise broken from error
            failed += 1
            if failed >= _STREAM_TRIES:
                raise broken
            await asyncio.sleep(backoff.delay())

    async def _stream(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        stream = self._open().unary_stream(
            f"{_SERVICE}/StreamJob", function_pb2.JobStreamRequest.SerializeToString, function_pb2.JobEvent.FromString
        )(function_pb2.JobStreamRequest(job_id=job_id, after_seq=after), metadata=self._headers)
        try:
            async for event in stream:
                yield JobEvent(
                    seq=event.seq,
                    type=event.type,
                    message=event.message,
                    progress=event.progress,
                    payload=event.payload,
                )
        finally:
            stream.cancel()

    def _request(self, function_id: str, payload: bytes, options: InvokeOptions) -> function_pb2.InvokeRequest:
        said = {name: value for name in _METADATA if (value := getattr(options, name))}
        trace = {} if options.traceparent or options.trace_id else current_trace()
        return function_pb2.InvokeRequest(
            function_id=function_id,
            idempotency_key=options.idempotency_key,
            payload=payload,
            metadata={**trace, **options.metadata, **self._scope, **said},
        )

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = dial(self._address, self._tls)
        return self._channel


_METADATA = ("trace_id", "traceparent", "tracestate", "route", "target_service_id", "hash_key", "version")


def call_error(error: grpc.aio.AioRpcError) -> CallError:
    """What gRPC says, with the reason from the trailing metadata where the peer gives one."""
    code = int(error.code().value[0])
    trailing = error.trailing_metadata()
    told = {str(name): str(value) for name, value in trailing} if trailing is not None else {}
    reason = told.get("croupier-reason") or REASONS.get(code, "")
    trace_id = told.get("croupier-trace-id", "")
    return CallError(code, reason, error.details() or error.code().name, trace_id=trace_id)


def _payload(value: Any) -> bytes:
    try:
        return to_payload({} if value is None else value)
    except Unserializable as error:
        raise CallError(3, "invalid_argument", f"the payload cannot be sent: {error}") from error


def _value(payload: bytes) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(payload) if payload else None
    return payload
