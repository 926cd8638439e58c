"""Y1's client: so many unary calls in flight over one kept channel."""

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

import grpc.aio
import uvloop

from croupier_wire.function.v1 import function_pb2 as wire
from croupier_wire.function.v1 import function_pb2_grpc as stubs
from programs import driven


class Client:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.FunctionServiceStub(channel)  # type: ignore[no-untyped-call]  # protoc writes stubs without annotations

    async def _one_after_another(self, request: wire.InvokeRequest, stop: float) -> list[float]:
        latencies = []
        while (began := time.perf_counter()) < stop:
            response = await self._stub.Invoke(request)
            if response.payload != request.payload:
                raise ValueError("the echo is not the call")
            latencies.append(time.perf_counter() - began)
        return latencies

    async def load(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        request = wire.InvokeRequest(function_id="bench.echo", payload=command["payload"].encode())
        began = time.perf_counter()
        stop = began + command["seconds"]
        each = await asyncio.gather(*(self._one_after_another(request, stop) for _ in range(command["in_flight"])))
        took = time.perf_counter() - began
        latencies = sorted(latency for some in each for latency in some)
        count = len(latencies)
        return {
            "calls": count,
            "seconds": took,
            "p50": latencies[count // 2] * 1000,
            "p99": latencies[count * 99 // 100] * 1000,
        }


async def main() -> None:
    async with grpc.aio.insecure_channel(sys.argv[1]) as channel:
        await channel.channel_ready()
        driven.ready()
        await driven.answer(Client(channel).load)


if __name__ == "__main__":
    uvloop.run(main())
