"""Y1's server: the generated stubs on grpc.aio, and nothing else."""

import grpc.aio
import uvloop

from croupier_wire.function.v1 import function_pb2 as wire
from croupier_wire.function.v1 import function_pb2_grpc as stubs
from programs import driven


class Echo(stubs.FunctionServiceServicer):
    async def Invoke(  # noqa: N802 — the contract's name
        self,
        request: wire.InvokeRequest,
        context: grpc.aio.ServicerContext[wire.InvokeRequest, wire.InvokeResponse],  # noqa: ARG002 — the stub's signature
    ) -> wire.InvokeResponse:
        return wire.InvokeResponse(payload=request.payload)


async def main() -> None:
    server = grpc.aio.server()
    stubs.add_FunctionServiceServicer_to_server(Echo(), server)  # type: ignore[no-untyped-call]  # protoc writes stubs without annotations
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    driven.ready(f"127.0.0.1:{port}")
    await driven.until_told_to_stop()
    await server.stop(None)


if __name__ == "__main__":
    uvloop.run(main())
