"""What the machine can do at this moment: everything else is told as a ratio to it.

Y1  plain grpc.aio, unary echo, a client process and a server process
Y2  uvicorn answering a constant on raw ASGI, loaded by wrk
Y3  plain grpc.aio streams, each with its own connection, between two processes: a message out on each, and back
"""

from dataclasses import dataclass
from typing import Self

import wrk
from figures import Sample
from processes import Broken, Process, Stage, cpu_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Yardsticks:
    echo_server: Process
    echo_client: Process
    constant: Process
    constant_url: str

    @classmethod
    async def start(cls, stage: Stage) -> Self:
        server, address = await stage.program("echo_server")
        client, _ = await stage.program("echo_client", address)
        constant, url = await stage.program("constant")
        return cls(echo_server=server, echo_client=client, constant=constant, constant_url=url)

    async def unary(self, *, in_flight: int, seconds: float, payload: bytes) -> Sample:
        """Y1: `in_flight` calls at a time, each carrying `payload` both ways."""
        both = {"client": self.echo_client, "server": self.echo_server}
        before = cpu_of(both)
        told = await self.echo_client.ask(
            {"in_flight": in_flight, "seconds": seconds, "payload": payload.decode()}, seconds + 20
        )
        calls = told["calls"]
        cpu = {name: (after - before[name]) / calls * 1000 for name, after in cpu_of(both).items()}
        return Sample(rate=calls / told["seconds"], p50=told["p50"], p99=told["p99"], cpu=cpu)

    async def web(self, *, in_flight: int, seconds: float, body: bytes) -> Sample:
        """Y2: the cost of HTTP alone."""
        before = self.constant.cpu()
        load = await wrk.load(self.constant_url, connections=in_flight, seconds=seconds, body=body)
        spent = (self.constant.cpu() - before) / load.requests * 1000
        return Sample(rate=load.rate, p50=load.p50, p99=load.p99, cpu={"web": spent})


@dataclass(frozen=True, kw_only=True, slots=True)
class Streams:
    """Y3: what a fan-out costs before anything of ours is done."""

    server: Process
    count: int

    @classmethod
    async def start(cls, stage: Stage, count: int) -> Self:
        server, address = await stage.program("stream_server")
        await stage.program("stream_clients", address, str(count))
        return cls(server=server, count=count)

    async def round_trips(self, *, seconds: float, payload: bytes) -> float:
        """The median of the milliseconds from the first message out to the last one back. Raises Broken when a stream is missing."""
        told = await self.server.ask({"seconds": seconds, "payload": payload.decode()}, seconds + 20)
        if told["streams"] != self.count:
            raise Broken(f"{told['streams']} of {self.count} plain streams are open")
        return float(told["p50"])
