"""A game server that listens, as the fake agent calls it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from croupier_sdk.errors import CallError
from croupier_sdk.invoker import InvokeOptions, Invoker
from croupier_sdk.rpc.channel import Tls
from croupier_sdk.testing.job import FakeJob
from croupier_sdk.testing.service import Request, read_manifest
from croupier_wire.agent.local.v1 import local_pb2


class Listening:
    """One game server that registered an address."""

    def __init__(self, registered: local_pb2.RegisterLocalRequest, scope: tuple[str, str], tls: Tls | None) -> None:
        self.service_id = registered.service_id
        self.address = registered.rpc_addr
        self.entities: Mapping[str, Mapping[str, Any]]
        described, self.entities = read_manifest(registered.manifest_json)
        self.functions: Mapping[str, Mapping[str, Any]] = {
            function.id: described.get(function.id, {"id": function.id, "version": function.version})
            for function in registered.functions
        }
        self.heartbeats = 0
        self._invoker = Invoker(self.address, game_id=scope[0], env=scope[1], tls=tls)
        self._followers: set[asyncio.Task[None]] = set()

    async def invoke(self, request: Request) -> bytes:
        return await self._invoker.invoke_raw(request.function_id, request.payload, options=_options(request))

    async def start_job(self, request: Request, job: FakeJob) -> str:
        job_id = await self._invoker.start_job(request.function_id, request.payload, options=_options(request))
        follower = asyncio.get_running_loop().create_task(self._follow(job_id, job))
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)
        return job_id

    async def cancel_job(self, job_id: str, reason: str) -> None:  # noqa: ARG002 — FunctionService has no room for a reason
        await self._invoker.cancel_job(job_id)

    def drop(self) -> None:
        """There is no lasting connection to break."""

    async def forget(self) -> None:
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)
        await self._invoker.close()

    async def _follow(self, job_id: str, job: FakeJob) -> None:
        async for event in self._invoker.stream_job(job_id):
            job.add(event, CallError(13, "", event.message) if event.type == "error" else None)


def _options(request: Request) -> InvokeOptions:
    said = {**request.metadata, "traceparent": request.traceparent} if request.traceparent else request.metadata
    return InvokeOptions(idempotency_key=request.idempotency_key, metadata=said, timeout=request.timeout)
