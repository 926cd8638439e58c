"""Many agents in one process, each with a tunnel and a TCP connection of its own, that answer calls themselves."""

import argparse
import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any

import grpc.aio
import orjson
import uvloop

from croupier.domain.function import FunctionRef, Service
from croupier.tunnel.connector import Connector, ConnectorEvent, Execute, Opened
from croupier.tunnel.frames import CallResult, Hello, Register
from croupier.tunnel.grpc import CHANNEL_OPTIONS, OPEN, ClientCall, ClientStream, open_stream
from croupier.tunnel.peer import ConnectorPeer
from programs import driven

REDIAL_SECONDS = 0.2


class Agent:
    def __init__(self, name: str, server: str, register: Register) -> None:
        self._server = server
        self._register = register
        machine = Connector(Hello(agent_id=name, game_id="bench", env="dev", incarnation=secrets.token_hex(8)))
        self._peer = ConnectorPeer(machine, self)
        self._call: ClientCall | None = None
        self.opened = asyncio.Event()
        self.resumed = 0

    def handle(self, event: ConnectorEvent) -> None:
        match event:
            case Opened():
                self.opened.set()
                self.resumed += event.resumed
                if not event.resumed:
                    self._peer.machine.register(self._register)
            case Execute():
                service_id = self._register.services[0].service_id
                self._peer.machine.answer(
                    CallResult(request_id=event.frame.request_id, payload=event.frame.payload, service_id=service_id)
                )

    async def run(self) -> None:
        while True:
            async with grpc.aio.insecure_channel(self._server, options=CHANNEL_OPTIONS) as channel:
                self._call = open_stream(channel, OPEN)
                await self._peer.run(ClientStream(self._call))
            self.opened.clear()
            await asyncio.sleep(REDIAL_SECONDS * secrets.randbelow(100) / 100)

    def drop(self) -> None:
        self.opened.clear()
        if self._call is not None:
            self._call.cancel()


class Agents:
    def __init__(self, agents: list[Agent]) -> None:
        self._agents = agents
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, each_second: float) -> None:
        """Dial them one after the other and wait until all are open."""
        began = time.perf_counter()
        for number, agent in enumerate(self._agents):
            self._tasks.append(asyncio.create_task(agent.run()))
            await asyncio.sleep(began + number / each_second - time.perf_counter())
        await self._all_open()

    async def _all_open(self) -> None:
        opened = asyncio.gather(*(agent.opened.wait() for agent in self._agents))
        either: set[asyncio.Future[Any]] = {opened, *self._tasks}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()

    async def ask(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """`count` tells how many are open; `drop` cuts every stream and waits until all are back."""
        began = time.perf_counter()
        resumed = sum(agent.resumed for agent in self._agents)
        if command["do"] == "drop":
            for agent in self._agents:
                agent.drop()
            await self._all_open()
        return {
            "seconds": time.perf_counter() - began,
            "open": sum(agent.opened.is_set() for agent in self._agents),
            "resumed": sum(agent.resumed for agent in self._agents) - resumed,
        }

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def registration(function: str, service_id: str) -> Register:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    manifest = [{"id": function, "version": "1.0.0", "request": {"json_schema": schema}}]
    service = Service(
        service_id=service_id, functions=(FunctionRef(function, "1.0.0"),), manifest_json=orjson.dumps(manifest)
    )
    return Register((service,))


async def main(options: argparse.Namespace) -> None:
    names = [f"{options.prefix}-{number}" for number in range(options.count)]
    agents = Agents([Agent(name, options.server, registration(options.function, f"game-of-{name}")) for name in names])
    await agents.start(options.rate)
    driven.ready()
    await driven.answer(agents.ask)
    await agents.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--rate", type=float, default=100.0, help="dialled each second")
    parser.add_argument("--prefix", default="agent")
    parser.add_argument("--function", required=True)
    uvloop.run(main(parser.parse_args()))
