"""Entities through the real server: their addresses become calls of functions, and calls become their timelines."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.planes.scripted_agent import (
    OTHER,
    SCOPE,
    Reply,
    ScriptedAgent,
    Server,
    attached,
    eventually,
    known,
    running,
    service,
)

TEXT = {"type": "string"}
SCOPED = {"X-Game-ID": SCOPE.game_id, "X-Env": SCOPE.env}


def function(function_id: str, *required: str, properties: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    known = properties or dict.fromkeys(required, TEXT)
    schema = {"type": "object", "properties": known, "required": list(required), "additionalProperties": False}
    return {"id": function_id, "request": {"json_schema": schema}, **said}


PLAYERS = [
    function(
        "player.list",
        properties={"page": {"type": "integer"}, "version": TEXT, "tag": {"type": "array", "items": TEXT}},
        entity="player",
        operation="list",
        semantics={"mode": "query"},
    ),
    function("player.get", "player_id", entity="player", operation="read", semantics={"mode": "query"}),
    function("player.create", "name", entity="player", operation="create"),
    function("player.rename", "player_id", "name", entity="player", operation="update"),
    function("player.ban", "player_id", properties={"player_id": TEXT, "days": {"type": "integer"}}),
    function("player.export", entity="player", operation="export", semantics={"returns": "job"}),
    function("player.mail", "player_id", entity="player", operation="mail", semantics={"returns": "job"}),
    function(
        "item.move",
        "source",
        "target",
        ui={"fields": {"source": {"entity": "player"}, "target": {"entity": "player"}}},
    ),
    function("clan.get", "clan_id", properties={"clan_id": {"type": "integer"}}, entity="clan", operation="read"),
    function("server.restart"),
]
PLAYER = {
    "id": "player.entity",
    "title": {"en": "Player", "zh": "玩家"},
    "schema": {"type": "object", "properties": {"player_id": TEXT}},
    "operations": [{"op": "ban", "function": "player.ban", "target": {"field": "player_id"}, "danger": True}],
    "relationships": {"clan": {"type": "belongs_to", "entity": "clan", "foreign_key": "clan_id"}},
    "ui": {"columns": ["player_id"]},
}


def offered(functions: list[dict[str, Any]], *entities: dict[str, Any], service_id: str = "game-1") -> Any:
    whole = {"provider": {"id": "demo"}, "functions": functions, "entities": list(entities)}
    ids = [each["id"] for each in functions]
    return service(*ids, service_id=service_id, manifest_json=orjson.dumps(whole))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    async with attached(server, services=(offered(PLAYERS, PLAYER),)) as agent:
        yield agent


async def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    data = None if body is None else orjson.dumps(body)
    return await server.request(method, f"/api/entities{path}", data=data, headers={**SCOPED, **headers})


async def timeline(server: Server, path: str, query: str = "") -> list[str]:
    reply = await ask(server, "GET", f"{path}/timeline{query}")
    assert reply.status == 200, reply.body
    return [entry["function_id"] for entry in reply.json["entries"]]


# what there is


async def test_an_entity_is_put_together_from_its_description_and_its_functions(server: Server, agent: Any) -> None:
    player = (await ask(server, "GET", "/player")).json

    assert (player["type"], player["id"], player["kind"]) == ("player", "player.entity", "entity")
    assert player["title"] == {"en": "Player", "zh": "玩家"}
    assert player["schema"]["properties"] == {"player_id": TEXT}
    assert player["relationships"]["clan"]["entity"] == "clan"
    assert player["ui"] == {"columns": ["player_id"]}
    assert set(player["operations"]) == {"ban", "list", "read", "create", "update", "export", "mail"}
    (ban,) = player["operations"]["ban"]
    assert (ban["function_id"], ban["key"], ban["danger"]) == ("player.ban", "$.player_id", True)
    assert (ban["healthy"], ban["total"]) == (1, 1)
    assert player["operations"]["list"][0]["key"] == ""
    assert player["operations"]["mail"][0]["returns"] == "job"
    assert {each["key"] for each in player["related"]} == {"$.source", "$.target"}
    assert player["conflicts"] == []
    assert player["origins"][0]["kind"] == "game_server"


async def test_every_type_is_listed_also_one_that_only_functions_name(server: Server, agent: Any) -> None:
    for headers in (SCOPED, {}):
        listed = (await server.request("GET", "/api/entities", headers=headers)).json["entities"]
        assert [each["type"] for each in listed] == ["clan", "player"]
    elsewhere = {"X-Game-ID": OTHER.game_id, "X-Env": OTHER.env}
    assert (await server.request("GET", "/api/entities", headers=elsewhere)).json["entities"] == []


async def test_an_unknown_type_is_404_naming_those_there_are(server: Server, agent: Any) -> None:
    for path in ("/guild", "/guild/items", "/guild/items/g1"):
        reply = await ask(server, "GET", path)
        assert (reply.status, reply.json["reason"]) == (404, "not_found")
        assert "there are: clan, player" in reply.json["detail"]


async def test_of_two_who_describe_an_entity_the_provider_counts_and_the_conflict_is_shown(
    server: Server, agent: Any
) -> None:
    said = {**PLAYER, "title": {"en": "Gamer"}, "color": "red", "operations": {"kick": "player.kick"}}
    manifest = {"provider": {"id": "crm", "version": "2"}, "functions": [], "entities": [said]}
    reply = await server.request("POST", "/api/providers/capabilities", data=orjson.dumps(manifest))
    assert reply.status == 200, reply.body

    player = (await ask(server, "GET", "/player")).json

    assert (player["title"], player["color"]) == ({"en": "Gamer"}, "red")
    (conflict,) = player["conflicts"]
    assert conflict["field"] == "title"
    assert (conflict["kept"]["kind"], conflict["left_out"]["kind"]) == ("provider", "game_server")
    assert {"kick", "ban", "read"} <= player["operations"].keys()
    (kick,) = player["operations"]["kick"]
    assert (kick["healthy"], kick["total"], kick["key"]) == (0, 0, "$.player_id")


async def test_an_entity_leaves_with_the_game_server_that_brought_it(server: Server) -> None:
    async with attached(server, services=(offered(PLAYERS, PLAYER),)) as agent:
        assert (await ask(server, "GET", "/player")).status == 200
        agent.services = (service("f"),)
        agent.register()
        await known(server, agent)
        assert (await ask(server, "GET", "/player")).status == 404


# what is done to one


@pytest.mark.parametrize(
    ("method", "path", "body", "function_id", "arguments"),
    [
        ("GET", "/player/items", None, "player.list", {}),
        ("GET", "/player/items?page=2&tag=a&tag=b", None, "player.list", {"page": 2, "tag": ["a", "b"]}),
        ("GET", "/player/items?arg.version=7&timeout=5s", None, "player.list", {"version": "7"}),
        ("POST", "/player/items", {"name": "Ann"}, "player.create", {"name": "Ann"}),
        ("GET", "/player/items/p1", None, "player.get", {"player_id": "p1"}),
        ("GET", "/player.entity/items/p1", None, "player.get", {"player_id": "p1"}),
        ("GET", "/player/items/a%2Fb%20%E7%8E%A9", None, "player.get", {"player_id": "a/b 玩"}),
        ("GET", "/clan/items/7", None, "clan.get", {"clan_id": 7}),
        ("PUT", "/player/items/p1", {"name": "Bob"}, "player.rename", {"name": "Bob", "player_id": "p1"}),
        ("PATCH", "/player/items/p1", {"name": "Bob"}, "player.rename", {"name": "Bob", "player_id": "p1"}),
        ("POST", "/player/items/p1/ban", None, "player.ban", {"player_id": "p1"}),
        ("POST", "/player/items/p1/ban", {"days": 3}, "player.ban", {"days": 3, "player_id": "p1"}),
        ("POST", "/player/items/p1/ban", {"days": 3, "player_id": "p1"}, "player.ban", {"days": 3, "player_id": "p1"}),
    ],
)
async def test_an_address_is_a_call_of_its_function(
    server: Server,
    agent: ScriptedAgent,
    method: str,
    path: str,
    body: Any,
    function_id: str,
    arguments: dict[str, Any],
) -> None:
    reply = await ask(server, method, path, body)

    assert (reply.status, reply.json) == (200, arguments)
    assert (reply.headers["X-Service-ID"], reply.headers["X-Call-ID"][0]) == ("game-1", "c")
    (frame,) = agent.executed
    assert (frame.function_id, orjson.loads(frame.payload)) == (function_id, arguments)


async def test_an_operation_that_is_a_job_is_accepted_with_its_address(server: Server, agent: ScriptedAgent) -> None:
    reply = await ask(server, "POST", "/player/items/p1/mail")

    job_id = reply.json["job_id"]
    assert (reply.status, reply.headers["Location"]) == (202, f"/jobs/{job_id}")
    agent.tell(job_id, 1, "done", payload=b"{}")
    assert (await server.ended(job_id))["state"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("DELETE", "/player/items/p1", None, 405, "player has no operation delete; there are: ban (player.ban)"),
        ("POST", "/clan/items", {}, 405, "clan has no operation create; there are: read (clan.get)"),
        ("POST", "/player/items/p1", {}, 405, "use GET, PUT, PATCH, DELETE"),
        ("GET", "/player/items/p1/ban", None, 405, "use POST"),
        ("POST", "/player/items/p1/timeline", {}, 405, "POST is not possible"),
        ("POST", "/player/items/p1/fly", {}, 404, "player has no operation fly; there are: ban"),
        ("POST", "/player/items/p1/export", {}, 400, "player.export is about no one player"),
        ("POST", "/player/items/p1/ban", {"player_id": "p2"}, 400, "two different ids"),
        ("POST", "/player/items/p1/ban", {"days": "x"}, 400, "does not fit player.ban"),
        ("POST", "/player/items/p1/ban", [1], 400, "send a JSON object"),
        ("POST", "/player/items/p1/ban?days=3", None, 400, "arguments go into the body"),
        ("POST", "/player/items/p1/ban?function_id=x", None, 404, "no operation ban by x"),
        ("GET", "/player/items?page=two", None, 400, "does not fit player.list"),
        ("GET", "/player/items/%FF", None, 400, "not UTF-8"),
        ("GET", "/player/items/" + "x" * 257, None, 400, "1 to 256 bytes"),
        ("GET", "/player/items/a%0Ab", None, 400, "printable"),
        ("GET", "/player/things", None, 404, "there is nothing at"),
        ("GET", "/player/items/p1/a/b", None, 404, "there is nothing at"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_what_can(
    server: Server, agent: ScriptedAgent, method: str, path: str, body: Any, status: int, words: str
) -> None:
    reply = await ask(server, method, path, body)

    assert (reply.status, words in reply.json["detail"]) == (status, True), reply.json
    assert not agent.executed


async def test_a_method_that_is_not_possible_names_those_that_are(server: Server, agent: Any) -> None:
    assert (await ask(server, "DELETE", "/player/items/p1")).headers["Allow"] == "GET, PUT, PATCH"
    assert (await ask(server, "POST", "/clan/items", {})).headers["Allow"] == ""


async def test_an_item_needs_a_scope(server: Server, agent: Any) -> None:
    for path in ("/player/items/p1", "/player/items/p1/timeline"):
        reply = await server.request("GET", f"/api/entities{path}")
        assert (reply.status, "game_id is missing" in reply.json["detail"]) == (400, True)


async def test_a_repeated_key_returns_the_first_answer(server: Server, agent: ScriptedAgent) -> None:
    for _ in range(2):
        reply = await ask(server, "POST", "/player/items/p1/ban", **{"Idempotency-Key": "k"})
        assert reply.status == 200
    assert reply.headers["X-Replayed"] == "true"
    assert len(agent.executed) == 1


async def test_of_several_functions_the_first_that_is_served_is_called(server: Server) -> None:
    players = [function("slow.get", "player_id"), function("fast.get", "player_id")]
    entity = {"id": "player", "operations": {"read": ["absent.get", "slow.get", "fast.get"]}}
    async with attached(server, services=(offered(players, entity),)) as agent:
        await ask(server, "GET", "/player/items/p1")
        await ask(server, "GET", "/player/items/p1?function_id=fast.get")
    assert [frame.function_id for frame in agent.executed] == ["slow.get", "fast.get"]


async def test_an_operation_that_is_not_assigned_is_refused_by_the_spine(server: Server, agent: ScriptedAgent) -> None:
    assigned = orjson.dumps({"demo|dev": ["player.get"]})
    assert (await server.request("PUT", "/api/assignments", data=assigned)).status == 200

    assert (await ask(server, "GET", "/player/items/p1")).status == 200
    assert (await ask(server, "POST", "/player/items/p1/ban")).status == 403
    assert len(agent.executed) == 1


# what was done to one


async def test_calls_and_jobs_are_in_the_timeline_of_whom_they_are_about(server: Server, agent: ScriptedAgent) -> None:
    await server.invoke("player.ban", {"player_id": "p1", "days": 3})
    await ask(server, "POST", "/player/items/p1/ban")
    await server.invoke("item.move", {"source": "p1", "target": "p2"})
    await server.invoke("player.get", {"player_id": "p1"})
    job_id = await server.started("player.mail", payload={"player_id": "p1"})
    agent.tell(job_id, 1, "progress", progress=40)
    agent.tell(job_id, 2, "done")
    await server.ended(job_id)
    await server.invoke("server.restart")
    await server.invoke("player.list", {})

    reply = await ask(server, "GET", "/player/items/p1/timeline")

    entries = reply.json["entries"]
    assert [each["function_id"] for each in entries] == [
        "player.mail",
        "player.get",
        "item.move",
        "player.ban",
        "player.ban",
    ]
    assert (entries[0]["kind"], entries[0]["state"], entries[0]["progress"]) == ("job", "succeeded", 100)
    assert entries[0]["permalink"] == f"/jobs/{job_id}"
    assert (entries[1]["kind"], entries[1]["state"], entries[1]["caller"]) == ("invoke", "succeeded", "developer")
    assert (await server.request("GET", entries[1]["permalink"])).json["call_id"] == entries[1]["call_id"]
    assert await timeline(server, "/player/items/p2") == ["item.move"]
    assert await timeline(server, "/player/items/p1", "?queries=false&limit=2") == ["player.mail", "item.move"]


async def test_a_timeline_is_read_page_by_page(server: Server, agent: Any) -> None:
    for _ in range(5):
        await server.invoke("player.ban", {"player_id": "p1"})
    seen: list[str] = []
    query = "?limit=2"
    while True:
        page = (await ask(server, "GET", f"/player/items/p1/timeline{query}")).json
        seen += [entry["call_id"] for entry in page["entries"]]
        if not page["next"]:
            break
        query = f"?limit=2&before={page['next']}"
    assert (len(seen), len(set(seen)), seen) == (5, 5, sorted(seen, reverse=True))


async def test_a_call_that_failed_or_found_nobody_is_in_the_timeline_too(server: Server, agent: ScriptedAgent) -> None:
    manifest = {"provider": {"id": "crm"}, "functions": [function("player.kick", "player_id", entity="player")]}
    await server.request("POST", "/api/providers/capabilities", data=orjson.dumps(manifest))

    assert (await server.invoke("player.kick", {"player_id": "p1"})).status == 404

    async def ended() -> Any:
        (entry,) = (await ask(server, "GET", "/player/items/p1/timeline")).json["entries"]
        return entry if entry["state"] != "running" else None

    entry = await eventually(ended)  # nobody waits for the end of a call without a key to be on disk
    assert (entry["state"], entry["reason"]) == ("failed", "not_found")


async def test_a_refused_payload_is_in_no_timeline(server: Server, agent: Any) -> None:
    assert (await server.invoke("player.ban", {"player_id": "p1", "days": "x"})).status == 400

    assert await timeline(server, "/player/items/p1") == []


async def test_scopes_are_walls_between_timelines(server: Server, agent: Any) -> None:
    await server.invoke("player.ban", {"player_id": "p1"})

    headers = {"X-Game-ID": OTHER.game_id, "X-Env": OTHER.env}
    reply = await server.request("GET", "/api/entities/player/items/p1/timeline", headers=headers)
    assert reply.json == {"entries": [], "next": ""}


async def test_an_id_may_have_slashes_in_it(server: Server, agent: Any) -> None:
    await server.invoke("player.ban", {"player_id": "a/b"})

    assert await timeline(server, "/player/items/a%2Fb") == ["player.ban"]


async def test_a_timeline_outlives_a_restart_and_its_description(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server, services=(offered(PLAYERS, PLAYER),)):
        await server.invoke("player.ban", {"player_id": "p1"})
    async with running(tmp_path) as server:
        assert await timeline(server, "/player/items/p1") == ["player.ban"]


async def test_rows_of_a_bulk_run_are_in_the_timelines_of_their_players(server: Server, agent: Any) -> None:
    rows = b'{"player_id": "p1"}\n{"player_id": "p2"}\n'
    uploaded = await server.request(
        "POST",
        "/api/bulk?function_id=player.ban&format=jsonl",
        data=rows,
        headers={**SCOPED, "Content-Type": "application/x-ndjson"},
    )
    assert uploaded.status in {200, 201}, uploaded.body
    bulk_id = uploaded.json["bulk_id"]
    started = await server.request("POST", f"/api/bulk/{bulk_id}/start", data=b"{}")
    assert started.status == 200, started.body
    async with server.http.get(f"/api/bulk/{bulk_id}/stream") as response:
        await response.read()

    for player in ("p1", "p2"):
        assert await timeline(server, f"/player/items/{player}") == ["player.ban"]
