"""Y3's server: a message goes out on every stream that is open and comes back, and nothing else happens."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
import uvloop

from programs import driven

SERVICE = "bench.Streams"
METHOD = "Open"

Context = grpc.aio.ServicerContext[bytes, bytes]


class Crowd:
    def __init__(self) -> None:
        self._streams: list[Context] = []
        self._missing = 0
        self._back = asyncio.Event()

    async def open(self, _: object, context: Context) -> None:
        self._streams.append(context)
        while isinstance(await context.read(), bytes):
            self._missing -= 1
            if not self._missing:
                self._back.set()

    async def load(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """One round after another; each ends when the last message is back. Answers with milliseconds."""
        message = command["payload"].encode()
        stop = time.perf_counter() + command["seconds"]
        rounds = []
        while (began := time.perf_counter()) < stop:
            self._missing = len(self._streams)
            self._back.clear()
            await asyncio.gather(*(stream.write(message) for stream in self._streams))
            await self._back.wait()
            rounds.append((time.perf_counter() - began) * 1000)
        rounds.sort()
        return {"streams": len(self._streams), "rounds": len(rounds), "p50": rounds[len(rounds) // 2]}


async def main() -> None:
    crowd = Crowd()
    server = grpc.aio.server()
    handler = grpc.stream_stream_rpc_method_handler(crowd.open)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    driven.ready(f"127.0.0.1:{port}")
    await driven.answer(crowd.load)
    await server.stop(None)


if __name__ == "__main__":
    uvloop.run(main())
