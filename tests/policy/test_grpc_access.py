"""Every gRPC method of the server is either an agent's or needs the token; one that is not listed here fails."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.planes.edge_testbed import edge_of

from croupier.relay.dialing import LINK as LINK_METHOD
from croupier.relay.frames import Identity, Role
from croupier.relay.handshake import Handshake
from croupier.relay.methods import RELAYED
from croupier.server.app import ReadyInfo, serving
from croupier.settings import ServerSettings
from croupier_wire.relay.v1 import relay_pb2

AGENTS = "of agents: they prove who they are by certificate; without certificates the server is on loopback only"
MACHINES = "of machines: about the certificate that they show"
TOKEN = "of callers: needs the token"
LINK = "of edges: both ends prove that they know the link token before anything else"
OPEN = "of everybody: says nothing about the installation"

ACCESS = {
    "croupier.control.v1.ControlService": AGENTS,
    "croupier.server.v1.ControlService": AGENTS,
    "croupier.tunnel.v1.TunnelService": AGENTS,
    "croupier.server.v1.TunnelService": AGENTS,
    "croupier.function.v1.FunctionService": TOKEN,
    "croupier.sdk.v1.FunctionService": TOKEN,
    "croupier.edge.job.v1.JobService": TOKEN,
    "croupier.machine.v1.MachineService": MACHINES,
    "croupier.relay.v1.RelayService": LINK,
    "grpc.health.v1.Health": OPEN,
    "grpc.reflection.v1alpha.ServerReflection": OPEN,
}
LINK_TOKEN = "link-token-of-the-policy-test"


async def served(address: str) -> set[str]:
    """What the listening server says it offers."""
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        async for answer in stub.ServerReflectionInfo(asked):
            return {service.name for service in answer.list_services_response.service}
    raise AssertionError("the server did not answer")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ReadyInfo]:
    settings = ServerSettings(
        http="127.0.0.1:0", grpc="127.0.0.1:0", data=tmp_path, token="token-of-a-test", link_token=LINK_TOKEN
    )
    async with serving(settings) as info:
        yield info


@pytest.fixture(params=["direct", "through an edge"])
async def address(request: pytest.FixtureRequest, server: ReadyInfo) -> AsyncIterator[str]:
    """Where callers dial: what holds at the server's own door holds behind an edge."""
    if request.param == "direct":
        yield server.grpc
        return
    async with edge_of(server, link_token=LINK_TOKEN) as edge:
        await edge.linked()
        yield edge.grpc


async def test_every_service_has_an_access_rule(server: ReadyInfo) -> None:
    assert await served(server.grpc) == set(ACCESS)


def test_what_passes_an_edge_is_what_has_a_guard_of_its_own_at_the_server() -> None:
    assert {name for name, rule in ACCESS.items() if rule in {AGENTS, MACHINES, TOKEN}} == RELAYED


async def test_a_link_is_refused_without_the_link_token(server: ReadyInfo) -> None:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        guess = Handshake(Identity(Role.EDGE, "edge-1"), b"a-guessed-token")
        call = channel.stream_stream(LINK_METHOD)()
        await call.write(guess.greeting())
        await call.read()
        await call.write(relay_pb2.LinkMessage(proof=bytes(32)).SerializeToString())
        assert await call.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", "Basic eA=="),)])
@pytest.mark.parametrize("name", [name for name, rule in ACCESS.items() if rule == TOKEN])
async def test_what_callers_use_is_closed_without_the_token(
    address: str, name: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        for method in descriptor_pool.Default().FindServiceByName(name).methods:
            path = f"/{name}/{method.name}"
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                if method.server_streaming:
                    async for _ in channel.unary_stream(path)(b"", metadata=metadata):
                        pass
                else:
                    await channel.unary_unary(path)(b"", metadata=metadata)
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED, path
