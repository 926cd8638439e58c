"""A game server that knows only the contract: generated stubs, a listening port, RegisterLocal and heartbeats."""

import asyncio
import sys

import grpc.aio
import uvloop

from croupier_wire.agent.local.v1 import local_pb2 as wire
from croupier_wire.agent.local.v1 import local_pb2_grpc as stubs
from croupier_wire.function.v1 import function_pb2_grpc
from programs import driven
from programs.echo_server import Echo

SERVICE = "foreign-1"
HEARTBEAT_SECONDS = 60


async def main() -> None:
    server = grpc.aio.server()
    function_pb2_grpc.add_FunctionServiceServicer_to_server(Echo(), server)  # type: ignore[no-untyped-call]  # protoc writes stubs without annotations
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(sys.argv[1]) as channel:
        agent = stubs.LocalControlServiceStub(channel)  # type: ignore[no-untyped-call]  # protoc writes stubs without annotations
        await agent.RegisterLocal(
            wire.RegisterLocalRequest(
                service_id=SERVICE,
                version="1",
                rpc_addr=f"127.0.0.1:{port}",
                functions=[wire.LocalFunctionDescriptor(id="bench.echo", version="1")],
            )
        )
        driven.ready()
        heartbeats = asyncio.ensure_future(beat(agent))
        await driven.until_told_to_stop()
        heartbeats.cancel()
    await server.stop(None)


async def beat(agent: stubs.LocalControlServiceStub) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        await agent.Heartbeat(wire.HeartbeatRequest(service_id=SERVICE))


if __name__ == "__main__":
    uvloop.run(main())
