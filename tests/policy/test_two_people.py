"""Every way to start a function, tried on one that somebody else has to approve: none passes round it.

A way that is not listed here fails the test: an address, a gRPC method, or a part of the server that runs calls.
"""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import orjson
import pytest
from google.protobuf import descriptor_pool
from tests.planes.http_testbed import Testbed
from tests.planes.scripted_agent import ScriptedAgent, Server, attached, eventually, known, running, service

import croupier.server
from croupier.rpc.service import APPROVAL_ID, REASON
from croupier_wire.function.v1 import function_pb2

SERVER = Path(croupier.server.__file__).parent
SCOPED = {"X-Game-ID": "demo", "X-Env": "dev"}
TWO = {"auth": {"two_person_rule": True}}
CALL = {"function_id": "thing.ban", "payload": {"thing_id": "t1"}}

WAYS: Mapping[tuple[str, str], dict[str, Any]] = {
    ("POST", "/api/invoke"): CALL,
    ("POST", "/invoke"): CALL,
    ("POST", "/api/start_job"): CALL,
    ("POST", "/start-job"): CALL,
    ("POST", "/games/{game_id}/functions/{function_id}"): {"thing_id": "t1"},
    ("POST", "/api/calls/{call_id}/replay"): {},
    ("GET", "/api/entities/{entity}/items"): {},
    ("POST", "/api/entities/{entity}/items"): {"name": "n"},
    ("GET", "/api/entities/{entity}/items/{entity_id}"): {},
    ("PUT", "/api/entities/{entity}/items/{entity_id}"): {},
    ("PATCH", "/api/entities/{entity}/items/{entity_id}"): {},
    ("DELETE", "/api/entities/{entity}/items/{entity_id}"): {},
    ("POST", "/api/entities/{entity}/items/{entity_id}/{verb}"): {},
}
"""Method, address and body of everything in front of the framework that runs a function."""
RUNS_NOTHING = {("POST", "/api/route_preview")}
BULK_WAYS = {("POST", "/api/bulk/{bulk_id}/start")}
"""Others steer a run that was started so."""
GRPC_WAYS = {
    f"/{service}/{method}"
    for service in ("croupier.function.v1.FunctionService", "croupier.sdk.v1.FunctionService")
    for method in ("Invoke", "StartJob")
}
RUNNERS = {"http/entry.py", "control/functions.py", "bulk_run.py", "approvals/executor.py"}
"""The parts of the server that hand calls to the spine."""


def operation(verb: str) -> dict[str, Any]:
    return {"id": f"thing.{verb}", "entity": "thing", "operation": verb, **TWO}


THINGS = [operation(verb) for verb in ("list", "create", "read", "update", "patch", "delete", "ban")]
THING = {
    "id": "thing.entity",
    "schema": {"type": "object", "properties": {"thing_id": {"type": "string"}}},
    "operations": [{"op": "ban", "function": "thing.ban", "target": {"field": "thing_id"}}],
}


def things(rule: Mapping[str, Any] = TWO) -> Any:
    functions = [{**each, **rule} for each in THINGS]
    whole = {"provider": {"id": "demo"}, "functions": functions, "entities": [THING]}
    return service(*(each["id"] for each in functions), manifest_json=orjson.dumps(whole))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    async with attached(server, services=(things(),)) as agent:
        yield agent


async def recorded(server: Server, agent: ScriptedAgent) -> str:
    """A call of the function from the time before it needed an approval."""
    agent.services = (things({"auth": {"two_person_rule": False}}),)
    agent.register()
    await known(server, agent)

    async def ran() -> str:
        reply = await server.invoke("thing.ban", {"thing_id": "t1"})
        return reply.headers["X-Call-Id"] if reply.status == 200 else ""

    call_id = await eventually(ran)
    agent.services = (things(),)
    agent.register()

    async def waits() -> bool:
        return (await server.invoke("thing.ban", {"thing_id": "t1"})).status == 202

    await eventually(waits)
    agent.executed.clear()
    return call_id


def address(path: str, call_id: str) -> str:
    names = {
        "game_id": "demo",
        "function_id": "thing.ban",
        "call_id": call_id,
        "entity": "thing",
        "entity_id": "t1",
        "verb": "ban",
    }
    return re.sub(r"\{([a-z_]+)\}", lambda found: names[found[1]], path)


def test_every_address_that_runs_functions_is_listed() -> None:
    assert Testbed().app.description._entry.routes() == set(WAYS) | RUNS_NOTHING


def test_every_grpc_method_that_runs_functions_is_listed() -> None:
    found = set()
    for name in ("croupier.function.v1.FunctionService", "croupier.sdk.v1.FunctionService"):
        for method in descriptor_pool.Default().FindServiceByName(name).methods:
            if method.input_type.name == "InvokeRequest":
                found.add(f"/{name}/{method.name}")
    assert found == GRPC_WAYS


def test_every_part_of_the_server_that_runs_calls_is_listed() -> None:
    spine = re.compile(r"\b_?(?:calls\.invoke|jobs\.start)\(")
    found = {str(path.relative_to(SERVER)) for path in SERVER.rglob("*.py") if spine.search(path.read_text())}
    assert found == RUNNERS


def test_only_the_executor_and_bulk_runs_make_grants() -> None:
    made = re.compile(r"(?<!\w)Grant\((?:approval|\))")
    found = {str(path.relative_to(SERVER)) for path in SERVER.rglob("*.py") if made.search(path.read_text())}
    assert found == {"approvals/executor.py", "bulk.py"}


@pytest.mark.parametrize(("method", "path"), WAYS)
async def test_no_address_passes_round_an_approval(
    server: Server, agent: ScriptedAgent, method: str, path: str
) -> None:
    call_id = await recorded(server, agent) if "{call_id}" in path else ""
    body = orjson.dumps(WAYS[method, path]) if method != "GET" else None
    headers = {**SCOPED, "Content-Type": "application/json"}
    reply = await server.request(method, address(path, call_id), data=body, headers=headers)
    assert reply.status == 202, reply.body
    assert reply.headers["Location"] == f"/api/approvals/{reply.json['approval_id']}"
    assert (await server.request("GET", f"/api/calls/{reply.json['call_id']}")).json["state"] == "waiting"
    assert not agent.executed


@pytest.mark.parametrize("metadata", [{"break_glass": "yes"}, {"dry_run": "true"}, {"approval_id": "a1"}])
async def test_no_metadata_passes_round_an_approval(
    server: Server, agent: ScriptedAgent, metadata: dict[str, str]
) -> None:
    reply = await server.invoke("thing.ban", {"thing_id": "t1"}, metadata=metadata)
    assert reply.status == 202, reply.body
    assert not agent.executed


async def test_a_repeated_break_glass_asks(server: Server, agent: ScriptedAgent) -> None:
    first = await server.invoke("thing.ban", {"thing_id": "t1"}, break_glass=True, reason="fire")
    assert first.status == 200
    again = await server.request("POST", f"/api/calls/{first.headers['X-Call-Id']}/replay", headers=SCOPED)
    assert again.status == 202
    assert len(agent.executed) == 1


async def test_no_bulk_run_passes_round_an_approval(server: Server, agent: ScriptedAgent) -> None:
    headers = {**SCOPED, "Content-Type": "application/x-ndjson"}
    uploaded = await server.request(
        "POST", "/api/bulk?function_id=thing.ban", data=b'{"thing_id": "t1"}', headers=headers
    )
    for _, path in BULK_WAYS:
        reply = await server.request("POST", path.format(bulk_id=uploaded.json["bulk_id"]), headers=SCOPED)
        assert reply.status == 202, reply.body
    for verb in ("confirm", "resume"):
        steered = await server.request("POST", f"/api/bulk/{uploaded.json['bulk_id']}/{verb}", headers=SCOPED)
        assert steered.status == 409
    assert not agent.executed


@pytest.mark.parametrize("path", sorted(GRPC_WAYS))
async def test_no_grpc_method_passes_round_an_approval(server: Server, agent: ScriptedAgent, path: str) -> None:
    request = function_pb2.InvokeRequest(
        function_id="thing.ban", payload=b'{"thing_id": "t1"}', metadata={"game_id": "demo", "env": "dev"}
    )
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary(path)(request.SerializeToString(), metadata=server.credentials)
    told = dict(refused.value.trailing_metadata())
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert (told[REASON], bool(told[APPROVAL_ID])) == ("awaiting_approval", True)
    assert not agent.executed


async def test_who_asked_for_it_approves_nothing_over_http(server: Server, agent: ScriptedAgent) -> None:
    waits = await server.invoke("thing.ban", {"thing_id": "t1"})
    reply = await server.request("POST", waits.headers["Location"] + "/approve")
    assert (reply.status, reply.json["reason"]) == (403, "permission_denied")
    assert not agent.executed


async def test_somebody_else_approves_over_http_and_the_call_has_its_result(
    server: Server, agent: ScriptedAgent
) -> None:
    waits = await server.invoke("thing.ban", {"thing_id": "t1"}, reason="rude ✗")
    made = await server.request("POST", "/api/users", json={"name": "bob"})
    assert made.status < 300, made.body
    user_id = made.json["user"]["user_id"]
    role = {"permissions": ["approvals:*"], "description": "approves"}
    assert (await server.request("PUT", "/api/roles/lead", json=role)).status < 300
    binding = {"subject": f"user:{user_id}", "role": "lead", "game_id": "demo"}
    assert (await server.request("POST", "/api/bindings", json=binding)).status < 300
    token = await server.request("POST", "/api/tokens", json={"name": "t", "expires_in": "1h", "user_id": user_id})
    assert token.status < 300, token.body
    headers = {"Authorization": f"Bearer {token.json['token']}"}
    async with aiohttp.ClientSession(f"http://{server.info.http}", headers=headers) as bob:
        async with bob.get(waits.headers["Location"]) as shown:
            seen = await shown.json()
            assert (seen["may_decide"], seen["reason"]) == (True, "rude ✗")
        async with bob.post(waits.headers["Location"] + "/approve", json={"digest": seen["digest"]}) as answer:
            assert answer.status == 200, await answer.text()

    async def ended() -> Any:
        call = (await server.request("GET", f"/api/calls/{waits.json['call_id']}")).json
        return call if call["state"] == "succeeded" else None

    call = await eventually(ended)
    assert call["result"] == {"payload": {"thing_id": "t1"}}
    assert [frame.metadata["reason"] for frame in agent.executed] == ["rude ✗"]
