"""FunctionService as its caller sees it, with our errors; over a channel that is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from croupier.domain.limits import PAYLOAD_BYTES
from croupier.errors import CroupierError, DeadlineExceeded, HandlerFailed, OutcomeUnknown, Unavailable
from croupier.tunnel.grpc import CHANNEL_OPTIONS
from croupier.tunnel.status import error_from
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2 as wire

SERVICE = "/croupier.function.v1.FunctionService/"
M = TypeVar("M", bound=Message)


def error_of(error: grpc.aio.AioRpcError, address: str, *, sent: bool) -> CroupierError:
    """What a failed call to `address` means; `sent` when the other side may have received it."""
    code, text = error.code(), error.details() or ""
    trailing = error.trailing_metadata() or ()
    reason = next((value for name, value in trailing if name == "croupier-reason"), "")
    if isinstance(reason, str) and reason:
        return error_from(code.value[0], text, reason)
    if code == grpc.StatusCode.UNAVAILABLE and sent:
        return OutcomeUnknown(f"the connection to {address} was lost during the call; check whether it took effect")
    if code == grpc.StatusCode.UNAVAILABLE:
        return Unavailable(f"{address} cannot be reached; the call was not sent and may be repeated")
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded(f"tunnel invoke timeout: {address} did not answer within the deadline")
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:
        return HandlerFailed(f"{address} answered more than {PAYLOAD_BYTES} bytes; an answer must be smaller")
    return error_from(code.value[0], text)


class FunctionClient:
    """Raises CroupierError for whatever goes wrong; `timeout` is in seconds, None for no limit."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)

    async def invoke(self, request: wire.InvokeRequest, timeout: float | None) -> bytes:
        raw = await self._unary(SERVICE + "Invoke", request, timeout)
        payload = self._parsed(wire.InvokeResponse, raw).payload
        if len(payload) > PAYLOAD_BYTES:
            raise HandlerFailed(f"{self.address} answered {len(payload)} bytes; at most {PAYLOAD_BYTES} are allowed")
        return payload

    async def start_job(self, request: wire.InvokeRequest, timeout: float | None) -> str:
        return self._parsed(wire.StartJobResponse, await self._unary(SERVICE + "StartJob", request, timeout)).job_id

    async def cancel_job(self, job_id: str, timeout: float | None) -> None:
        await self._unary(SERVICE + "CancelJob", wire.CancelJobRequest(job_id=job_id), timeout)

    async def job_result(self, job_id: str, timeout: float | None) -> job_pb2.GetJobResultResponse:
        raw = await self._unary(
            "/croupier.edge.job.v1.JobService/GetJobResult", job_pb2.GetJobResultRequest(job_id=job_id), timeout
        )
        return self._parsed(job_pb2.GetJobResultResponse, raw)

    async def stream_job(self, job_id: str, after_seq: int = 0) -> AsyncIterator[wire.JobEvent]:
        open_stream: Any = self._channel.unary_stream(
            SERVICE + "StreamJob", request_serializer=None, response_deserializer=None
        )
        call = open_stream(wire.JobStreamRequest(job_id=job_id, after_seq=after_seq).SerializeToString())
        try:
            async for raw in call:
                yield self._parsed(wire.JobEvent, raw)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self.address, sent=True) from error
        finally:
            call.cancel()

    async def connected(self, timeout: float) -> bool:
        """Wait until the channel is up; False when `timeout` passes first."""
        try:
            async with asyncio.timeout(timeout):
                await self._channel.channel_ready()
        except TimeoutError:
            return False
        return True

    async def close(self, grace: float | None = None) -> None:
        """Give calls under way `grace` seconds, then cancel them."""
        await self._channel.close(grace)

    async def _unary(self, method: str, request: Message, timeout: float | None) -> bytes:
        sent = self._channel.get_state(try_to_connect=True) == grpc.ChannelConnectivity.READY
        call: Callable[..., Awaitable[Any]] = self._channel.unary_unary(
            method, request_serializer=None, response_deserializer=None
        )
        try:
            raw: bytes = await call(request.SerializeToString(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self.address, sent=sent) from error
        return raw

    def _parsed(self, kind: type[M], raw: bytes) -> M:
        try:
            return kind.FromString(raw)
        except DecodeError as error:
            raise HandlerFailed(f"{self.address} answered garbage: not a {kind.DESCRIPTOR.name}") from error
