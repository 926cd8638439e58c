"""The gRPC of game servers that listen: FunctionService in protobuf over one kept channel, errors as ours.

Nothing above this file sees grpc or the messages of FunctionService.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from croupier.domain.limits import MESSAGE_BYTES, PAYLOAD_BYTES
from croupier.errors import (
    CroupierError,
    DeadlineExceeded,
    HandlerFailed,
    OutcomeUnknown,
    PayloadTooLarge,
    Unavailable,
)
from croupier.rpc.service import REASON
from croupier.tunnel.frames import Invoke
from croupier.tunnel.grpc import CHANNEL_OPTIONS
from croupier.tunnel.status import bounded, error_from
from croupier_wire.function.v1 import function_pb2 as wire

M = TypeVar("M", bound=Message)

Unary = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
Streaming = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]

_SERVICE = "/croupier.function.v1.FunctionService/"
_NOT_CONNECTED = "failed to connect to all addresses"
"""How gRPC begins the details of a call that never had a connection."""
_TOO_LARGE = "larger than max"


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignEvent:
    """A line of a job's story as the game server tells it; `seq` is 0 where it does not number."""

    type: str
    message: str
    progress: int
    payload: bytes
    seq: int


class ForeignChannel:
    """A kept channel to one game server. Every method raises CroupierError; `who` names the game server in it."""

    def __init__(self, address: str, who: str) -> None:
        self.address = address
        self._who = who
        self._channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        # Raw bytes both ways: an answer that is garbage is then ours to name.
        self._invoke: Unary = self._channel.unary_unary(_SERVICE + "Invoke")
        self._start_job: Unary = self._channel.unary_unary(_SERVICE + "StartJob")
        self._cancel_job: Unary = self._channel.unary_unary(_SERVICE + "CancelJob")
        self._stream_job: Streaming = self._channel.unary_stream(_SERVICE + "StreamJob")

    async def close(self) -> None:
        await self._channel.close()

    async def connect(self, *, patient: bool = False) -> None:
        """Have a connection. `patient` waits through failed attempts, until cancelled. Raises Unavailable."""
        while (state := self._channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.SHUTDOWN or (
                state is grpc.ChannelConnectivity.TRANSIENT_FAILURE and not patient
            ):
                raise Unavailable(
                    f"{self._who} does not answer at {self.address}; the call was not sent and may be repeated"
                )
            await self._channel.wait_for_state_change(state)

    async def lost(self) -> None:
        """Returns when the connection is not there any more."""
        await self._channel.wait_for_state_change(grpc.ChannelConnectivity.READY)

    async def invoke(self, frame: Invoke, metadata: Mapping[str, str], timeout: float | None) -> bytes:
        """The function's answer. A cancelled caller cancels the call at the game server."""
        answer = await self._unary(self._invoke, _request(frame, metadata), timeout)
        payload = self._parse(wire.InvokeResponse, answer).payload
        if len(payload) > PAYLOAD_BYTES:
            raise HandlerFailed(f"{self._who} answered {len(payload)} bytes; at most {PAYLOAD_BYTES} are allowed")
        return payload

    async def start_job(self, frame: Invoke, metadata: Mapping[str, str], timeout: float | None) -> str:
        """The game server's id of the job; empty where it started none. Raises Unimplemented where it knows no jobs."""
        answer = await self._unary(self._start_job, _request(frame, metadata), timeout)
        return self._parse(wire.StartJobResponse, answer).job_id

    async def cancel_job(self, job_id: str, timeout: float) -> None:
        await self._unary(self._cancel_job, wire.CancelJobRequest(job_id=job_id), timeout)

    async def stream_job(self, job_id: str, after: int) -> AsyncGenerator[ForeignEvent, None]:
        """The job's story, from its begin or after the event numbered `after`; the game server decides which."""
        request = wire.JobStreamRequest(job_id=job_id, after_seq=after)
        stream = self._stream_job(request.SerializeToString())
        try:
            async for raw in stream:
                event = self._parse(wire.JobEvent, raw)
                yield ForeignEvent(
                    type=event.type,
                    message=event.message,
                    progress=event.progress,
                    payload=event.payload,
                    seq=event.seq,
                )
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from error
        finally:
            stream.cancel()

    async def _unary(self, method: Unary, request: Message, timeout: float | None) -> bytes:
        try:
            return await method(request.SerializeToString(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from error

    def _parse(self, kind: type[M], data: bytes) -> M:
        try:
            return kind.FromString(data)
        except DecodeError as error:
            raise HandlerFailed(f"{self._who} answered garbage: it is no {kind.DESCRIPTOR.full_name}") from error

    def _failure(self, error: grpc.aio.AioRpcError) -> CroupierError:
        code, details = error.code(), error.details() or ""
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded(
                f"tunnel invoke timeout: {self._who} did not answer within the deadline; "
                "the function may still have taken effect"
            )
        if code is grpc.StatusCode.UNAVAILABLE:
            if details.startswith(_NOT_CONNECTED):
                return Unavailable(f"{self._who} does not answer at {self.address}; the call was not sent")
            return OutcomeUnknown(
                f"the connection to {self._who} broke ({bounded(details)}); check whether the call took effect"
            )
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in details:
            return self._too_large(details)
        reason = str(dict(error.trailing_metadata() or ()).get(REASON, ""))
        return error_from(code.value[0], details or f"{self._who} failed with {code.name}", reason)

    def _too_large(self, details: str) -> CroupierError:
        if f"vs. {MESSAGE_BYTES}" in details:
            return HandlerFailed(f"{self._who} answered more than {PAYLOAD_BYTES} bytes, which is not allowed")
        return PayloadTooLarge(f"{self._who} takes no payload of that size: {bounded(details)}")


def _request(frame: Invoke, metadata: Mapping[str, str]) -> wire.InvokeRequest:
    return wire.InvokeRequest(
        function_id=frame.function_id,
        idempotency_key=frame.idempotency_key,
        payload=frame.payload,
        metadata=metadata,
    )
