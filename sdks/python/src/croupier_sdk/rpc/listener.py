"""`mode="listen"`: a gRPC server of our own, whose address the agent is told and reminded of."""

import asyncio
import logging
from dataclasses import dataclass

import grpc
import grpc.aio

from croupier_sdk.rpc.backoff import Backoff
from croupier_sdk.rpc.channel import bind, dial
from croupier_sdk.rpc.function_service import FunctionService, Health
from croupier_sdk.running.calls import Calls
from croupier_sdk.running.jobs import Jobs
from croupier_sdk.tunnel.attachment import Peer
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2

log = logging.getLogger("croupier_sdk")

_SERVICE = "/croupier.agent.local.v1.LocalControlService"
_RPC_SECONDS = 5.0
_STOP_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ListenerSettings:
    listen: str
    advertise: str
    """The address the agent is told, where it is not the one listened on."""
    heartbeat: float


class Listener:
    def __init__(self, peer: Peer, settings: ListenerSettings, calls: Calls, jobs: Jobs) -> None:
        self._peer = peer
        self._settings = settings
        self._functions = FunctionService(peer.game_id, peer.env, calls, jobs, certified=peer.tls is not None)
        self._health = Health()
        self._service = tunnel_pb2.Service()
        self._changed = asyncio.Event()
        self.attached = asyncio.Event()
        """Set while the agent knows the functions."""

    async def run(self) -> None:
        """Listen and stay registered until cancelled. Raises OSError where the address cannot be had."""
        settings, tls = self._settings, self._peer.tls
        server, port = bind([*self._functions.handlers(), self._health.handler()], settings.listen, tls)
        await server.start()
        try:
            host = settings.listen.rpartition(":")[0]
            await self._stay_registered(settings.advertise or f"{host}:{port}")
        finally:
            await server.stop(_STOP_SECONDS)

    def register(self, service: tunnel_pb2.Service) -> None:
        """Offer these functions, at once if registered."""
        self._service = service
        self._changed.set()

    def drain(self, reason: str) -> None:
        log.info("draining: %s", reason)
        self._health.serving = False

    async def leave(self) -> None:
        """Nothing to wait for: an answer ends its own RPC, and the server's stop gives those a moment."""

    async def _stay_registered(self, address: str) -> None:
        backoff = Backoff()
        while True:
            delay = 0.0
            channel = dial(self._peer.agent, self._peer.tls, "agent")
            try:
                await self._registered(channel, address, backoff)
            except grpc.aio.AioRpcError as error:
                delay = backoff.delay()
                reason = f"{error.code().name}: {error.details()}"
                log.warning(
                    "not registered with the agent at %s (%s); next try in %.1f s", self._peer.agent, reason, delay
                )
            finally:
                self.attached.clear()
                await channel.close()
            await asyncio.sleep(delay)

    async def _registered(self, channel: grpc.aio.Channel, address: str, backoff: Backoff) -> None:
        """Register, then remind the agent, until one of both fails."""
        while True:
            session_id = await self._register(channel, address)
            backoff.reset()
            self.attached.set()
            while await self._remind(channel, session_id):
                pass

    async def _register(self, channel: grpc.aio.Channel, address: str) -> str:
        self._changed.clear()
        service = self._service
        request = local_pb2.RegisterLocalRequest(
            service_id=service.service_id,
            version=service.version,
            rpc_addr=address,
            functions=[
                local_pb2.LocalFunctionDescriptor(id=each.id, version=each.version) for each in service.functions
            ],
            manifest_json=service.manifest_json,
        )
        register = channel.unary_unary(
            f"{_SERVICE}/RegisterLocal",
            local_pb2.RegisterLocalRequest.SerializeToString,
            local_pb2.RegisterLocalResponse.FromString,
        )
        answer = await register(request, timeout=_RPC_SECONDS)
        log.info("registered with the agent at %s as %s", self._peer.agent, address)
        return answer.session_id

    async def _remind(self, channel: grpc.aio.Channel, session_id: str) -> bool:
        """Wait for the next heartbeat's time and send it. False: register again, because the agent forgot or the functions changed."""
        try:
            async with asyncio.timeout(self._settings.heartbeat):
                await self._changed.wait()
        except TimeoutError:
            heartbeat = channel.unary_unary(
                f"{_SERVICE}/Heartbeat",
                local_pb2.HeartbeatRequest.SerializeToString,
                local_pb2.HeartbeatResponse.FromString,
            )
            request = local_pb2.HeartbeatRequest(service_id=self._service.service_id, session_id=session_id)
            try:
                await heartbeat(request, timeout=_RPC_SECONDS)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                return False
            return True
        return False
