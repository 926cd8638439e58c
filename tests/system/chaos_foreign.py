"""A game server for the chaos test that knows the contract and nothing of ours; it is reached at an address it names."""

import argparse
import json
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from tests.system.ledger import Ledger

from croupier_wire.agent.local.v1 import local_pb2, local_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc

NAMES = ["foreign.act", "foreign.work"]


class Functions(function_pb2_grpc.FunctionServiceServicer):
    def __init__(self, ledger: Ledger, service_id: str) -> None:
        self.ledger = ledger
        self.service_id = service_id
        self.jobs: dict[str, dict[str, Any]] = {}

    def Invoke(self, request: Any, context: Any) -> Any:
        asked = json.loads(request.payload)
        self.ledger.begin(asked["key"], self.service_id)
        time.sleep(asked["seconds"])
        return function_pb2.InvokeResponse(payload=json.dumps({"key": asked["key"]}).encode())

    def StartJob(self, request: Any, context: Any) -> Any:
        asked = json.loads(request.payload)
        self.ledger.begin(asked["key"], self.service_id)
        job_id = f"theirs-{secrets.token_hex(8)}"
        self.jobs[job_id] = asked | {"began": time.monotonic()}
        return function_pb2.StartJobResponse(job_id=job_id)

    def StreamJob(self, request: Any, context: Any) -> Iterator[Any]:
        """The same story from its begin, whoever asks how often: line n comes n pauses after the start."""
        job = self.jobs.get(request.job_id)
        if job is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown job {request.job_id}")
            return
        for number in range(1, job["to"] + 1):
            time.sleep(max(0.0, job["began"] + number * job["pause"] - time.monotonic()))
            yield function_pb2.JobEvent(type="log", message=f"line {number}")
        yield function_pb2.JobEvent(type="done", payload=json.dumps({"key": job["key"]}).encode())

    def CancelJob(self, request: Any, context: Any) -> Any:
        return function_pb2.StartJobResponse(job_id=request.job_id)


def register_for_ever(agent: str, service_id: str, address: str, ended: threading.Event) -> None:
    """Register, and beat; an agent that does not answer or know us is told again. As simple as such servers are."""
    request = local_pb2.RegisterLocalRequest(
        service_id=service_id,
        version="1.0",
        rpc_addr=address,
        functions=[local_pb2.LocalFunctionDescriptor(id=name, version="1.0") for name in NAMES],
    )
    with grpc.insecure_channel(agent) as channel:
        local = local_pb2_grpc.LocalControlServiceStub(channel)
        known = False
        while not ended.wait(0.5):
            try:
                if not known:
                    local.RegisterLocal(request, timeout=2)
                    known = True
                local.Heartbeat(local_pb2.HeartbeatRequest(service_id=service_id), timeout=2)
            except grpc.RpcError as error:
                known = error.code() is not grpc.StatusCode.NOT_FOUND


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", required=True)
    parser.add_argument("--service-id", required=True)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--advertise", required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(64), options=[("grpc.so_reuseport", 0)])
    functions = Functions(Ledger(options.ledger), options.service_id)
    function_pb2_grpc.add_FunctionServiceServicer_to_server(functions, server)
    server.add_insecure_port(options.listen)
    server.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    register_for_ever(options.agent, options.service_id, options.advertise, ended)
    server.stop(2).wait()


if __name__ == "__main__":
    main()
