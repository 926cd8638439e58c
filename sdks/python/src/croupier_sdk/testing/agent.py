import asyncio
import json
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from croupier_sdk.errors import CallError
from croupier_sdk.functions.encoding import to_payload
from croupier_sdk.rpc.channel import Tls, bind
from croupier_sdk.rpc.codec import Received, decoder, encode
from croupier_sdk.testing.attached import Attached, Context
from croupier_sdk.testing.job import FakeJob
from croupier_sdk.testing.listening import Listening
from croupier_sdk.testing.service import GameServer, Request
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2
from croupier_wire.tunnel.v1.tunnel_pb2 import TunnelMessage

_WAIT_SECONDS = 10.0


class FakeAgent:
    """An agent with no platform behind it; see croupier_sdk.testing. Enter it, then give `address` to the provider."""

    def __init__(
        self,
        *,
        game_id: str = "demo",
        env: str = "dev",
        listen: str = "127.0.0.1:0",
        tls: Tls | None = None,
        job_window: int = 256,
        heartbeat_ms: int = 15_000,
    ) -> None:
        self.address = listen
        self._scope, self._tls = (game_id, env), tls
        self._settings = tunnel_pb2.Welcome(job_window=job_window, heartbeat_ms=heartbeat_ms)
        self._attached: dict[str, Attached] = {}
        self._listening: dict[str, Listening] = {}
        self._jobs: dict[str, tuple[str, FakeJob]] = {}
        self._acknowledge_jobs = True
        self._changed = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    # what a test asks and does

    @property
    def registered(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Game servers by service_id; of each its functions' manifest entries by function id."""
        return {service_id: server.functions for service_id, server in self._servers().items()}

    @property
    def entities(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Game servers by service_id; of each its virtual objects' manifest entries by id."""
        return {service_id: server.entities for service_id, server in self._servers().items()}

    @property
    def draining(self) -> frozenset[str]:
        """The service_ids that said they take no new calls."""
        return frozenset(service_id for service_id, server in self._attached.items() if server.draining)

    @property
    def acknowledge_jobs(self) -> bool:
        """Whether job events are acknowledged as they come. Set back to True, all that came meanwhile is acknowledged."""
        return self._acknowledge_jobs

    @acknowledge_jobs.setter
    def acknowledge_jobs(self, value: bool) -> None:
        self._acknowledge_jobs = value
        for server in self._attached.values():
            server.acknowledge_jobs = value
            if value:
                server.acknowledge_all()

    async def wait_registered(self, function_id: str, *, service_id: str = "") -> None:
        """Wait until a game server (or the named one) offers the function. Raises TimeoutError after ten seconds."""
        async with asyncio.timeout(_WAIT_SECONDS):
            while self._find(function_id, service_id) is None:
                await self._changed.wait()

    async def wait_draining(self, service_id: str) -> None:
        """Wait until the game server says that it takes no new calls. Raises TimeoutError after ten seconds."""
        async with asyncio.timeout(_WAIT_SECONDS):
            while service_id not in self.draining:
                await self._changed.wait()

    async def invoke(self, function_id: str, payload: Any = None, **options: Any) -> Any:
        """Call a function with a JSON value and return its answer.

        Options: service_id, timeout (seconds, default 5), idempotency_key, metadata, traceparent. Raises CallError.
        """
        return json.loads(await self.invoke_raw(function_id, to_payload({} if payload is None else payload), **options))

    async def invoke_raw(self, function_id: str, payload: bytes, *, service_id: str = "", **options: Any) -> bytes:
        """The same with bytes both ways, sent as they are."""
        server = self._require(function_id, service_id)
        return await server.invoke(Request(function_id=function_id, payload=payload, **{"timeout": 5.0, **options}))

    async def start_job(
        self, function_id: str, payload: Any = None, *, job_id: str = "", service_id: str = "", **options: Any
    ) -> FakeJob:
        """Start a job, under `job_id` where one is given. Options as for `invoke`, but there is no timeout unless given."""
        server = self._require(function_id, service_id)
        if job_id in self._jobs:
            job = self._jobs[job_id][1]
        else:
            job = FakeJob(job_id or f"j{secrets.token_hex(8)}", lambda reason: self._cancel(job.id, reason))
        data = to_payload({} if payload is None else payload)
        name = next(service_id for service_id, each in self._servers().items() if each is server)
        self._jobs[job.id] = (name, job)
        job.id = await server.start_job(
            Request(function_id=function_id, payload=data, **{"timeout": None, **options}), job
        )
        self._jobs[job.id] = (name, job)
        return job

    async def job_result(self, job_id: str) -> tuple[str, bytes, str]:
        """Ask the attached game server for state, result and error of a job that it holds."""
        name, _ = self._jobs[job_id]
        answer = await self._attached[name].job_result(job_id)
        return answer.state, answer.payload, answer.error

    async def offers(self, service_id: str, function_id: str) -> bool:
        """Ask an attached game server whether it takes calls of a function now."""
        return bool((await self._attached[service_id].list_local(function_id)).service_ids)

    def forget_job(self, job_id: str) -> None:
        """The platform knows nothing of this job any more: its game server is told to stop it."""
        name, _ = self._jobs.pop(job_id)
        if name in self._attached:
            self._attached[name].acknowledge(job_id, stop=True)

    def drop_connections(self) -> None:
        """Break every attached stream. Sessions are kept: a game that comes back within three seconds resumes."""
        for server in self._attached.values():
            server.drop()

    async def restart(self) -> None:
        """End, forget sessions and registrations, and listen again on the same address. Jobs are remembered: the platform does."""
        await self._stop()
        await self._start()

    # serving

    async def _start(self) -> None:
        attach: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._attach)
        local: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "RegisterLocal": grpc.unary_unary_rpc_method_handler(
                self._register_local, decoder(local_pb2.RegisterLocalRequest), encode
            ),
            "Heartbeat": grpc.unary_unary_rpc_method_handler(
                self._heartbeat, decoder(local_pb2.HeartbeatRequest), encode
            ),
        }
        handlers = [
            grpc.method_handlers_generic_handler("croupier.attach.v1.AttachService", {"Attach": attach}),
            grpc.method_handlers_generic_handler("croupier.agent.local.v1.LocalControlService", local),
        ]
        server, port = bind(handlers, self.address, self._tls)
        self.address = f"{self.address.rpartition(':')[0]}:{port}"
        self._server = server
        await server.start()

    async def _stop(self) -> None:
        servers = self._servers().values()
        self._attached, self._listening = {}, {}
        for server in servers:
            await server.forget()
        if self._server is not None:
            await self._server.stop(0.5)

    async def _attach(self, _requests: Any, context: Context) -> None:
        first = await context.read()
        hello = TunnelMessage.FromString(first or b"").hello
        if not hello.agent_id:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad hello")
        if (hello.game_id, hello.env) != self._scope:
            text = f"this agent is of {'|'.join(self._scope)}, the game server of {hello.game_id}|{hello.env}"
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, text)
        server = self._attached.get(hello.agent_id)
        if server is None:
            server = self._attached[hello.agent_id] = Attached(hello, self._settings, self._pulse)
            server.acknowledge_jobs = self._acknowledge_jobs
            server.adopt({job.id: job for name, job in self._jobs.values() if name == hello.agent_id})
        await server.serve(hello, context)

    async def _register_local(
        self, received: Received[local_pb2.RegisterLocalRequest], _context: Context
    ) -> tuple[local_pb2.RegisterLocalResponse, bool]:
        request, as_json = received
        earlier = self._listening.get(request.service_id)
        self._listening[request.service_id] = Listening(request, self._scope, self._tls)
        if earlier is not None:
            await earlier.forget()
        self._pulse()
        return local_pb2.RegisterLocalResponse(session_id=secrets.token_hex(8)), as_json

    async def _heartbeat(
        self, received: Received[local_pb2.HeartbeatRequest], context: Context
    ) -> tuple[local_pb2.HeartbeatResponse, bool]:
        request, as_json = received
        server = self._listening.get(request.service_id)
        if server is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service_id}: register again")
        server.heartbeats += 1
        self._pulse()
        return local_pb2.HeartbeatResponse(), as_json

    async def _cancel(self, job_id: str, reason: str) -> None:
        name, _ = self._jobs[job_id]
        await self._servers()[name].cancel_job(job_id, reason)

    def _servers(self) -> dict[str, GameServer]:
        return {**self._listening, **self._attached}

    def _find(self, function_id: str, service_id: str) -> GameServer | None:
        for name, server in self._servers().items():
            if service_id in {"", name} and function_id in server.functions:
                return server
        return None

    def _require(self, function_id: str, service_id: str) -> GameServer:
        server = self._find(function_id, service_id)
        if server is None:
            raise CallError(5, "not_found", f"no local handler for {function_id}")
        return server

    def _pulse(self) -> None:
        self._changed.set()
        self._changed.clear()
