"""Game servers at an agent that asks for certificates: a real agent between the real server and attachments by mTLS."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.planes.agent_testbed import AttachedGame
from tests.planes.machines_testbed import certified, named
from tests.planes.scripted_agent import Server, eventually, running

from croupier.agent.app import Agent
from croupier.agent.identified import identified
from croupier.errors import FailedPrecondition, PermissionDenied
from croupier.pki.authority import Authority
from croupier.pki.identity import MachineFiles
from croupier.pki.revoked_file import RevokedFile
from croupier.rpc.secure import open_channel
from croupier.server.access.authority_files import init_authority
from croupier.settings import AgentSettings
from croupier.tunnel.grpc import UNARY_OPTIONS
from croupier_sdk import Provider, Tls
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.function.v1 import function_pb2


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return init_authority(tmp_path / "server", None, "studio")


@pytest.fixture
async def server(tmp_path: Path, authority: Authority) -> AsyncIterator[Server]:
    async with running(tmp_path / "server") as started:
        yield started


def settings(tmp_path: Path, server: Server, files: MachineFiles, **changes: Any) -> AgentSettings:
    chosen: dict[str, Any] = {
        "agent_id": "agent-1",
        "game_id": "demo",
        "env": "dev",
        "servers": (server.grpc,),
        "grpc": "127.0.0.1:0",
        "http": "127.0.0.1:0",
        "data": tmp_path / "agent-data",
        "grpc_tls": True,
        **named(files),
        **changes,
    }
    return AgentSettings(**chosen)


@pytest.fixture
async def agent(tmp_path: Path, server: Server, authority: Authority) -> AsyncIterator[str]:
    """Where game servers attach."""
    running_agent = Agent(settings(tmp_path, server, certified(authority, tmp_path / "agent-1", "agent")))
    info = await running_agent.start()
    yield info.grpc
    await running_agent.stop()


async def callable_at(server: Server, function_id: str, payload: Any) -> Any:
    async def answered() -> Any:
        reply = await server.invoke(function_id, payload)
        return reply.json if reply.status == 200 else None

    return await eventually(answered)


async def test_a_game_server_attaches_with_its_certificate_and_is_called(
    server: Server, agent: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certified(authority, tmp_path / "game-1", "game")
    for name, path in (("CA", files.ca_path), ("CERT", files.cert_path), ("KEY", files.key_path)):
        monkeypatch.setenv(f"CROUPIER_{name}", str(path))
    game = Provider(agent=agent, service_id="game-1", game_id="demo", env="dev")

    @game.function("double")
    def double(number: int) -> int:
        return 2 * number

    async with game:
        assert await callable_at(server, "double", {"number": 21}) == 42


@pytest.mark.parametrize(
    ("certificate", "refusal"),
    [
        ({"name": "game-2"}, "is not whom the certificate names"),
        ({"game_id": "other"}, "may not speak for demo|dev"),
        ({"env": "prod"}, "may not speak for demo|dev"),
        ({"role": "agent"}, "of agent game-1 is not for croupier.attach.v1.AttachService"),
        ({"role": "client"}, "of client game-1 is not for croupier.attach.v1.AttachService"),
        ({"role": "edge"}, "of edge game-1 is not for croupier.attach.v1.AttachService"),
    ],
    ids=["name", "game", "env", "agent", "client", "edge"],
)
async def test_a_game_server_is_whom_its_certificate_names(
    certificate: dict[str, str], refusal: str, agent: str, authority: Authority, tmp_path: Path
) -> None:
    said = {"role": "game", "name": "game-1", **certificate}
    files = certified(authority, tmp_path / "game", said.pop("role"), said.pop("name"), **said)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await AttachedGame(agent, files=files).attach()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert refusal in str(refused.value.details())


async def test_a_game_server_registers_by_address_under_its_own_name_only(
    agent: str, authority: Authority, tmp_path: Path
) -> None:
    files = certified(authority, tmp_path / "game-1", "game")
    request = local_pb2.RegisterLocalRequest(service_id="game-2", rpc_addr="127.0.0.1:9")
    async with open_channel(agent, UNARY_OPTIONS, files, "agent") as channel:
        register: Any = channel.unary_unary("/croupier.agent.local.v1.LocalControlService/RegisterLocal")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await register(request.SerializeToString())
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_game_server_that_listens_is_called_by_mtls_and_by_its_agent_only(
    server: Server, agent: str, authority: Authority, tmp_path: Path
) -> None:
    files = certified(authority, tmp_path / "game-1", "game", hosts=("127.0.0.2",))
    tls = Tls(ca_file=files.ca_path, cert_file=files.cert_path, key_file=files.key_path)
    game = Provider(
        agent=agent, service_id="game-1", game_id="demo", env="dev", mode="listen", listen="127.0.0.2:0", tls=tls
    )

    @game.function("where")
    def where() -> str:
        return "here"

    async with game:
        assert await callable_at(server, "where", {}) == "here"
        (instance,) = await server.instances()
        client = certified(authority, tmp_path / "client-1", "client")
        request = function_pb2.InvokeRequest(function_id="where", payload=b"{}").SerializeToString()
        for caller, answer in ((client, grpc.StatusCode.PERMISSION_DENIED), (None, grpc.StatusCode.UNAVAILABLE)):
            async with open_channel(instance["addr"], UNARY_OPTIONS, caller, "game") as channel:
                invoke: Any = channel.unary_unary("/croupier.function.v1.FunctionService/Invoke")
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await invoke(request)
                assert refused.value.code() is answer


async def test_a_game_server_without_a_certificate_is_not_let_in(agent: str, authority: Authority) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await AttachedGame(agent).attach()
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_game_server_believes_no_other_machine_that_it_is_an_agent(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    game = certified(authority, tmp_path / "game-1", "game")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await AttachedGame(server.grpc, files=game).attach()  # the server is no agent
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_revocation_at_the_server_cuts_a_game_server_off_at_its_agent(
    server: Server, agent: str, authority: Authority, tmp_path: Path
) -> None:
    files = certified(authority, tmp_path / "game-1", "game")
    game = await AttachedGame(agent, files=files).attach()
    await callable_at(server, "echo", {"a": 1})
    serial = files.current().peer.serial
    await server.request("POST", f"/api/machines/certificates/{serial}/revoke", json={})
    code, _ = await game.refused()
    assert code is grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await AttachedGame(agent, files=files).attach()
    assert "was revoked" in str(refused.value.details())


async def test_a_revoked_game_server_stays_out_of_an_agent_that_started_anew_without_its_server(
    authority: Authority, tmp_path: Path
) -> None:
    revoked, good = (certified(authority, tmp_path / name, "game", name) for name in ("game-1", "game-2"))
    own = certified(authority, tmp_path / "agent-1", "agent")
    async with running(tmp_path / "server") as server:
        first = Agent(settings(tmp_path, server, own))
        game = await AttachedGame((await first.start()).grpc, files=revoked).attach()
        serial = revoked.current().peer.serial
        await server.request("POST", f"/api/machines/certificates/{serial}/revoke", json={})
        await game.refused()

        async def is_kept() -> bool:
            return serial in RevokedFile(tmp_path / "agent-data" / "revoked.json").load()

        await eventually(is_kept)
        await first.stop()

    alone = Agent(settings(tmp_path, server, own))
    address = (await alone.start()).grpc
    try:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await AttachedGame(address, files=revoked).attach()
        assert "was revoked" in str(refused.value.details())
        let_in = await AttachedGame(address, service_id="game-2", files=good).attach()
        await let_in.cut()
    finally:
        await alone.stop()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version":2,"serials":[]}', b'{"version":1,"serials":["../x"]}'])
def test_an_agent_does_not_start_with_a_list_of_revoked_machines_that_it_cannot_read(
    content: bytes, tmp_path: Path
) -> None:
    authority = init_authority(tmp_path / "server", None, "studio")
    chosen = named(certified(authority, tmp_path / "agent-1", "agent"))
    (tmp_path / "agent-data").mkdir()
    (tmp_path / "agent-data" / "revoked.json").write_bytes(content)
    with pytest.raises(FailedPrecondition, match="remove it"):
        identified(AgentSettings(agent_id="agent-1", game_id="demo", env="dev", data=tmp_path / "agent-data", **chosen))


async def test_an_agent_does_not_start_with_a_certificate_that_is_not_its_own(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    for number, (role, changes) in enumerate(
        [("agent", {"name": "agent-2"}), ("agent", {"env": "prod"}), ("game", {"name": "agent-1"}), ("client", {})]
    ):
        files = certified(authority, tmp_path / str(number), role, changes.pop("name", "agent-1"), **changes)
        with pytest.raises(PermissionDenied):
            Agent(settings(tmp_path, server, files))
    good = certified(authority, tmp_path / "good", "agent")
    with pytest.raises(FailedPrecondition, match="no certificate"):
        Agent(settings(tmp_path, server, good, insecure=True, servers=("127.0.0.1:1",)))
