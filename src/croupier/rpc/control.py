"""ControlService as an agent sees it, over the channel that carries its tunnel."""

from collections.abc import Iterable

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from croupier.domain.function import FunctionRef
from croupier.domain.scope import Scope
from croupier.errors import HandlerFailed
from croupier.rpc.client import error_of
from croupier_wire.control.v1 import control_pb2 as wire

SERVICE = "/croupier.control.v1.ControlService/"
TIMEOUT = 10.0
"""Seconds in which the server must answer."""


class ControlClient:
    """Raises CroupierError for whatever goes wrong."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def register(
        self, *, agent_id: str, version: str, scope: Scope, rpc_addr: str, functions: Iterable[FunctionRef]
    ) -> str:
        """The session id to send with heartbeats."""
        request = wire.RegisterRequest(
            agent_id=agent_id,
            version=version,
            functions=[wire.FunctionDescriptor(id=each.id, version=each.version, enabled=True) for each in functions],
            rpc_addr=rpc_addr,
            game_id=scope.game_id,
            env=scope.env,
        )
        raw = await self._unary("Register", request)
        try:
            return wire.RegisterResponse.FromString(raw).session_id
        except DecodeError as error:
            raise HandlerFailed("the server answered garbage to the registration") from error

    async def heartbeat(self, agent_id: str, session_id: str) -> None:
        """Raises NotFound when the server does not know the agent: register again."""
        await self._unary("Heartbeat", wire.HeartbeatRequest(agent_id=agent_id, session_id=session_id))

    async def _unary(self, method: str, request: Message) -> bytes:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(SERVICE + method)
        try:
            return await call(request.SerializeToString(), timeout=TIMEOUT)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, "the server") from error
