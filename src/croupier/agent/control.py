"""Registering with a server that speaks the contract and nothing else: ControlService beside the tunnel."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from google.protobuf.message import DecodeError

from croupier.agent.instances import Instances
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, HandlerFailed, NotFound
from croupier_wire.control.v1 import control_pb2 as wire

log = logging.getLogger(__name__)

REGISTER = "/croupier.control.v1.ControlService/Register"
HEARTBEAT = "/croupier.control.v1.ControlService/Heartbeat"
EVERY = 30.0
"""Seconds between heartbeats (contract)."""

Unary = Callable[[str, bytes], Awaitable[bytes]]
"""A method's path and its request, to its answer. Raises CroupierError."""


class ControlRegistration:
    """Keeps one agent registered while its stream lives."""

    def __init__(self, *, agent_id: str, scope: Scope, version: str, rpc_addr: str, instances: Instances) -> None:
        self._agent_id = agent_id
        self._scope = scope
        self._version = version
        self._rpc_addr = rpc_addr
        self._instances = instances
        self._stale = asyncio.Event()

    def changed(self) -> None:
        self._stale.set()

    async def run(self, unary: Unary, every: float = EVERY) -> None:
        """Register, and again on every change or when the server has forgotten; heartbeat in between. Until cancelled."""
        session_id = ""
        self._stale.set()
        while True:
            try:
                if self._stale.is_set():
                    self._stale.clear()
                    session_id = await self._register(unary)
                else:
                    await self._heartbeat(unary, session_id)
            except NotFound:
                self._stale.set()
                log.info("the server does not know this agent any more, registering again")
            except CroupierError as error:
                self._stale.set()
                log.warning("the agent could not register: %s", error.message)
                await asyncio.sleep(min(1.0, every))
                continue
            if not self._stale.is_set():
                await self._pause(every)

    async def _pause(self, every: float) -> None:
        try:
            async with asyncio.timeout(every):
                await self._stale.wait()
        except TimeoutError:
            return

    async def _register(self, unary: Unary) -> str:
        request = wire.RegisterRequest(
            agent_id=self._agent_id,
            version=self._version,
            functions=[
                wire.FunctionDescriptor(id=function_id, version=version, enabled=True)
                for function_id, version in sorted(self._functions())
            ],
            rpc_addr=self._rpc_addr,
            game_id=self._scope.game_id,
            env=self._scope.env,
        )
        answer = await unary(REGISTER, request.SerializeToString())
        try:
            return wire.RegisterResponse.FromString(answer).session_id
        except DecodeError as error:
            raise HandlerFailed("the server answered garbage to the registration") from error

    def _functions(self) -> set[tuple[str, str]]:
        return {
            (function_id, version)
            for function_id, offering in self._instances.functions().items()
            for instance in offering.values()
            for version in instance.versions[function_id]
        }

    async def _heartbeat(self, unary: Unary, session_id: str) -> None:
        request = wire.HeartbeatRequest(agent_id=self._agent_id, session_id=session_id)
        await unary(HEARTBEAT, request.SerializeToString())
