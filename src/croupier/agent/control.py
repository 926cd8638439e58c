"""Registering with a server that speaks the contract and nothing else: ControlService beside the tunnel."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from croupier.agent.instances import Instances
from croupier.domain.function import FunctionRef
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, NotFound

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between heartbeats (contract)."""


class ControlService(Protocol):
    async def register(
        self, *, agent_id: str, version: str, scope: Scope, rpc_addr: str, functions: Iterable[FunctionRef]
    ) -> str: ...

    async def heartbeat(self, agent_id: str, session_id: str) -> None: ...


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

    async def run(self, service: ControlService, every: float = EVERY) -> None:
        """Register, and again on every change or when the server has forgotten; heartbeat in between. Until cancelled."""
        session_id = ""
        self._stale.set()
        while True:
            try:
                if self._stale.is_set():
                    self._stale.clear()
                    session_id = await self._register(service)
                else:
                    await service.heartbeat(self._agent_id, session_id)
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

    async def _register(self, service: ControlService) -> str:
        return await service.register(
            agent_id=self._agent_id,
            version=self._version,
            scope=self._scope,
            rpc_addr=self._rpc_addr,
            functions=sorted(self._functions(), key=lambda each: (each.id, each.version)),
        )

    def _functions(self) -> set[FunctionRef]:
        return {
            FunctionRef(function_id, version)
            for function_id, offering in self._instances.functions().items()
            for instance in offering.values()
            for version in instance.versions[function_id]
        }
