"""Agents that listen and have certificates: the server calls them by mTLS, and nobody else in their place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.planes.agent_testbed import AttachedGame
from tests.planes.machines_testbed import certified, named
from tests.planes.scripted_agent import Server, eventually, registration, running, stub_of

from croupier.agent.app import Agent
from croupier.errors import InvalidArgument, Unavailable
from croupier.pki.authority import Authority
from croupier.pki.identity import MachineFiles
from croupier.pki.names import HUB
from croupier.rpc.client import FunctionClient
from croupier.rpc.gate import peer_of
from croupier.rpc.secure import open_channel, server_credentials
from croupier.server.access.authority_files import init_authority
from croupier.server.control.direct import DirectLinks
from croupier.settings import AgentSettings
from croupier.tunnel.grpc import CHANNEL_OPTIONS
from croupier_wire.control.v1 import control_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return init_authority(tmp_path / "server", None, "studio")


@pytest.fixture
async def server(tmp_path: Path, authority: Authority) -> AsyncIterator[Server]:
    async with running(tmp_path / "server") as started:
        yield started


class Listening(function_pb2_grpc.FunctionServiceServicer):
    """A foreign agent: who called it, by certificate."""

    def __init__(self) -> None:
        self.callers: list[Any] = []

    async def Invoke(self, request: Any, context: Any) -> Any:
        self.callers.append(peer_of(context))
        return function_pb2.InvokeResponse(payload=request.payload)


@asynccontextmanager
async def listening(agent: Listening, files: MachineFiles | None, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    listener = grpc.aio.server()
    function_pb2_grpc.add_FunctionServiceServicer_to_server(agent, listener)  # type: ignore[no-untyped-call]
    if files is None:
        port = listener.add_insecure_port(address)
    else:
        port = listener.add_secure_port(address, server_credentials(files))
    await listener.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await listener.stop(0)


async def register(server: Server, files: MachineFiles, rpc_addr: str) -> None:
    async with open_channel(server.grpc, CHANNEL_OPTIONS, files, HUB) as channel:
        await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(
            registration("agent-1", "f", "echo", rpc_addr=rpc_addr)
        )


async def test_an_agent_with_a_certificate_is_called_by_mtls_and_sees_which_server_calls(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    files, agent = certified(authority, tmp_path / "agent-1", "agent"), Listening()
    async with listening(agent, files) as address:
        await register(server, files, address)
        reply = await server.invoke(payload={"n": 1})
    assert (reply.status, reply.json) == (200, {"n": 1})
    assert [caller.identity.role for caller in agent.callers] == ["server"]


@pytest.mark.parametrize(
    "other",
    [
        {"role": "agent", "name": "agent-2"},
        {"role": "agent", "name": "agent-1", "env": "prod"},
        {"role": "game", "name": "agent-1"},
        {"role": "server", "name": "agent-1"},
        None,
    ],
    ids=["agent", "env", "game", "server", "plain"],
)
async def test_who_is_another_at_the_address_is_not_called(
    other: dict[str, str] | None, server: Server, authority: Authority, tmp_path: Path
) -> None:
    own = certified(authority, tmp_path / "agent-1", "agent")
    files = None
    if other is not None:
        files = certified(authority, tmp_path / "other", other.pop("role"), other.pop("name"), **other)
    agent = Listening()
    async with listening(agent, files) as address:
        await register(server, own, address)
        reply = await server.invoke()
    assert reply.status == 503
    assert agent.callers == []


async def test_an_agent_of_another_authority_is_not_called(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    own = certified(authority, tmp_path / "agent-1", "agent")
    forged = certified(init_authority(tmp_path / "elsewhere", None, "studio"), tmp_path / "forged", "agent")
    agent = Listening()
    async with listening(agent, forged) as address:
        await register(server, own, address)
        assert (await server.invoke()).status == 503
    assert agent.callers == []


async def test_our_own_agent_answers_a_server_at_its_address(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    files = certified(authority, tmp_path / "agent-1", "agent")
    settings = AgentSettings(
        agent_id="agent-1",
        game_id="demo",
        env="dev",
        servers=("127.0.0.1:1",),  # so it does not dial in
        grpc="127.0.0.1:0",
        http="127.0.0.1:0",
        data=tmp_path / "agent-data",
        grpc_tls=True,
        **named(files),
    )
    agent = Agent(settings)
    address = (await agent.start()).grpc
    try:
        game = await AttachedGame(address, files=certified(authority, tmp_path / "game-1", "game")).attach()
        await register(server, files, address)

        async def answered() -> bool:
            return (await server.invoke("echo", {"a": 1})).status == 200

        await eventually(answered)
        await game.cut()
    finally:
        await agent.stop()


async def test_the_next_connection_shows_the_certificate_that_was_renewed(authority: Authority, tmp_path: Path) -> None:
    mine, theirs = certified(authority, tmp_path / "server-1", "server"), certified(authority, tmp_path / "a", "agent")
    agent = Listening()
    request = function_pb2.InvokeRequest(function_id="f")
    async with listening(agent, theirs) as address:
        client = FunctionClient(address, "", mine, theirs.current().peer.identity)
        await client.invoke(request, 5.0)
        renewed = certified(authority, tmp_path / "server-1", "server")
        await client.invoke(request, 5.0)
    with pytest.raises(Unavailable):
        await client.invoke(request, 5.0)
    async with listening(agent, theirs, address):
        await client.connect(patient=True)
        await client.invoke(request, 5.0)
    await client.close()

    first, second, third = (caller.serial for caller in agent.callers)
    assert first == second, "a connection that is up goes on"
    assert third == renewed.current().peer.serial != first


async def test_only_an_agent_with_a_certificate_is_called_beyond_this_machine(
    authority: Authority, tmp_path: Path
) -> None:
    mine = certified(authority, tmp_path / "server-1", "server")
    theirs = certified(authority, tmp_path / "agent-1", "agent").current().peer.identity
    links = DirectLinks(lambda *_: None, None, mine)
    links.link("agent-1", "198.51.100.7:19090", "ipv4:198.51.100.7:40000", theirs)
    with pytest.raises(InvalidArgument, match="not on this machine"):
        links.link("agent-1", "198.51.100.7:19090", "ipv4:198.51.100.7:40000")
    with pytest.raises(InvalidArgument, match="not on this machine"):
        DirectLinks(lambda *_: None).link("agent-1", "198.51.100.7:19090", "ipv4:198.51.100.7:40000", theirs)
    await links.close()
