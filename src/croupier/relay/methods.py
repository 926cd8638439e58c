"""Which services pass over a link: what an edge offers, and all that a server lets it open.

A service that is added to the server is not among them until somebody decides so.
"""

from collections.abc import Mapping

from google.protobuf.descriptor import ServiceDescriptor

from croupier_wire.control.v1 import control_pb2
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2
from croupier_wire.machine.v1 import machine_pb2
from croupier_wire.sdk.v1 import sdk_pb2
from croupier_wire.server.v1 import server_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2

_SERVICES: tuple[ServiceDescriptor, ...] = (
    control_pb2.DESCRIPTOR.services_by_name["ControlService"],
    server_pb2.DESCRIPTOR.services_by_name["ControlService"],
    tunnel_pb2.DESCRIPTOR.services_by_name["TunnelService"],
    server_pb2.DESCRIPTOR.services_by_name["TunnelService"],
    function_pb2.DESCRIPTOR.services_by_name["FunctionService"],
    sdk_pb2.DESCRIPTOR.services_by_name["FunctionService"],
    job_pb2.DESCRIPTOR.services_by_name["JobService"],
    machine_pb2.DESCRIPTOR.services_by_name["MachineService"],
)

RELAYED: frozenset[str] = frozenset(service.full_name for service in _SERVICES)
"""Full names of the services."""

STREAMING: Mapping[str, bool] = {
    f"/{service.full_name}/{method.name}": method.client_streaming
    for service in _SERVICES
    for method in service.methods
}
"""Full paths of their methods; true for those whose caller sends more than one message."""

ACTING = frozenset(path for path in STREAMING if path.endswith(("/Invoke", "/StartJob")))
"""After one of these was sent, nobody knows what it did unless an answer comes."""
