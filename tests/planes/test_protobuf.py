"""A pack with message types in the real server, and an agent whose game server speaks protobuf: every way in and out."""

import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from tests.planes.packs_testbed import pack_files
from tests.planes.scripted_agent import ScriptedAgent, Server, attached, running, service, stub_of
from tests.planes.test_bulk import reaches, start
from tests.protoc import compiled

from croupier.packs.tar import write_archive
from croupier.settings import PacksSettings
from croupier.tunnel.frames import CallResult, Invoke
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc

UNSIGNED = PacksSettings(allow_unsigned=True)
BAN = 'syntax = "proto3"; package game; message Ban { string player_id = 1; int32 days = 2; }'
NEWER = 'syntax = "proto3"; package game; message Ban { string player_id = 1; int32 days = 2; bool silent = 9; }'


def archive(types: bytes, version: str = "1.0.0", **transport: str) -> bytes:
    proto = {"request_fqn": "game.Ban", "response_fqn": "game.Ban", "encoding": "pb-json"} | transport
    files = pack_files("game", ("f",), version=version)
    files["descriptors/f.json"] = json.dumps({"id": "f", "transport": {"proto": proto}}).encode()
    return write_archive({**files, "types.pb": types})


async def install(server: Server, content: bytes, status: int = 200) -> Any:
    reply = await server.request("POST", "/api/packs/import", data=io.BytesIO(content))
    assert reply.status == status, reply.body
    return reply.json


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path, packs=UNSIGNED) as server:
        await install(server, archive(compiled(ban=BAN)))
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    """It answers each call with what it was sent."""
    async with attached(server) as agent:
        yield agent


async def test_a_call_over_http_is_a_message_on_the_way(server: Server, agent: ScriptedAgent) -> None:
    reply = await server.invoke(payload={"player_id": "p", "days": 7}, idempotency_key="k")
    assert reply.json == {"player_id": "p", "days": 7}
    assert reply.headers["content-type"] == "application/json"
    assert agent.executed[0].payload == b"\x0a\x01p\x10\x07"
    recorded = (await server.request("GET", f"/api/calls/{reply.headers['X-Call-ID']}")).json
    assert recorded["payload"] == recorded["result"]["payload"] == {"player_id": "p", "days": 7}
    again = await server.request("POST", f"/api/calls/{reply.headers['X-Call-ID']}/replay")
    assert again.json == {"player_id": "p", "days": 7}


async def test_a_call_over_grpc_is_json_for_its_caller(server: Server, agent: ScriptedAgent) -> None:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
        asked = function_pb2.InvokeRequest(
            function_id="f", payload=b'{"days":3}', metadata={"game_id": "demo", "env": "dev"}
        )
        answered = await stub.Invoke(asked, metadata=server.credentials)
    assert json.loads(answered.payload) == {"player_id": "", "days": 3}
    assert agent.executed[0].payload == b"\x10\x03"


async def test_what_does_not_fit_is_named_and_not_sent(server: Server, agent: ScriptedAgent) -> None:
    reply = await server.invoke(payload={"days": "soon"})
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert "/days: must be a whole number" in reply.json["detail"]
    assert not agent.executed


async def test_the_result_of_a_job_is_json_also_after_a_restart_of_the_server(tmp_path: Path) -> None:
    async with running(tmp_path, packs=UNSIGNED) as server:
        await install(server, archive(compiled(ban=BAN)))
        async with attached(server) as agent:
            job_id = await server.started(payload={"days": 1})
            assert (await agent.request()).payload == b"\x10\x01"
            agent.tell(job_id, 1, "progress", progress=50)
            await agent.acknowledged(job_id, 1)
    async with running(tmp_path, packs=UNSIGNED) as server, attached(server) as agent:
        agent.tell(job_id, 2, "done", progress=100, payload=b"\x10\x05")
        job = await server.ended(job_id)
    assert (job["state"], job["payload"]) == ("succeeded", {"player_id": "", "days": 5})


async def test_rows_of_a_bulk_are_held_against_the_message_and_sent_as_one(
    server: Server, agent: ScriptedAgent
) -> None:
    headers = {"X-Game-ID": "demo", "X-Env": "dev", "Content-Type": "application/x-ndjson"}
    content = b'{"player_id":"a"}\n{"player_id":"b","days":"soon"}\n{"player_id":"c","days":2}\n'
    reply = await server.request(
        "POST", "/api/bulk", data=io.BytesIO(content), headers=headers, params={"function_id": "f"}
    )
    assert reply.status == 200, reply.body
    bulk_id = reply.json["bulk_id"]
    rows = (await server.request("GET", f"/api/bulk/{bulk_id}/rows")).json["rows"]
    assert [row["state"] for row in rows] == ["pending", "invalid", "pending"]
    assert rows[1]["errors"][0]["path"] == "/days"
    await start(server, bulk_id, skip_invalid=True)
    await reaches(server, bulk_id, "done")
    assert sorted(frame.payload for frame in agent.executed) == [b"\x0a\x01a", b"\x0a\x01c\x10\x02"]


async def test_a_pack_that_is_replaced_or_rolled_back_brings_its_own_types(
    server: Server, agent: ScriptedAgent
) -> None:
    await install(server, archive(compiled(ban=NEWER), version="1.1.0"))
    assert (await server.invoke(payload={"silent": True})).json == {"player_id": "", "days": 0, "silent": True}
    assert (await server.request("POST", "/api/packs/game/rollback")).status == 200
    assert (await server.invoke(payload={"silent": True})).status == 400
    assert (await server.invoke(payload={"days": 1})).json == {"player_id": "", "days": 1}


async def test_a_pack_whose_types_are_cut_short_is_refused(server: Server, agent: ScriptedAgent) -> None:
    told = await install(server, archive(compiled(ban=BAN)[:-4]), status=400)
    assert "types.pb" in json.dumps(told)
    assert (await server.invoke(payload={"days": 1})).json == {"player_id": "", "days": 1}


@pytest.mark.parametrize(
    ("content", "missing"),
    [(archive(compiled(ban=BAN), request_fqn="game.Kick"), "game.Kick"), (archive(b""), "game.Ban")],
    ids=["an unknown type", "an empty set"],
)
async def test_a_function_without_its_types_is_noted_when_it_is_installed_and_when_it_is_called(
    content: bytes, missing: str, server: Server, agent: ScriptedAgent
) -> None:
    assert missing in json.dumps((await install(server, content))["packs"][0]["notes"])
    reply = await server.invoke(payload={"days": 1})
    assert reply.json["reason"] == "failed_precondition"
    assert f"f cannot be called: no message {missing}" in reply.json["detail"]
    (fault,) = (await server.request("GET", "/api/catalog/faults")).json["faults"]
    assert (fault["file"], fault["path"]) == ("descriptors/f.json", "$.transport.proto")
    assert not agent.executed


async def test_a_broadcast_shows_json_of_each_and_a_stranger_as_failed(server: Server) -> None:
    def answer_json(agent: ScriptedAgent, frame: Invoke) -> None:
        agent.send(CallResult(request_id=frame.request_id, payload=b'{"days":4}', service_id="s2"))

    async with (
        attached(server, "agent-1", services=(service("f", service_id="s1"),)) as first,
        attached(server, "agent-2", services=(service("f", service_id="s2"),), script=answer_json),
    ):
        reply = await server.invoke(payload={"days": 4}, route="broadcast")
    one, other = sorted(reply.json["results"], key=lambda each: str(each["service_id"]))
    assert one["payload"] == {"player_id": "", "days": 4}
    assert (other["ok"], other["error"]["reason"]) == (False, "handler_failed")
    assert first.executed[0].payload == b"\x10\x04"


async def test_bytes_travel_as_base64(server: Server, agent: ScriptedAgent) -> None:
    source = 'syntax = "proto3"; package game; message Ban { bytes evidence = 1; }'
    await install(server, archive(compiled(ban=source), version="2.0.0"))
    text = base64.b64encode(bytes(range(256))).decode()
    assert (await server.invoke(payload={"evidence": text})).json == {"evidence": text}
