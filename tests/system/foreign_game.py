"""A game server that knows the contract and nothing of ours: the generated stubs, unmodified, and a port of its own."""

import argparse
import contextlib
import json
import time
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc

from croupier_wire.agent.local.v1 import local_pb2, local_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


class Functions(function_pb2_grpc.FunctionServiceServicer):
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def Invoke(self, request: Any, context: Any) -> Any:
        match request.function_id.removeprefix(self._prefix):
            case "echo":
                return function_pb2.InvokeResponse(payload=request.payload)
            case "metadata":
                return function_pb2.InvokeResponse(payload=json.dumps(dict(request.metadata)).encode())
            case "large":
                return function_pb2.InvokeResponse(payload=b"x" * 11_000_000)
            case "hang":
                time.sleep(30)
        context.abort(grpc.StatusCode.NOT_FOUND, f"no such function {request.function_id}")
        return None

    def StartJob(self, request: Any, context: Any) -> Any:
        name = request.function_id.removeprefix(self._prefix)
        if name == "unary_job":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "jobs are unknown here")
        if name == "slow_job":
            return function_pb2.StartJobResponse(job_id=f"slow-{time.time()}")
        return function_pb2.StartJobResponse(job_id="foreign-job-7")

    def StreamJob(self, request: Any, context: Any) -> Iterator[Any]:
        if request.job_id.startswith("slow-"):
            yield from self._slow(float(request.job_id.removeprefix("slow-")))
            return
        for number in range(1, 6):
            yield function_pb2.JobEvent(type="progress", progress=number * 20, message=f"step {number}")
        yield function_pb2.JobEvent(type="done", payload=b'{"steps": 5}')

    def _slow(self, began: float) -> Iterator[Any]:
        """A step every 50 ms, told from the beginning to whoever asks."""
        for number in range(1, 81):
            time.sleep(max(0.0, began + number * 0.05 - time.time()))
            yield function_pb2.JobEvent(type="log", message=f"step {number}")
        yield function_pb2.JobEvent(type="done", payload=b'{"steps": 80}')

    def CancelJob(self, request: Any, context: Any) -> Any:
        return function_pb2.StartJobResponse(job_id=request.job_id)


class Garbage(grpc.GenericRpcHandler):
    """Answers every method with bytes that are no message."""

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda raw, context: b"\xff\xff\xff\xff")


NAMES = ["echo", "metadata", "large", "hang", "job", "slow_job", "unary_job"]


def register_protobuf(agent: str, service_id: str, address: str, names: list[str]) -> None:
    with grpc.insecure_channel(agent) as channel:
        local_pb2_grpc.LocalControlServiceStub(channel).RegisterLocal(
            local_pb2.RegisterLocalRequest(
                service_id=service_id,
                version="1.0",
                rpc_addr=address,
                functions=[local_pb2.LocalFunctionDescriptor(id=name, version="1.0") for name in names],
            ),
            wait_for_ready=True,
            timeout=90,
        )


def register_json(agent: str, service_id: str, address: str, names: list[str]) -> None:
    """As a peer with `application/grpc+json` does: the same method, a JSON message."""
    body = {
        "service_id": service_id,
        "version": "1.0",
        "rpc_addr": address,
        "functions": [{"id": name, "version": "1.0"} for name in names],
        "unknown_to_you": 1,
    }
    with grpc.insecure_channel(agent) as channel:
        register = channel.unary_unary("/croupier.agent.local.v1.LocalControlService/RegisterLocal")
        answer = json.loads(register(json.dumps(body).encode(), wait_for_ready=True, timeout=90))
        assert answer["session_id"]


def heartbeat(agent: str, service_id: str) -> None:
    """As some do: every minute, with no session; an agent that is away for a moment hears the next."""
    with grpc.insecure_channel(agent) as channel, contextlib.suppress(grpc.RpcError):
        stub = local_pb2_grpc.LocalControlServiceStub(channel)
        stub.Heartbeat(local_pb2.HeartbeatRequest(service_id=service_id), timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", required=True)
    parser.add_argument("--service-id", default="foreign-1")
    parser.add_argument("--prefix", default="foreign.", help="what its functions' names begin with")
    parser.add_argument("--codec", choices=["protobuf", "json"], default="protobuf")
    parser.add_argument("--garbage", action="store_true")
    parser.add_argument("--heartbeat", action="store_true")
    options = parser.parse_args()
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
    )
    if options.garbage:
        server.add_generic_rpc_handlers((Garbage(),))
    else:
        function_pb2_grpc.add_FunctionServiceServicer_to_server(Functions(options.prefix), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    register = register_json if options.codec == "json" else register_protobuf
    names = ["garbage.call"] if options.garbage else [options.prefix + name for name in NAMES]
    register(options.agent, options.service_id, f":{port}", names)  # a listen string: the host is the peer's
    while server.wait_for_termination(timeout=60):  # True when the time is over
        if options.heartbeat:
            heartbeat(options.agent, options.service_id)


if __name__ == "__main__":
    main()
