"""The server's gRPC side as agents and invokers speak it: unmodified stubs, raw JSON, hostile bytes."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import orjson
import pytest
from tests.planes.scripted_agent import (
    HERE,
    OTHER,
    SCOPE,
    THERE,
    ScriptedAgent,
    Server,
    attached,
    eventually,
    raw_agent,
    raw_method,
    refused,
    registration,
    running,
    service,
    stub_of,
    within,
)

from croupier.server.catalog.unpacking import GZIP
from croupier.server.dispatch import agents as agents_table
from croupier.tunnel.acceptor import Acceptor
from croupier_wire.control.v1 import control_pb2, control_pb2_grpc
from croupier_wire.server.v1 import server_pb2_grpc
from croupier_wire.tunnel.v1 import tunnel_pb2_grpc


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        yield channel


# ------------------------------------------------------------------------------------------------ registering


async def test_an_agent_registers_and_heartbeats_by_the_contracts_stubs(
    server: Server, channel: grpc.aio.Channel
) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    answer = await stub.Register(registration(version="3.1"))
    await stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="direct-1", session_id=answer.session_id))
    await stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="direct-1"))
    shown = await server.agent("direct-1")
    assert answer.session_id
    assert answer.expire_at > 1_700_000_000
    assert (shown["version"], shown["functions"], shown["healthy"]) == ("3.1", 1, False)
    assert 0 < shown["expires_in_sec"] <= 90


@pytest.mark.parametrize("alias", ["croupier.control.v1", "croupier.server.v1"])
async def test_an_agent_registers_in_the_contracts_json(server: Server, channel: grpc.aio.Channel, alias: str) -> None:
    body = {"agent_id": "json-1", "functions": [{"id": "f", "version": "1.0"}], "unknown_key": {"x": 1}, **HERE}
    raw = await raw_method(channel, f"/{alias}.ControlService/Register", body)
    answer = orjson.loads(raw)
    beat = await raw_method(
        channel, f"/{alias}.ControlService/Heartbeat", {"agent_id": "json-1", "session_id": answer["session_id"]}
    )
    assert isinstance(answer["expire_at"], int)
    assert beat == b"{}"
    assert (await server.agent("json-1"))["functions"] == 1


async def test_the_alias_services_take_the_same_stubs(server: Server, channel: grpc.aio.Channel) -> None:
    await stub_of(server_pb2_grpc.ControlServiceStub, channel).Register(registration("plain-1"))
    async with raw_agent(server.grpc, stub=server_pb2_grpc.TunnelServiceStub) as agent:
        await agent.hello("plain-1")
        calling = asyncio.ensure_future(_called_once_there(server))
        call = await agent.hear_frame("invoke")
        await agent.say("result", result={"request_id": call.request_id, "payload": b'{"by": "alias"}'})
        reply = await within(calling)
    assert (reply.status, reply.json) == (200, {"by": "alias"})


async def _called_once_there(server: Server) -> Any:
    await eventually(lambda: _is_healthy(server, "plain-1"))
    return await server.invoke()


async def _is_healthy(server: Server, agent_id: str) -> bool:
    shown = await server.agent(agent_id)
    return bool(shown and shown["healthy"])


async def test_a_heartbeat_of_a_stranger_is_not_found(channel: grpc.aio.Channel) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    code, text = await refused(stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="who")))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "register again" in text


async def test_a_heartbeat_does_not_stand_for_a_registration(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    async with attached(server):
        code, _ = await refused(stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="agent-1")))
    assert code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (registration(""), "agent_id must have 1 to 256"),
        (registration("a" * 257), "agent_id must have 1 to 256"),
        (registration(game_id=""), "game_id is missing"),
        (registration(env="no spaces"), "env must be 1 to 64"),
        (registration("a", *(f"f{n}" for n in range(10_001))), "more than 10000 functions"),
        (registration("a", "f" * 257), "at most 256 characters"),
        (registration(rpc_addr="192.0.2.7:9000"), "not on this machine"),
        (registration(rpc_addr="game.example:9000"), "not on this machine"),
        (registration(rpc_addr="nonsense"), "write host:port"),
        (registration(rpc_addr="127.0.0.1:0"), "port 0"),
    ],
)
async def test_a_faulty_registration_is_refused_by_name(
    server: Server, channel: grpc.aio.Channel, request_: control_pb2.RegisterRequest, says: str
) -> None:
    code, text = await refused(stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(request_))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert says in text
    assert not (await server.registry())["agents"]


async def test_a_faulty_registration_changes_nothing(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    await stub.Register(registration("direct-1", "f"))
    await refused(stub.Register(registration("direct-1", "g", rpc_addr="192.0.2.7:9000")))
    functions = (await server.registry())["functions"]
    assert [function["id"] for function in functions] == ["f"]


async def test_a_registration_replaces_the_one_before(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    await stub.Register(registration("direct-1", "f", "g"))
    await stub.Register(registration("direct-1", "h", **THERE))
    functions = (await server.registry())["functions"]
    assert [(one["game_id"], one["id"], one["agents"]) for one in functions] == [("other", "h", 1)]


async def test_a_disabled_function_is_not_offered(server: Server, channel: grpc.aio.Channel) -> None:
    off = control_pb2.FunctionDescriptor(id="off", category="player", enabled=False)
    on = control_pb2.FunctionDescriptor(id="on", category="player", enabled=True)
    request = control_pb2.RegisterRequest(agent_id="a", functions=[off, on, {"id": "bare"}], **HERE)
    await stub_of(control_pb2_grpc.ControlServiceStub, channel).Register(request)
    assert [function["id"] for function in (await server.registry())["functions"]] == ["bare", "on"]


async def test_a_registration_that_is_not_renewed_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_table, "TTL", 0.05)
    monkeypatch.setattr("croupier.server.reports.EXPIRY_INTERVAL", 0.01)
    async with running(tmp_path) as server, grpc.aio.insecure_channel(server.grpc) as channel:
        stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
        # `registration` has its own copy of the name, so this one would live for 90 s: its heartbeat shortens that.
        await stub.Register(registration())
        await stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="direct-1"))
        await eventually(lambda: _is_gone(server, "direct-1"))
        code, _ = await refused(stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="direct-1")))
    assert code is grpc.StatusCode.NOT_FOUND


async def _is_gone(server: Server, agent_id: str) -> bool:
    return await server.agent(agent_id) is None


# ------------------------------------------------------------------------------------------------ capabilities


def packed(manifest: Any) -> bytes:
    return gzip.compress(manifest if isinstance(manifest, bytes) else orjson.dumps(manifest))


def capabilities(manifest_json_gz: bytes, provider: str = "p") -> control_pb2.RegisterCapabilitiesRequest:
    return control_pb2.RegisterCapabilitiesRequest(
        provider=control_pb2.ProviderMeta(id=provider, version="1", lang="go"), manifest_json_gz=manifest_json_gz
    )


async def test_a_schema_of_a_provider_is_enforced(server: Server, channel: grpc.aio.Channel) -> None:
    schema = {"type": "object", "properties": {"days": {"type": "integer", "minimum": 1}}}
    manifest = {"provider": {"id": "p"}, "functions": [{"id": "f", "request": {"json_schema": schema}}]}
    await stub_of(control_pb2_grpc.ControlServiceStub, channel).RegisterCapabilities(capabilities(packed(manifest)))
    async with attached(server) as agent:
        wrong = await server.invoke(payload={"days": 0})
        right = await server.invoke(payload={"days": 1})
    assert (wrong.status, wrong.json["reason"]) == (400, "invalid_argument")
    assert "/days" in wrong.json["detail"]
    assert (right.status, len(agent.executed)) == (200, 1)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (capabilities(packed(b"0" * 3_000_000)), "unpacks to more than 200 times its size"),
        (capabilities(b"certainly not gzip"), "not gzip"),
        (capabilities(GZIP + b"certainly not gzip"), "not gzip"),
        (capabilities(packed(b"{}")[:-6]), "cut off"),
        (capabilities(packed(b"{}") + packed(b"{}")), "after the manifest's gzip data comes something else"),
        (capabilities(packed(b"{}") + b"rubbish"), "after the manifest's gzip data comes something else"),
        (capabilities(b""), "not gzip"),
        (capabilities(packed(b"{'single': 'quotes'}")), "not JSON"),
        (capabilities(packed(b"[" * 100_000)), "nested deeper than"),
        (capabilities(packed(b'{"functions": [], "functions": []}')), "stands twice"),
        (capabilities(packed(7)), "an object or an array"),
        (capabilities(packed({"functions": "f"})), "must be an array"),
        (capabilities(packed({"functions": [{"id": ""}]})), "$.functions[0].id"),
        (capabilities(packed({"functions": [{"id": "f", "semantics": {"timeout": "9" * 400}}]})), "timeout"),
        (capabilities(packed({"provider": {"id": "q"}, "functions": []})), "say one id"),
        (capabilities(packed({"functions": []}), provider=""), "provider.id"),
        (capabilities(packed({"functions": []}), provider="p\n"), "provider.id"),
    ],
)
async def test_faulty_capabilities_are_refused_by_name(
    channel: grpc.aio.Channel, request_: control_pb2.RegisterCapabilitiesRequest, says: str
) -> None:
    code, text = await refused(stub_of(control_pb2_grpc.ControlServiceStub, channel).RegisterCapabilities(request_))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert says in text


async def test_capabilities_that_unpack_to_200_megabytes_are_refused(channel: grpc.aio.Channel) -> None:
    bomb = capabilities(packed(b"0" * 200_000_000))
    code, text = await refused(stub_of(control_pb2_grpc.ControlServiceStub, channel).RegisterCapabilities(bomb))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "unpacks to more than" in text


async def test_all_faults_of_a_manifest_are_told_at_once(channel: grpc.aio.Channel) -> None:
    faulty = [{"id": f"f{n}", "risk": "none of these"} for n in range(10)]
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    _, text = await refused(stub.RegisterCapabilities(capabilities(packed({"functions": faulty}))))
    assert all(f"$.functions[{n}].risk: write low, medium or high" in text for n in range(10))


async def test_a_provider_belongs_to_whoever_registered_it_first(server: Server, channel: grpc.aio.Channel) -> None:
    stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
    manifest = {"provider": {"id": "p"}, "functions": [{"id": "f"}]}
    await stub.RegisterCapabilities(capabilities(packed(manifest)))
    reply = await server.request("POST", "/api/providers/capabilities", json=manifest)
    assert (reply.status, reply.json["reason"]) == (403, "permission_denied")
    assert "belongs to machine:local" in reply.json["detail"]
    assert "/api/providers/p/transfer" in reply.json["detail"]
    given = await server.request("POST", "/api/providers/p/transfer", json={"owner": "token:developer"})
    assert given.json["owner"] == "token:developer"
    assert (await server.request("POST", "/api/providers/capabilities", json=manifest)).status == 200
    code, text = await refused(stub.RegisterCapabilities(capabilities(packed(manifest))))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "belongs to token:developer" in text
    with_token = stub.RegisterCapabilities(capabilities(packed(manifest)), metadata=server.credentials)
    await within(with_token)
    code, _ = await refused(
        stub.RegisterCapabilities(capabilities(packed(manifest)), metadata=(("authorization", "Bearer no"),))
    )
    assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_providers_are_known_after_a_restart(tmp_path: Path) -> None:
    schema = {"required": ["days"]}
    manifest = {"provider": {"id": "p"}, "functions": [{"id": "f", "request": {"json_schema": schema}}]}
    async with running(tmp_path) as server:
        assert (await server.request("POST", "/api/providers/capabilities", json=manifest)).status == 200
    async with running(tmp_path) as server, attached(server):
        assert (await server.invoke()).status == 400
        (provider,) = (await server.request("GET", "/api/providers/descriptors")).json["providers"]
        assert (provider["id"], provider["owner"], provider["manifest"]) == ("p", "token:developer", manifest)
        assert (await server.request("DELETE", "/api/providers/p")).status == 204
        assert (await server.invoke()).status == 200
    async with running(tmp_path) as server:
        assert (await server.request("GET", "/api/providers/descriptors")).json == {"providers": []}


# ------------------------------------------------------------------------------------------------ tunnels


@pytest.mark.parametrize(
    ("kind", "frame", "says"),
    [
        ("heartbeat", {}, "the first message must be hello"),
        ("result", {"result": {"request_id": "r"}}, "the first message must be hello"),
        ("hello", {"hello": {"agent_id": "", **HERE}}, "agent_id"),
        ("hello", {"hello": {"agent_id": "a" * 257, **HERE}}, "agent_id"),
        ("hello", {"hello": {"agent_id": "a", "game_id": "demo"}}, "env is missing"),
        ("hello", {"hello": {"agent_id": "a", "game_id": "../etc", "env": "dev"}}, "game_id must be"),
        ("hello", {"hello": {"agent_id": "a", "region": "r" * 257, **HERE}}, "region"),
        ("hello", {"hello": {"agent_id": "a", "labels": {f"l{n}": "" for n in range(65)}, **HERE}}, "labels"),
    ],
)
async def test_a_stream_that_does_not_begin_with_a_good_hello_ends(
    server: Server, kind: str, frame: dict[str, Any], says: str
) -> None:
    async with raw_agent(server.grpc) as agent:
        await agent.say(kind, **frame)
        code, text = await agent.refusal()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert text.startswith("bad hello")
    assert says in text
    assert not (await server.registry())["agents"]


@pytest.mark.parametrize("first", [b"\xff\xff\xff rubbish", b"{not json", b'{"hello": 7}', b""])
async def test_bytes_that_are_no_message_are_a_bad_hello(channel: grpc.aio.Channel, first: bytes) -> None:
    stream = channel.stream_stream(
        "/croupier.tunnel.v1.TunnelService/Open", request_serializer=None, response_deserializer=None
    )()
    await stream.write(first)
    assert await within(stream.code()) is grpc.StatusCode.INVALID_ARGUMENT
    assert (await stream.details()).startswith("bad hello")


async def test_a_stream_that_ends_before_its_hello_is_a_bad_hello(channel: grpc.aio.Channel) -> None:
    stream = stub_of(tunnel_pb2_grpc.TunnelServiceStub, channel).Open()
    await stream.done_writing()
    assert await within(stream.code()) is grpc.StatusCode.INVALID_ARGUMENT
    assert (await stream.details()).startswith("bad hello")


@pytest.mark.parametrize(
    "services",
    [
        [{"service_id": ""}],
        [{"service_id": "s" * 257}],
        [{"service_id": "s", "version": "v" * 257}],
        [{"service_id": "s", "functions": [{"id": ""}]}],
        [{"service_id": "s", "functions": [{"id": "f" * 257}]}],
        [{"service_id": "s", "functions": [{"id": f"f{n}"} for n in range(10_001)]}],
        [{"service_id": f"s{n}"} for n in range(1_001)],
    ],
)
async def test_a_registration_beyond_the_bounds_ends_the_stream(server: Server, services: list[Any]) -> None:
    async with raw_agent(server.grpc) as agent:
        await agent.hello("agent-1", capabilities=["session"], incarnation="one")
        await agent.hear_frame("welcome")
        await agent.say("register", seq=1, register={"services": services})
        code, text = await agent.refusal()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert text.startswith("bad frame")
    assert not (await server.registry())["functions"]


async def test_an_agent_cannot_take_the_id_of_one_that_is_alive(server: Server) -> None:
    async with attached(server) as agent:
        async with raw_agent(server.grpc) as intruder:
            await intruder.hello("agent-1", capabilities=["session"], incarnation="two")
            code, text = await intruder.refusal()
        assert (await server.invoke()).status == 200
    assert code is grpc.StatusCode.ALREADY_EXISTS
    assert "agent id agent-1 is in use" in text
    assert len(agent.executed) == 1


async def test_of_two_agents_with_one_id_the_newer_serves_once_the_older_is_silent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Acceptor, "lively", lambda _, __: False)
    async with attached(server) as older, attached(server, incarnation="two") as newer:
        await older.lost()
        await older.cut()
        assert (await server.agent("agent-1"))["healthy"]
        assert (await server.invoke()).status == 200
    assert (len(older.executed), len(newer.executed)) == (0, 1)


async def test_an_agent_cannot_take_the_id_of_one_that_serves_another_scope(server: Server) -> None:
    async with attached(server) as agent:
        async with raw_agent(server.grpc) as intruder:
            await intruder.hello("agent-1", scope=OTHER)
            code, text = await intruder.refusal()
        stub = control_pb2_grpc.ControlServiceStub
        async with grpc.aio.insecure_channel(server.grpc) as channel:
            by_register = await refused(stub_of(stub, channel).Register(registration("agent-1", **THERE)))
        assert (await server.invoke()).status == 200
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "demo|dev" in text
    assert by_register[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert len(agent.executed) == 1


async def test_a_plain_agents_tunnel_outlives_its_registration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_table, "TTL", 0.05)
    monkeypatch.setattr("croupier.server.reports.EXPIRY_INTERVAL", 0.01)
    async with (
        running(tmp_path) as server,
        grpc.aio.insecure_channel(server.grpc) as channel,
        raw_agent(server.grpc) as agent,
    ):
        stub = stub_of(control_pb2_grpc.ControlServiceStub, channel)
        await stub.Register(registration("plain-1"))
        await agent.hello("plain-1")
        await eventually(lambda: _is_healthy(server, "plain-1"))
        await stub.Heartbeat(control_pb2.HeartbeatRequest(agent_id="plain-1"))
        await eventually(lambda: _offers_nothing(server))
        assert (await server.agent("plain-1"))["healthy"]
        await stub.Register(registration("plain-1"))
        calling = asyncio.ensure_future(server.invoke())
        call = await agent.hear_frame("invoke")
        await agent.say("result", result={"request_id": call.request_id, "payload": b"{}"})
        assert (await within(calling)).status == 200


async def _offers_nothing(server: Server) -> bool:
    return not (await server.registry())["functions"]


# ------------------------------------------------------------------------------------------------ what operators see


async def test_the_registry_has_the_contracts_shape(server: Server) -> None:
    services = (
        service("f", "g", service_id="game-1", version="9", addr="127.0.0.1:7"),
        service("f", service_id="game-2", healthy=False),
        service("h", service_id="game-3", healthy=False),
    )
    async with attached(server, services=services):
        shown = await server.registry()
        instances = await server.instances()
        of_f = await server.request("GET", "/api/function_instances", params={"function_id": "f", **HERE})
        elsewhere = await server.request("GET", "/api/function_instances", params=THERE)
    (agent,) = shown["agents"]
    assert agent == {
        "agent_id": "agent-1",
        "game_id": "demo",
        "env": "dev",
        "rpc_addr": "",
        "ip": "127.0.0.1",
        "edge": "",
        "type": "agent",
        "version": "1.2",
        "functions": 3,
        "healthy": True,
        "expires_in_sec": 90,
        "region": "eu",
        "zone": "",
        "labels": {"rack": "7"},
    }
    assert shown["functions"] == [
        {"game_id": "demo", "env": "dev", "id": name, "agents": 1} for name in ("f", "g", "h")
    ]
    assert shown["assignments"] == {}
    assert shown["coverage"] == [
        {
            "game_env": "demo|dev",
            "functions": {
                "f": {"healthy": 1, "total": 2},
                "g": {"healthy": 1, "total": 1},
                "h": {"healthy": 0, "total": 1},
            },
            "uncovered": ["h"],
            "uncovered_count": 1,
            "partial": ["f"],
        }
    ]
    assert [one["service_id"] for one in instances] == ["game-1", "game-1", "game-2", "game-3"]
    assert of_f.json["instances"][0] == {
        "agent_id": "agent-1",
        "game_id": "demo",
        "env": "dev",
        "service_id": "game-1",
        "version": "9",
        "addr": "127.0.0.1:7",
        "function_version": "",
        "healthy": True,
        "outstanding": 0,
    }
    assert elsewhere.json == {"instances": []}


async def test_a_function_whose_agent_is_away_is_shown_as_uncovered(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.05) as server:
        agent = ScriptedAgent(server.grpc, scope=SCOPE)
        await agent.connect()
        await eventually(lambda: _is_covered(server, ["f"], uncovered=[]))
        await agent.cut()
        await eventually(lambda: _is_covered(server, ["f"], uncovered=["f"]))


async def _is_covered(server: Server, functions: list[str], *, uncovered: list[str]) -> bool:
    coverage = (await server.registry())["coverage"]
    return bool(coverage) and (list(coverage[0]["functions"]), coverage[0]["uncovered"]) == (functions, uncovered)
