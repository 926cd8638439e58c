"""The ways in which a machine may try to get in that it must not, each by real TLS on loopback."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from tests.planes.edge_testbed import LINK_TOKEN, edge_of
from tests.planes.machines_testbed import certified, named
from tests.planes.scripted_agent import SCOPE, ScriptedAgent, Server, attached, eventually, running, within

from croupier.domain.machine import make_identity
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, PermissionDenied, Unavailable
from croupier.pki.authority import Authority, make_authority
from croupier.pki.identity import MachineFiles
from croupier.pki.names import HUB, expected_name, subject_names
from croupier.pki.request import make_key, make_request
from croupier.pki.revocations import Revocations
from croupier.relay.dialing import LINK, LINK_CHANNEL_OPTIONS
from croupier.relay.frames import Identity, Open, Role
from croupier.relay.handshake import shake_hands
from croupier.relay.link import RelayLink
from croupier.relay.proof import LinkProof
from croupier.rpc.gate import EVERY_ROLE, Gate
from croupier.rpc.machine_client import OverChannel
from croupier.rpc.secure import open_channel
from croupier.rpc.service import RpcServer
from croupier.server.access.authority_files import init_authority
from croupier.settings import EdgeSettings
from croupier.tunnel.connector import Connector
from croupier.tunnel.frames import Hello
from croupier.tunnel.grpc import CHANNEL_OPTIONS, OPEN, ClientStream, open_stream
from croupier.tunnel.stream import StreamBroken
from croupier_wire.control.v1 import control_pb2

REFUSED_BY_TLS = "UNAVAILABLE"
REGISTER = "/croupier.control.v1.ControlService/Register"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return init_authority(tmp_path / "server", None, "studio")


@pytest.fixture
async def server(tmp_path: Path, authority: Authority) -> AsyncIterator[Server]:
    async with running(tmp_path / "server", link_token=LINK_TOKEN) as started:
        yield started


@pytest.fixture
def agent(tmp_path: Path, authority: Authority) -> MachineFiles:
    return certified(authority, tmp_path / "agent-1", "agent")


async def opened(
    address: str,
    files: MachineFiles | None,
    *,
    agent_id: str = "agent-1",
    scope: Scope = SCOPE,
    channel: grpc.aio.Channel | None = None,
) -> str:
    """How the server answers an agent that says this of itself: `open`, or the code and the words of its refusal."""
    hello = Hello(agent_id=agent_id, game_id=scope.game_id, env=scope.env, incarnation="one")
    async with channel or open_channel(address, CHANNEL_OPTIONS, files, HUB) as dialled:
        stream = ClientStream(open_stream(dialled, OPEN))
        try:
            await stream.write(Connector(hello).greet())
            return "open" if await within(stream.read()) else "ended"
        except StreamBroken as broken:
            return str(broken)


async def test_an_agent_with_its_certificate_gets_in_and_is_called(server: Server, agent: MachineFiles) -> None:
    async with attached(server, files=agent):
        reply = await server.invoke(payload={"a": 1})
    assert (reply.status, reply.json) == (200, {"a": 1})


# ------------------------------------------------------------------------------------------------ by TLS


async def test_nobody_gets_in_without_a_certificate(server: Server, authority: Authority) -> None:
    trusting = grpc.ssl_channel_credentials(authority.certificate_pem)
    name = [("grpc.ssl_target_name_override", expected_name(HUB, "127.0.0.1"))]
    channel = grpc.aio.secure_channel(server.grpc, trusting, options=name)
    assert (await opened(server.grpc, None, channel=channel)).startswith(REFUSED_BY_TLS)


async def test_nobody_gets_in_by_plain_text(server: Server) -> None:
    assert (await opened(server.grpc, None)).startswith(REFUSED_BY_TLS)


async def test_nobody_gets_in_with_an_expired_certificate(server: Server, authority: Authority, tmp_path: Path) -> None:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    expired = certified(authority, tmp_path / "late", "agent", "agent-1", lifetime=60.0, now=long_ago)
    assert (await opened(server.grpc, expired)).startswith(REFUSED_BY_TLS)


async def test_nobody_gets_in_with_a_certificate_of_tomorrow(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    early = certified(authority, tmp_path / "early", "agent", "agent-1", now=tomorrow)
    assert (await opened(server.grpc, early)).startswith(REFUSED_BY_TLS)


async def test_nobody_gets_in_with_a_certificate_of_another_authority(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    stranger = certified(make_authority("studio"), tmp_path / "other", "agent", "agent-1")
    stranger.ca_path.write_bytes(authority.certificate_pem)  # it trusts the server, the server not it
    assert (await opened(server.grpc, stranger)).startswith(REFUSED_BY_TLS)


async def test_nobody_gets_in_with_a_certificate_that_he_signed_himself(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    files = MachineFiles.of_folder(tmp_path / "self")
    key = files.begin()
    identity = make_identity(deployment="studio", role="agent", game_id="demo", env="dev", id="agent-1")
    name = x509.Name([])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(subject_names(identity, ("127.0.0.1",)), critical=True)
        .sign(key, hashes.SHA256())
    )
    files.replace(made.public_bytes(serialization.Encoding.PEM), authority.certificate_pem)
    assert (await opened(server.grpc, files)).startswith(REFUSED_BY_TLS)


async def test_an_old_version_of_tls_is_refused(server: Server) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    host, _, port = server.grpc.rpartition(":")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await within(asyncio.open_connection(host, int(port), ssl=old))


async def test_an_agent_with_a_certificate_does_not_speak_to_a_plain_port(
    tmp_path: Path, authority: Authority, agent: MachineFiles
) -> None:
    async with running(tmp_path / "plain") as plain:
        assert (await opened(plain.grpc, agent)).startswith(REFUSED_BY_TLS)


@asynccontextmanager
async def pretender(files: MachineFiles, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """Something that listens with this certificate and takes everybody."""
    peer = files.current().peer
    gate = Gate(peer.identity.deployment, Revocations(), {"croupier.tunnel.v1.TunnelService": EVERY_ROLE})

    async def take(stream: Any, _: Any) -> None:
        await stream.read()

    rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": take}}, files=files, gate=gate)
    await rpc.start(address)
    try:
        yield rpc.address
    finally:
        await rpc.stop(0)


@pytest.mark.parametrize("role", ["agent", "game", "client"])
async def test_an_agent_believes_no_server_with_a_certificate_of_another_role(
    role: str, authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    async with pretender(certified(authority, tmp_path / role, role, "server-1")) as address:
        assert (await opened(address, agent)).startswith(REFUSED_BY_TLS)


async def test_an_agent_believes_no_server_on_a_host_that_its_certificate_does_not_name(
    authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    files = certified(authority, tmp_path / "s", "server", hosts=("other.example",))
    async with pretender(files, "127.0.0.2:0") as address:
        assert (await opened(address, agent)).startswith(REFUSED_BY_TLS)
    async with pretender(
        certified(authority, tmp_path / "t", "server", hosts=("127.0.0.2",)), "127.0.0.2:0"
    ) as address:
        assert await opened(address, agent) == "ended"


# ------------------------------------------------------------------------------------------------ by what the certificate says


@pytest.mark.parametrize("role", ["game", "client", "edge", "server"])
async def test_only_an_agents_certificate_opens_a_tunnel(
    role: str, server: Server, authority: Authority, tmp_path: Path
) -> None:
    other = certified(authority, tmp_path / role, role, "agent-1")
    assert f"PERMISSION_DENIED: a certificate of {role}" in await opened(server.grpc, other)


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ({"agent_id": "agent-2"}, "agent-2 is not whom the certificate names"),
        ({"scope": Scope("other", "dev")}, "may not speak for other|dev"),
        ({"scope": Scope("demo", "prod")}, "may not speak for demo|prod"),
    ],
    ids=["id", "game", "env"],
)
async def test_an_agent_is_whom_its_certificate_names(
    claim: dict[str, Any], word: str, server: Server, agent: MachineFiles
) -> None:
    said = await opened(server.grpc, agent, **claim)
    assert said.startswith("PERMISSION_DENIED")
    assert word in said


async def test_what_a_machine_is_refused_is_on_record(
    server: Server, authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    await opened(server.grpc, agent, agent_id="agent-2")
    await opened(server.grpc, certified(authority, tmp_path / "g", "game", "game-1"))
    await server.request("PUT", "/api/assignments", json={})  # a change waits until what came before is on disk
    rows = (await server.request("GET", "/api/audit?action=rpc.call")).json["rows"]
    assert {(row["actor"]["name"], row["target"], row["result"], row["address"]) for row in rows} == {
        ("croupier://studio/agent/demo/dev/agent-1", "croupier.tunnel.v1.TunnelService.Open", "denied", "127.0.0.1"),
        ("croupier://studio/game/demo/dev/game-1", "croupier.tunnel.v1.TunnelService.Open", "denied", "127.0.0.1"),
    }


async def test_what_registers_by_control_service_is_whom_its_certificate_names(
    server: Server, agent: MachineFiles
) -> None:
    async with open_channel(server.grpc, CHANNEL_OPTIONS, agent, HUB) as channel:
        for request in (
            control_pb2.RegisterRequest(agent_id="agent-2", game_id="demo", env="dev"),
            control_pb2.RegisterRequest(agent_id="agent-1", game_id="demo", env="prod"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await channel.unary_unary(REGISTER)(request.SerializeToString())
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_certificate_of_another_deployment_of_the_same_authority_is_refused(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    cousin = Authority(authority._certificate, authority._key, "cousin")
    assert "deployment cousin" in await opened(server.grpc, certified(cousin, tmp_path / "c", "agent", "agent-1"))


# ------------------------------------------------------------------------------------------------ revoked


async def revoke(server: Server, files: MachineFiles) -> None:
    serial = files.current().peer.serial
    reply = await server.request("POST", f"/api/machines/certificates/{serial}/revoke", json={"reason": "a test"})
    assert (reply.status, reply.json["state"]) == (200, "revoked")


async def test_a_revoked_certificate_lets_nobody_in(server: Server, agent: MachineFiles) -> None:
    await revoke(server, agent)
    assert "UNAUTHENTICATED: the certificate of agent agent-1 was revoked" in await opened(server.grpc, agent)


async def test_a_revocation_cuts_off_whoever_is_connected_and_ends_its_calls(
    server: Server, agent: MachineFiles
) -> None:
    connected = ScriptedAgent(server.grpc, files=agent, script=lambda _agent, _frame: None)
    await connected.connect()
    await eventually(lambda: _knows(server, "agent-1"))
    call = asyncio.ensure_future(server.invoke())
    await connected.request()
    await revoke(server, agent)
    await connected.lost()
    assert (await within(call)).json["reason"] == "outcome_unknown"
    assert (await server.agent("agent-1"))["healthy"] is False
    assert "was revoked" in await opened(server.grpc, agent)


async def _knows(server: Server, agent_id: str) -> bool:
    found = await server.agent(agent_id)
    return bool(found and found["functions"])


async def test_a_revocation_ends_what_registered_by_control_service(server: Server, agent: MachineFiles) -> None:
    async with open_channel(server.grpc, CHANNEL_OPTIONS, agent, HUB) as channel:
        request = control_pb2.RegisterRequest(agent_id="agent-1", game_id="demo", env="dev", rpc_addr="127.0.0.1:9")
        await channel.unary_unary(REGISTER)(request.SerializeToString())
    assert await server.agent("agent-1")
    await revoke(server, agent)
    assert await server.agent("agent-1") is None


async def test_a_revocation_survives_a_restart(tmp_path: Path, authority: Authority, agent: MachineFiles) -> None:
    async with running(tmp_path / "server") as server:
        await revoke(server, agent)
    async with running(tmp_path / "server") as server:
        assert "was revoked" in await opened(server.grpc, agent)


# ------------------------------------------------------------------------------------------------ edges


def an_edge(authority: Authority, folder: Path, **changes: Any) -> MachineFiles:
    return certified(authority, folder, "edge", changes.pop("name", "edge-1"), **changes)


@pytest.fixture
async def edge(server: Server, authority: Authority, tmp_path: Path) -> AsyncIterator[Any]:
    async with edge_of(server, **named(an_edge(authority, tmp_path / "edge-1"))) as started:
        yield started


async def test_an_agent_gets_in_over_an_edge_and_is_called(server: Server, edge: Any, agent: MachineFiles) -> None:
    connected = ScriptedAgent(edge.grpc, files=agent)
    await connected.connect()
    await eventually(lambda: _knows(server, "agent-1"))
    assert (await server.invoke(payload={"a": 1})).json == {"a": 1}
    assert (await server.agent("agent-1"))["edge"] == "edge-1"
    await connected.cut()


async def test_an_edge_is_dialled_by_the_server_and_known_by_its_certificate(
    authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    async with (
        edge_of(**named(an_edge(authority, tmp_path / "edge-1"))) as edge,
        running(tmp_path / "server", link_token=LINK_TOKEN, edges=(edge.grpc,)) as server,
    ):
        await edge.linked()
        connected = ScriptedAgent(edge.grpc, files=agent)
        await connected.connect()
        await eventually(lambda: _knows(server, "agent-1"))
        await connected.cut()


async def test_what_an_agent_may_not_say_it_may_not_say_over_an_edge(
    server: Server, edge: Any, authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    assert "is not whom" in await opened(edge.grpc, agent, agent_id="agent-2")
    assert "may not speak for demo|prod" in await opened(edge.grpc, agent, scope=Scope("demo", "prod"))
    assert "of game agent-1 is not for" in await opened(
        edge.grpc, certified(authority, tmp_path / "g", "game", "agent-1")
    )
    assert (await opened(edge.grpc, None)).startswith(REFUSED_BY_TLS)


async def test_a_revocation_reaches_an_agent_behind_an_edge(server: Server, edge: Any, agent: MachineFiles) -> None:
    connected = ScriptedAgent(edge.grpc, files=agent)
    await connected.connect()
    await revoke(server, agent)
    await connected.lost()
    assert "was revoked" in await opened(edge.grpc, agent)


async def test_a_revoked_edge_is_cut_off_with_everybody_behind_it(
    server: Server, edge: Any, authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    connected = ScriptedAgent(edge.grpc, files=agent)
    await connected.connect()
    await revoke(server, MachineFiles.of_folder(tmp_path / "edge-1"))
    await connected.lost()
    await edge.linked(0)


async def test_an_edge_speaks_for_the_scope_of_its_certificate_only(
    server: Server, authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    files = an_edge(authority, tmp_path / "edge-1", game_id="demo", env="prod")
    async with edge_of(server, **named(files)) as edge:
        assert "certificate of edge-1 is of demo|prod" in await opened(edge.grpc, agent)


@pytest.mark.parametrize("role", ["agent", "game", "client"])
async def test_no_other_certificate_links_as_an_edge(
    role: str, server: Server, authority: Authority, tmp_path: Path
) -> None:
    files = certified(authority, tmp_path / role, role, "edge-1")
    async with open_channel(server.grpc, LINK_CHANNEL_OPTIONS, files, "server") as channel:
        call = open_stream(channel, LINK)
        assert await within(call.code()) is grpc.StatusCode.PERMISSION_DENIED
    settings = EdgeSettings(link_token=LINK_TOKEN, edge_id="edge-1", **named(files))
    with pytest.raises(PermissionDenied, match="needs the certificate of edge"):
        async with edge_of(**settings.model_dump(include={"ca", "cert", "key"})):
            pass


class Watched(RelayLink):
    ended: asyncio.Event


@asynccontextmanager
async def linked(server: Server, files: MachineFiles, shown: MachineFiles, edge_id: str) -> AsyncIterator[Watched]:
    """A link by TLS with `files`, whose handshake shows `shown`."""
    async with open_channel(server.grpc, LINK_CHANNEL_OPTIONS, files, "server") as channel:
        stream = ClientStream(open_stream(channel, LINK))
        proof = LinkProof(shown, lambda _: None)
        own = Identity(Role.EDGE, edge_id, "1")
        other, peer = await within(shake_hands(stream, own, LINK_TOKEN.encode(), dialing=True, proof=proof))
        link = Watched(Role.EDGE, other, peer=peer)
        link.ended = asyncio.Event()
        carrying = asyncio.ensure_future(link.run(stream))
        carrying.add_done_callback(lambda _: link.ended.set())
        try:
            yield link
        finally:
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)


async def told(link: RelayLink, certificate: bytes) -> str:
    """How the server ends a tunnel that the edge opens for somebody with this certificate."""
    stream = link.open(Open(method=OPEN, certificate=certificate))
    await stream.write(Connector(Hello(agent_id="agent-1", game_id="demo", env="dev")).greet())
    while await within(stream.read()) is not None:
        stream.half_close()
    return stream.status.message if stream.status is not None else ""


async def test_an_edge_cannot_speak_for_an_agent_without_its_certificate(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    files = an_edge(authority, tmp_path / "edge-1")
    forged = certified(make_authority("studio"), tmp_path / "forged", "agent", "agent-1")
    async with linked(server, files, files, "edge-1") as link:
        assert "needs a certificate" in await told(link, b"")
        assert "another authority" in await told(link, forged.current().cert_pem)
        assert "cannot be read" in await told(link, b"rubbish")


async def test_an_edge_is_known_by_its_own_certificate_only(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    files = an_edge(authority, tmp_path / "edge-1")
    other = an_edge(authority, tmp_path / "edge-2", name="edge-2")
    for shown, edge_id in ((files, "edge-2"), (other, "edge-1")):
        async with linked(server, files, shown, edge_id) as link:
            assert await within(link.ended.wait())


# ------------------------------------------------------------------------------------------------ joining


async def invited(server: Server, **grant: Any) -> str:
    body = {"role": "agent", "game_id": "demo", "env": "dev", **grant}
    reply = await server.request("POST", "/api/machines/join_tokens", json=body)
    assert reply.status == 200, reply.body
    token: str = reply.json["token"]
    return token


async def joined(server: Server, token: str, *, hosts: tuple[str, ...] = (), **claim: Any) -> Any:
    said = {"deployment": "studio", "role": "agent", "game_id": "demo", "env": "dev", "id": "agent-1", **claim}
    request = make_request(make_key(), make_identity(**said), hosts).decode()
    headers = {"Authorization": ""}
    return await server.request(
        "POST", "/api/machines/enrol", json={"token": token, "request": request}, headers=headers
    )


async def test_a_join_token_joins_one_machine_once(server: Server) -> None:
    token = await invited(server)
    first = await joined(server, token)
    assert first.status == 200
    assert first.json["identity"] == "croupier://studio/agent/demo/dev/agent-1"
    second = await joined(server, token, id="agent-2")
    assert second.status == 403
    assert token not in second.body.decode()
    (entry,) = (await server.request("GET", "/api/machines/join_tokens")).json["join_tokens"]
    assert (entry["state"], entry["serial"]) == ("used", first.json["serial"])
    assert token.split(".")[0].removeprefix("crj_") not in str(entry)


async def test_two_machines_with_one_token_do_not_both_join(server: Server) -> None:
    token = await invited(server)
    replies = await asyncio.gather(*(joined(server, token, id=f"agent-{n}") for n in range(8)))
    assert sorted(reply.status for reply in replies) == [200] + [403] * 7


@pytest.mark.parametrize(
    "claim",
    [
        {"role": "game"},
        {"role": "server", "game_id": "*", "env": "*"},
        {"role": "edge", "game_id": "*", "env": "*"},
        {"game_id": "other"},
        {"env": "prod"},
        {"id": "agent-2"},
        {"deployment": "other"},
        {"hosts": ("server.example",)},
    ],
    ids=str,
)
async def test_a_request_for_more_than_the_token_grants_gets_nothing_and_leaves_the_token(
    claim: dict[str, Any], server: Server
) -> None:
    token = await invited(server, id="agent-1", hosts=["game-1.example"])
    reply = await joined(server, token, **claim)
    assert reply.status == 400
    assert "more than is granted" in reply.json["detail"]
    assert (await joined(server, token)).status == 200


async def test_an_expired_withdrawn_or_changed_token_joins_nobody(server: Server) -> None:
    token = await invited(server)
    made = (await server.request("GET", "/api/machines/join_tokens")).json["join_tokens"][0]["id"]
    changed = token[:8] + ("A" if token[8] != "A" else "B") + token[9:]
    assert (await joined(server, changed)).status == 403
    assert (await joined(server, token[:-1])).status == 400
    assert (await server.request("DELETE", f"/api/machines/join_tokens/{made}")).json["state"] == "withdrawn"
    assert (await joined(server, token)).status == 403
    short = await server.request(
        "POST", "/api/machines/join_tokens", json={"role": "agent", "game_id": "demo", "env": "dev", "expires_in": 1}
    )

    async def is_over() -> bool:
        reply = await joined(server, short.json["token"], id="agent-2", hosts=("beyond.example",))
        return bool(reply.status == 403)  # until then the request is refused, which leaves the token

    await eventually(is_over)


# ------------------------------------------------------------------------------------------------ renewing


async def test_an_edge_cannot_renew_an_agents_certificate_for_a_key_of_its_own(
    server: Server, authority: Authority, tmp_path: Path, agent: MachineFiles
) -> None:
    files = an_edge(authority, tmp_path / "edge-1")
    shown = agent.current()
    request = make_request(make_key(), shown.peer.identity, shown.hosts)
    async with open_channel(server.grpc, CHANNEL_OPTIONS, files, HUB) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _renewed(channel, request)
        assert "for its own key" in str(refused.value.details())
    async with open_channel(server.grpc, CHANNEL_OPTIONS, agent, HUB) as channel:
        assert await _renewed(channel, shown.request())


async def _renewed(channel: Any, request: bytes) -> bytes:
    message = b"\x0a" + _varint(len(request)) + request
    answer: bytes = await channel.unary_unary("/croupier.machine.v1.MachineService/Renew")(message)
    return answer


def _varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80, number >> 7])


async def test_whoever_follows_revocations_learns_that_the_connection_was_closed(
    server: Server, agent: MachineFiles
) -> None:
    channel = open_channel(server.grpc, CHANNEL_OPTIONS, agent, HUB)

    async def opened_channel() -> grpc.aio.Channel:
        return channel

    lists = OverChannel(opened_channel).revocations()
    assert await within(anext(lists)) == []
    following = asyncio.ensure_future(anext(lists))
    await asyncio.sleep(0)
    await channel.close()
    with pytest.raises(Unavailable):
        await within(following)


async def test_revoking_a_certificate_revokes_what_renewed_it_too(server: Server, agent: MachineFiles) -> None:
    before = agent.current()
    async with open_channel(server.grpc, CHANNEL_OPTIONS, agent, HUB) as channel:
        await _renewed(channel, before.request())
    await revoke(server, agent)
    found = (await server.request("GET", "/api/machines/certificates")).json["certificates"]
    assert [each["state"] for each in found if "/server/" not in each["identity"]] == ["revoked", "revoked"]


# ------------------------------------------------------------------------------------------------ beyond this machine


async def test_nothing_is_listened_on_or_dialled_beyond_this_machine_without_a_certificate(tmp_path: Path) -> None:
    for address in ({"grpc": "0.0.0.0:0"}, {"http": "0.0.0.0:0"}):
        with pytest.raises(FailedPrecondition, match="plain text"):
            async with running(tmp_path / "plain", **address):
                pass
    with pytest.raises(FailedPrecondition, match="plain text"):
        async with edge_of(grpc="0.0.0.0:0"):
            pass
    with pytest.raises(FailedPrecondition, match="plain text"):
        open_channel("192.0.2.1:8443", CHANNEL_OPTIONS, None, HUB)


async def test_insecure_is_plain_text_on_this_machine_only(tmp_path: Path, authority: Authority) -> None:
    async with running(tmp_path / "server", insecure=True) as server, attached(server):
        assert (await server.invoke()).status == 200
    with pytest.raises(FailedPrecondition, match="plain text"):
        async with running(tmp_path / "server", insecure=True, grpc="0.0.0.0:0"):
            pass


async def test_with_a_certificate_every_address_may_be_listened_on(
    tmp_path: Path, authority: Authority, agent: MachineFiles
) -> None:
    async with running(tmp_path / "server", grpc="0.0.0.0:0", http="0.0.0.0:0") as server:
        port = server.grpc.rpartition(":")[2]
        assert await opened(f"127.0.0.1:{port}", agent) == "open"
