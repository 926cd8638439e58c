"""Calling a game server that listens: our frames as the messages of FunctionService, and back.

Nothing above this file sees those messages.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from croupier.pki.identity import MachineFiles
from croupier.rpc.client import FunctionClient
from croupier.tunnel.frames import Invoke
from croupier_wire.function.v1 import function_pb2 as wire


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

    def __init__(self, address: str, who: str, files: MachineFiles | None = None) -> None:
        """By mTLS with `files`, by plain text without."""
        self._client = FunctionClient(address, who, files)

    async def close(self) -> None:
        await self._client.close()

    async def connect(self, *, patient: bool = False) -> None:
        """Have a connection. `patient` waits through failed attempts, until cancelled. Raises Unavailable."""
        await self._client.connect(patient=patient)

    async def disconnected(self) -> None:
        """Returns once there is no connection any more."""
        await self._client.disconnected()

    async def invoke(self, frame: Invoke, metadata: Mapping[str, str], timeout: float | None) -> bytes:
        """The function's answer. A cancelled caller cancels the call at the game server."""
        return await self._client.invoke(_request(frame, metadata), timeout)

    async def start_job(self, frame: Invoke, metadata: Mapping[str, str], timeout: float | None) -> str:
        """The game server's id of the job; empty where it started none. Raises Unimplemented where it knows no jobs."""
        return await self._client.start_job(_request(frame, metadata), timeout)

    async def cancel_job(self, job_id: str, timeout: float) -> None:
        await self._client.cancel_job(job_id, timeout)

    async def stream_job(self, job_id: str, after: int) -> AsyncGenerator[ForeignEvent, None]:
        """The job's story, from its begin or after the event numbered `after`; the game server decides which."""
        async with aclosing(self._client.stream_job(job_id, after)) as events:
            async for event in events:
                yield ForeignEvent(
                    type=event.type,
                    message=event.message,
                    progress=event.progress,
                    payload=event.payload,
                    seq=event.seq,
                )


def _request(frame: Invoke, metadata: Mapping[str, str]) -> wire.InvokeRequest:
    return wire.InvokeRequest(
        function_id=frame.function_id,
        idempotency_key=frame.idempotency_key,
        payload=frame.payload,
        metadata=metadata,
    )
