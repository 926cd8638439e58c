"""Every gRPC method of the server is either an agent's or needs the token; one that is not listed here fails."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pool

from croupier.server.app import ReadyInfo, serving
from croupier.server.control import services as control
from croupier.settings import ServerSettings

AGENTS = (
    "of agents: they prove who they are by certificate once there is a CA; until then the server is on loopback only"
)
TOKEN = "of callers: needs the token"

ACCESS = {
    "croupier.control.v1.ControlService": AGENTS,
    "croupier.server.v1.ControlService": AGENTS,
    "croupier.tunnel.v1.TunnelService": AGENTS,
    "croupier.server.v1.TunnelService": AGENTS,
    "croupier.function.v1.FunctionService": TOKEN,
    "croupier.sdk.v1.FunctionService": TOKEN,
    "croupier.edge.job.v1.JobService": TOKEN,
}


def served() -> set[str]:
    """What `services` answers; it only looks at the parts' methods, so any object with them will do."""

    class Anything:
        def __getattr__(self, name: str) -> object:
            return name

    anything: object = Anything()
    return set(control.services(anything, anything, anything))  # type: ignore[arg-type]  # see above


def test_every_service_has_an_access_rule() -> None:
    assert served() == set(ACCESS)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ReadyInfo]:
    async with serving(ServerSettings(http="127.0.0.1:0", grpc="127.0.0.1:0", data=tmp_path)) as info:
        yield info


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", "Basic eA=="),)])
@pytest.mark.parametrize("name", [name for name, rule in ACCESS.items() if rule == TOKEN])
async def test_what_callers_use_is_closed_without_the_token(
    server: ReadyInfo, name: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        for method in descriptor_pool.Default().FindServiceByName(name).methods:
            path = f"/{name}/{method.name}"
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                if method.server_streaming:
                    async for _ in channel.unary_stream(path)(b"", metadata=metadata):
                        pass
                else:
                    await channel.unary_unary(path)(b"", metadata=metadata)
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED, path
