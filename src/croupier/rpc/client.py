"""FunctionService as its caller sees it, with our errors; over a channel that is kept."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from croupier.domain.limits import MESSAGE_BYTES, PAYLOAD_BYTES
from croupier.domain.machine import MachineIdentity, MachineRole
from croupier.errors import (
    BY_REASON,
    CroupierError,
    DeadlineExceeded,
    FunctionRejected,
    HandlerFailed,
    OutcomeUnknown,
    PayloadTooLarge,
    Unavailable,
)
from croupier.pki.identity import MachineFiles
from croupier.rpc.secure import open_channel
from croupier.tunnel.grpc import UNARY_OPTIONS
from croupier.tunnel.status import answer_from, bounded, error_from
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2 as wire

SERVICE = "/croupier.function.v1.FunctionService/"
M = TypeVar("M", bound=Message)


_NEVER_SENT = ("failed to connect to all addresses", "DNS resolution failed", "errors resolving ")
"""How grpc begins the details of a call that never had a connection."""
_TOO_LARGE = "larger than max"
_AT_REST = frozenset({grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.TRANSIENT_FAILURE})
"""No call is under way in a channel that is so."""


def error_of(error: grpc.aio.AioRpcError, name: str, *, function: bool = False) -> CroupierError:
    """What a failed call to the program called `name` means; `function` where a function of the game may have answered."""
    read = answer_from if function else error_from
    code, text = error.code(), bounded(error.details() or "")
    trailing = error.trailing_metadata() or ()
    reason = next((value for name, value in trailing if name == "croupier-reason"), "")
    if isinstance(reason, str) and reason in BY_REASON:
        return read(code.value[0], text, reason)
    if code == grpc.StatusCode.UNAVAILABLE and text.startswith(_NEVER_SENT):
        return Unavailable(f"{name} cannot be reached; the call was not sent and may be repeated")
    if code == grpc.StatusCode.UNAVAILABLE:
        return OutcomeUnknown(
            f"the connection to {name} was lost during the call; check whether it took effect ({text})"
        )
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded(
            f"tunnel invoke timeout: {name} did not answer within the deadline; the function may still have taken effect"
        )
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in text:
        if f"vs. {MESSAGE_BYTES}" in text:
            return HandlerFailed(f"{name} answered more than {PAYLOAD_BYTES} bytes; an answer must be smaller")
        return PayloadTooLarge(f"{name} takes no payload of that size: {text}")
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
        # Only a peer that knows our reasons can promise that nothing ran; any other has merely said no.
        return FunctionRejected(text or f"{name} failed with {code.name}")
    return read(code.value[0], text or f"{name} failed with {code.name}")


class FunctionClient:
    """Raises CroupierError for whatever goes wrong; `timeout` is in seconds, None for no limit."""

    def __init__(
        self,
        address: str,
        name: str = "",
        files: MachineFiles | None = None,
        machine: MachineIdentity | None = None,
    ) -> None:
        """`name` is what errors call the other side, instead of its address. With `files` that must be `machine`, or, where
        none is named, a game server, by mTLS; without, it is plain text, and FailedPrecondition is raised for an address
        beyond this machine.
        """
        self.address = address
        self._name = name or address
        self._files = files
        self._machine = machine
        self._shown = files.current() if files is not None else None
        self._open = self._opened()
        self._closing: set[asyncio.Task[None]] = set()

    def _opened(self) -> grpc.aio.Channel:
        return open_channel(self.address, UNARY_OPTIONS, self._files, MachineRole.GAME, self._machine)

    @property
    def _channel(self) -> grpc.aio.Channel:
        """Where our certificate was renewed, the next connection shows the new one; one that is up goes on."""
        if self._files is None or self._open.get_state() not in _AT_REST:
            return self._open
        shown = self._files.current()
        if shown is not self._shown:
            task = asyncio.ensure_future(self._open.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            self._open, self._shown = self._opened(), shown
        return self._open

    async def invoke(self, request: wire.InvokeRequest, timeout: float | None) -> bytes:
        raw = await self._unary(SERVICE + "Invoke", request, timeout, function=True)
        payload = self._parsed(wire.InvokeResponse, raw).payload
        if len(payload) > PAYLOAD_BYTES:
            raise HandlerFailed(f"{self._name} answered {len(payload)} bytes; at most {PAYLOAD_BYTES} are allowed")
        return payload

    async def start_job(self, request: wire.InvokeRequest, timeout: float | None) -> str:
        raw = await self._unary(SERVICE + "StartJob", request, timeout, function=True)
        return self._parsed(wire.StartJobResponse, raw).job_id

    async def cancel_job(self, job_id: str, timeout: float | None) -> None:
        await self._unary(SERVICE + "CancelJob", wire.CancelJobRequest(job_id=job_id), timeout)

    async def job_result(self, job_id: str, timeout: float | None) -> job_pb2.GetJobResultResponse:
        raw = await self._unary(
            "/croupier.edge.job.v1.JobService/GetJobResult", job_pb2.GetJobResultRequest(job_id=job_id), timeout
        )
        return self._parsed(job_pb2.GetJobResultResponse, raw)

    async def stream_job(self, job_id: str, after_seq: int = 0) -> AsyncGenerator[wire.JobEvent, None]:
        open_stream: Any = self._channel.unary_stream(
            SERVICE + "StreamJob", request_serializer=None, response_deserializer=None
        )
        call = open_stream(wire.JobStreamRequest(job_id=job_id, after_seq=after_seq).SerializeToString())
        try:
            async for raw in call:
                yield self._parsed(wire.JobEvent, raw)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._name) from error
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

    async def connect(self, *, patient: bool = False) -> None:
        """Have a connection, so that what is sent next certainly is. Raises Unavailable when the attempt fails;
        `patient` waits through failed attempts, until cancelled.
        """
        while (state := self._channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.SHUTDOWN or (
                state is grpc.ChannelConnectivity.TRANSIENT_FAILURE and not patient
            ):
                raise Unavailable(f"{self._name} cannot be reached; the call was not sent and may be repeated")
            await self._channel.wait_for_state_change(state)

    async def disconnected(self) -> None:
        """Returns once there is no connection any more."""
        await self._channel.wait_for_state_change(grpc.ChannelConnectivity.READY)

    async def close(self, grace: float | None = None) -> None:
        """Give calls under way `grace` seconds, then cancel them."""
        await self._open.close(grace)
        await asyncio.gather(*self._closing)

    async def _unary(self, method: str, request: Message, timeout: float | None, *, function: bool = False) -> bytes:
        call: Callable[..., Awaitable[Any]] = self._channel.unary_unary(
            method, request_serializer=None, response_deserializer=None
        )
        try:
            raw: bytes = await call(request.SerializeToString(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._name, function=function) from error
        return raw

    def _parsed(self, kind: type[M], raw: bytes) -> M:
        try:
            return kind.FromString(raw)
        except DecodeError as error:
            raise HandlerFailed(f"{self._name} answered garbage: not a {kind.DESCRIPTOR.name}") from error
