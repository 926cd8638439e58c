"""Which gRPC service of the contract is answered by what."""

from collections.abc import Mapping
from typing import Any

from grpc_health.v1 import health

from croupier.domain.machine import MachineRole
from croupier.rpc.gate import EVERY_ROLE, Rules
from croupier.server.control.functions import Functions
from croupier.server.control.machine_service import MachineService
from croupier.server.control.registration import Registration
from croupier.server.control.tunnels import Tunnels
from croupier_wire.control.v1 import control_pb2
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2
from croupier_wire.machine.v1 import machine_pb2
from croupier_wire.relay.v1 import relay_pb2
from croupier_wire.sdk.v1 import sdk_pb2
from croupier_wire.server.v1 import server_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2


def _name(module: Any, service: str) -> str:
    full_name: str = module.DESCRIPTOR.services_by_name[service].full_name
    return full_name


def services(
    tunnels: Tunnels, registration: Registration, functions: Functions, machines: MachineService
) -> Mapping[str, Mapping[str, Any]]:
    """Full service name to its methods; the contract's aliases (section 3) among them."""
    control = {
        "Register": registration.register,
        "Heartbeat": registration.heartbeat,
        "RegisterCapabilities": registration.register_capabilities,
    }
    tunnel = {"Open": tunnels.open}
    function = {
        "Invoke": functions.invoke,
        "StartJob": functions.start_job,
        "StreamJob": functions.stream_job,
        "CancelJob": functions.cancel_job,
    }
    return {
        _name(control_pb2, "ControlService"): control,
        _name(server_pb2, "ControlService"): control,
        _name(tunnel_pb2, "TunnelService"): tunnel,
        _name(server_pb2, "TunnelService"): tunnel,
        _name(function_pb2, "FunctionService"): function,
        _name(sdk_pb2, "FunctionService"): function,
        _name(job_pb2, "JobService"): {"GetJobResult": functions.get_job_result},
        _name(machine_pb2, "MachineService"): {
            "Renew": machines.renew,
            "WatchRevocations": machines.watch_revocations,
        },
    }


_AGENT = frozenset({MachineRole.AGENT})

RULES: Rules = {
    _name(control_pb2, "ControlService"): _AGENT,
    _name(server_pb2, "ControlService"): _AGENT,
    _name(tunnel_pb2, "TunnelService"): _AGENT,
    _name(server_pb2, "TunnelService"): _AGENT,
    _name(function_pb2, "FunctionService"): EVERY_ROLE,
    _name(sdk_pb2, "FunctionService"): EVERY_ROLE,
    _name(job_pb2, "JobService"): EVERY_ROLE,
    _name(machine_pb2, "MachineService"): EVERY_ROLE,
    _name(relay_pb2, "RelayService"): frozenset({MachineRole.EDGE}),
    health.SERVICE_NAME: EVERY_ROLE,
}
"""Whose certificate may use what. Callers of functions need a token besides."""
