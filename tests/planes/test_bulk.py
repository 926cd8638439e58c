"""Bulk runs through the real server: uploaded, started and steered over HTTP, answered by a scripted agent."""

import asyncio
import csv
import hashlib
import io
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.planes.scripted_agent import (
    Reply,
    ScriptedAgent,
    Server,
    answer,
    attached,
    eventually,
    keep_silent,
    running,
    service,
    within,
)

from croupier.errors import FunctionRejected, OutcomeUnknown, RateLimited, Unavailable
from croupier.tunnel.frames import CallResult, Invoke

SCHEMA = {
    "type": "object",
    "properties": {
        "player_id": {"type": "string"},
        "coins": {"type": "integer", "minimum": 0},
        "dry": {"type": "boolean"},
        "item": {"type": "object", "properties": {"id": {"type": "string"}, "level": {"type": "integer"}}},
    },
    "required": ["player_id"],
    "additionalProperties": False,
}


def manifest(**semantics: Any) -> bytes:
    return orjson.dumps([{"id": "grant", "request": {"json_schema": SCHEMA}, "semantics": semantics}])


GRANT = service("grant", manifest_json=manifest(dry_run=True))
SCOPED = {"X-Game-ID": "demo", "X-Env": "dev"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    async with attached(server, services=(GRANT,)) as agent:
        yield agent


async def upload(server: Server, content: bytes, kind: str = "text/csv", **query: str) -> Reply:
    headers = {**SCOPED, "Content-Type": kind}
    return await server.request(
        "POST", "/api/bulk", data=io.BytesIO(content), headers=headers, params={"function_id": "grant", **query}
    )


async def uploaded(server: Server, content: bytes, kind: str = "text/csv") -> Any:
    reply = await upload(server, content, kind)
    assert reply.status == 200, reply.body
    return reply.json


async def of_rows(server: Server, count: int) -> str:
    """A bulk of so many good rows."""
    content = "player_id,coins\n" + "".join(f"p{number},{number}\n" for number in range(1, count + 1))
    return str((await uploaded(server, content.encode()))["bulk_id"])


async def act(server: Server, bulk_id: str, verb: str, status: int = 200, **body: Any) -> Any:
    data = io.BytesIO(orjson.dumps(body))
    reply = await server.request("POST", f"/api/bulk/{bulk_id}/{verb}", data=data)
    assert reply.status == status, reply.body
    return reply.json


async def start(server: Server, bulk_id: str, **plan: Any) -> Any:
    return await act(server, bulk_id, "start", **{"rate": 1000, **plan})


async def get(server: Server, bulk_id: str) -> Any:
    return (await server.request("GET", f"/api/bulk/{bulk_id}")).json


async def rows(server: Server, bulk_id: str, query: str = "") -> Any:
    return (await server.request("GET", f"/api/bulk/{bulk_id}/rows?{query}")).json["rows"]


async def reaches(server: Server, bulk_id: str, *states: str) -> Any:
    """The bulk, once it is in one of these states."""

    async def reached() -> Any:
        found = await get(server, bulk_id)
        return found if found["state"] in states else None

    return await eventually(reached)


async def runs_through(server: Server, bulk_id: str, **plan: Any) -> Any:
    await start(server, bulk_id, **plan)
    return await reaches(server, bulk_id, "done")


def payloads(agent: ScriptedAgent) -> list[Any]:
    return [orjson.loads(frame.payload) for frame in agent.executed]


def ended(found: Any) -> dict[str, int]:
    return {state: count for state, count in found["counts"].items() if count}


# ------------------------------------------------------------------------------------------------ the file


async def test_a_csv_becomes_arguments_by_the_functions_schema(server: Server, agent: ScriptedAgent) -> None:
    content = 'player_id,coins,item.id,item.level\n7,10,sword,3\n"a ""b"", c",,shield,\n"two\nlines",0,,\n'
    found = await uploaded(server, content.encode())
    assert (found["state"], found["rows"], found["valid"], found["invalid"]) == ("ready", 3, 3, 0)
    assert found["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert [(row["line"], row["arguments"]) for row in await rows(server, found["bulk_id"])] == [
        (2, {"player_id": "7", "coins": 10, "item": {"id": "sword", "level": 3}}),
        (3, {"player_id": 'a "b", c', "item": {"id": "shield"}}),
        (4, {"player_id": "two\nlines", "coins": 0}),
    ]
    assert not agent.executed


async def test_json_lines_are_sent_as_they_are(server: Server, agent: ScriptedAgent) -> None:
    content = b'{"player_id": "p1", "coins": 1}\r\n\r\n{"coins":2,"player_id":"p2"}'
    found = await uploaded(server, content, "application/x-ndjson")
    await runs_through(server, found["bulk_id"])
    assert sorted(frame.payload for frame in agent.executed) == [
        b'{"coins":2,"player_id":"p2"}',
        b'{"player_id": "p1", "coins": 1}',
    ]


async def test_rows_that_do_not_fit_are_kept_with_their_faults(server: Server, agent: ScriptedAgent) -> None:
    found = await uploaded(server, b"player_id,coins\np1,1\np2,-5\n,3\np4,x\np5\n")
    assert (found["state"], found["rows"], found["valid"], found["invalid"]) == ("invalid", 5, 1, 4)
    assert [(fault["row"], fault["line"], fault["path"]) for fault in found["errors"]] == [
        (2, 3, "/coins"), (3, 4, "/player_id"), (4, 5, "/coins"), (5, 6, ""),
    ]  # fmt: skip
    assert "fields" in found["errors"][3]["message"]
    assert all("一" <= fault["zh"][0] <= "鿿" for fault in found["errors"])
    invalid = await rows(server, found["bulk_id"], "state=invalid")
    assert [row["row"] for row in invalid] == [2, 3, 4, 5]
    assert invalid[0]["errors"][0]["path"] == "/coins"

    refused = await act(server, found["bulk_id"], "start", 409)
    assert "skip_invalid" in refused["detail"]
    done = await runs_through(server, found["bulk_id"], skip_invalid=True)
    assert ended(done) == {"succeeded": 1, "skipped": 4}
    assert payloads(agent) == [{"player_id": "p1", "coins": 1}]


BAD_FILES = {
    "unknown column": (b"player_id,coin\np1,1\n", "knows no 'coin'"),
    "semicolons": (b"player_id;coins\np1;1\n", "Commas separate"),
    "doubled column": (b"player_id,player_id\np1,p1\n", "comes twice"),
    "empty column": (b"player_id,\np1,1\n", "column 2 has no name"),
    "column and its field": (b"player_id,item,item.id\np1,{},x\n", "cannot both"),
    "missing column": (b"coins\n1\n", "needs player_id"),
    "no rows": (b"player_id\n", "a header and no row"),
    "empty": (b"", "no row"),
    "nul": (b"player_id\np1\n\0\n", "line 3: a NUL"),
    "latin-1": (b"player_id\np1\n\xe9\n", "line 3: not UTF-8"),
    "utf-16": ("player_id\np1\n".encode("utf-16"), "UTF-16"),
    "open quote": (b'player_id\np1\n"p2\np3\n', "line 3: a quoted field"),
    "text after quote": (b'player_id\n"p1"x\n', "line 2: not CSV"),
    "bare quotes": (b'player_id\n5" disk\n6" disk\n', "line 2: a quote inside"),
    "long row": (b"player_id\np1\n" + b"x" * 11_000_000, "line 3: a row is longer"),
}


@pytest.mark.parametrize("case", BAD_FILES)
async def test_a_file_that_is_no_good_is_refused_and_nothing_is_kept(
    server: Server, agent: ScriptedAgent, case: str
) -> None:
    content, words = BAD_FILES[case]
    reply = await upload(server, content)
    assert reply.status == 400, reply.body
    assert words in reply.json["detail"]
    assert reply.json["code"].startswith(("file_", "column"))
    assert (await server.request("GET", "/api/bulk")).json == {"bulks": []}


@pytest.mark.parametrize(
    ("line", "words"),
    [("{", "not JSON"), ("[1]", "not a JSON object"), ('{"x":' * 70 + "1" + "}" * 70, "nested deeper")],
)
async def test_a_line_that_is_no_object_is_an_invalid_row(
    server: Server, agent: ScriptedAgent, line: str, words: str
) -> None:
    found = await uploaded(server, f'{{"player_id": "p"}}\n{line}\n'.encode(), "application/x-ndjson")
    assert (found["valid"], found["invalid"]) == (1, 1)
    assert (found["errors"][0]["line"], words in found["errors"][0]["message"]) == (2, True)


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfplayer_id,coins\np1,1\n", b"player_id,coins\r\np1,1\r\n", b"player_id,coins\rp1,1\r", b"player_id,coins\np1,1"],
    ids=["BOM", "CRLF", "CR", "no last line end"],
)  # fmt: skip
async def test_every_way_to_end_a_line_gives_the_same_rows(
    server: Server, agent: ScriptedAgent, content: bytes
) -> None:
    found = await uploaded(server, content)
    assert [row["arguments"] for row in await rows(server, found["bulk_id"])] == [{"player_id": "p1", "coins": 1}]


async def test_a_hundred_thousand_rows_are_taken(server: Server, agent: ScriptedAgent) -> None:
    content = b"player_id\n" + b"p\n" * 100_000
    assert (await uploaded(server, content))["rows"] == 100_000


async def test_a_file_of_another_kind_or_a_compressed_one_is_refused(server: Server, agent: ScriptedAgent) -> None:
    assert (await upload(server, b"player_id\np\n", "application/json")).status == 400
    headers = {**SCOPED, "Content-Type": "text/csv", "Content-Encoding": "gzip"}
    reply = await server.request("POST", "/api/bulk?function_id=grant", data=io.BytesIO(b"x"), headers=headers)
    assert (reply.status, "compressed" in reply.json["detail"]) == (400, True)


async def test_a_file_that_is_announced_as_too_large_is_refused_unread(server: Server, agent: ScriptedAgent) -> None:
    headers = {**SCOPED, "Content-Type": "text/csv", "Content-Length": str(65 * 1024 * 1024)}
    reply = await server.request("POST", "/api/bulk?function_id=grant", headers=headers)
    assert reply.status == 413


# ------------------------------------------------------------------------------------------------ the run


async def test_every_row_is_a_call_of_its_own_under_a_key_of_its_own(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 300)
    done = await runs_through(server, bulk_id, concurrency=32)
    assert (ended(done), done["progress"], done["eta_seconds"]) == ({"succeeded": 300}, 100, None)
    assert sorted(each["coins"] for each in payloads(agent)) == list(range(1, 301))
    assert {frame.idempotency_key for frame in agent.executed} == {f"bulk:{bulk_id}:{row}" for row in range(1, 301)}
    first = (await rows(server, bulk_id, "limit=1"))[0]
    assert (first["state"], first["result"], first["service_id"]) == (
        "succeeded", {"player_id": "p1", "coins": 1}, "game-1",
    )  # fmt: skip
    record = (await server.request("GET", f"/api/calls/{first['call_id']}")).json
    assert (record["function_id"], record["payload"]) == ("grant", {"player_id": "p1", "coins": 1})
    assert len({frame.metadata["trace_id"] for frame in agent.executed}) == 300


async def test_a_row_that_fails_stops_no_other_and_only_failures_are_run_again(
    server: Server, agent: ScriptedAgent
) -> None:
    def picky(agent: ScriptedAgent, frame: Invoke) -> None:
        errors = {3: FunctionRejected("the player is in a match"), 5: OutcomeUnknown("the game went away")}
        error = errors.get(orjson.loads(frame.payload)["coins"])
        agent.send(CallResult(request_id=frame.request_id, payload=b"1", error=error, service_id="game-1"))

    agent.script = picky
    bulk_id = await of_rows(server, 6)
    done = await runs_through(server, bulk_id)
    assert ended(done) == {"succeeded": 4, "failed": 1, "unknown": 1}
    failed = (await rows(server, bulk_id, "state=failed"))[0]
    assert (failed["row"], failed["reason"], failed["message"]) == (3, "function_rejected", "the player is in a match")

    agent.script = answer
    agent.executed.clear()
    again = await act(server, bulk_id, "rerun")
    assert (again["state"], again["rows"], again["parent_id"]) == ("ready", 1, bulk_id)
    await runs_through(server, again["bulk_id"])
    assert [each["coins"] for each in payloads(agent)] == [3]
    both = await act(server, bulk_id, "rerun", include_unknown=True)
    assert both["rows"] == 2
    refused = await act(server, again["bulk_id"], "rerun", 409)
    assert "nothing to run again" in refused["detail"]


async def test_a_canary_stops_and_goes_on_when_it_is_confirmed(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 20)
    await start(server, bulk_id, canary=3)
    found = await reaches(server, bulk_id, "canary_done")
    assert ended(found) == {"succeeded": 3, "pending": 17}
    assert [each["coins"] for each in payloads(agent)] == [1, 2, 3]
    await act(server, bulk_id, "confirm")
    assert ended(await reaches(server, bulk_id, "done")) == {"succeeded": 20}
    assert len(agent.executed) == 20
    assert "canary_done" in (await act(server, bulk_id, "confirm", 409))["detail"]


async def test_a_paused_bulk_begins_nothing_until_it_is_resumed(server: Server, agent: ScriptedAgent) -> None:
    agent.script = keep_silent
    bulk_id = await of_rows(server, 10)
    await start(server, bulk_id, concurrency=2)
    held = [await agent.request("grant") for _ in range(2)]
    assert (await act(server, bulk_id, "pause"))["state"] == "paused"
    for frame in held:
        answer(agent, frame)

    async def nothing_runs() -> Any:
        found = await get(server, bulk_id)
        return found if not found["counts"]["running"] else None

    found = await eventually(nothing_runs)
    assert (found["state"], ended(found)) == ("paused", {"succeeded": 2, "pending": 8})
    assert len(agent.executed) == 2
    agent.script = answer
    await act(server, bulk_id, "resume")
    assert ended(await reaches(server, bulk_id, "done")) == {"succeeded": 10}
    assert len(agent.executed) == 10


async def test_a_canceled_bulk_lets_its_running_rows_end(server: Server, agent: ScriptedAgent) -> None:
    agent.script = keep_silent
    bulk_id = await of_rows(server, 400)
    await start(server, bulk_id, concurrency=2)
    held = [await agent.request("grant") for _ in range(2)]
    assert (await act(server, bulk_id, "cancel"))["state"] == "canceling"
    for frame in held:
        answer(agent, frame)
    found = await reaches(server, bulk_id, "canceled")
    assert ended(found) == {"succeeded": 2, "canceled": 398}
    assert len(agent.executed) == 2
    assert (await act(server, bulk_id, "cancel"))["state"] == "canceled"
    assert "can be started" in (await act(server, bulk_id, "start", 409))["detail"]


async def test_a_draft_that_is_canceled_never_runs(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 3)
    await act(server, bulk_id, "cancel")
    assert ended(await reaches(server, bulk_id, "canceled")) == {"canceled": 3}
    assert not agent.executed


async def test_a_row_that_nobody_ran_is_tried_again(server: Server, agent: ScriptedAgent) -> None:
    tries: list[int] = []

    def busy(agent: ScriptedAgent, frame: Invoke) -> None:
        tries.append(orjson.loads(frame.payload)["coins"])
        refusal = {1: Unavailable("not now"), 2: RateLimited("too many")}.get(len(tries))
        agent.send(CallResult(request_id=frame.request_id, payload=b"1", error=refusal, service_id="game-1"))

    agent.script = busy
    bulk_id = await of_rows(server, 1)
    assert ended(await runs_through(server, bulk_id)) == {"succeeded": 1}
    assert tries == [1, 1, 1]


async def test_rows_wait_for_their_turn_at_a_rate_however_long_it_takes(server: Server, agent: ScriptedAgent) -> None:
    await server.request("PUT", "/api/limits/l", data=orjson.dumps({"functions": "*", "rate": "10/s"}))
    bulk_id = await of_rows(server, 40)
    assert ended(await runs_through(server, bulk_id)) == {"succeeded": 40}
    assert len(agent.executed) == 40


async def test_rows_wait_for_the_end_of_maintenance(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 2)
    body = {"reason": "a moment", "ends": str(time.time_ns() // 1_000_000 + 1_500)}
    await server.request("POST", "/api/maintenance", data=orjson.dumps(body))
    assert ended(await runs_through(server, bulk_id)) == {"succeeded": 2}
    assert len(agent.executed) == 2


async def test_a_dry_run_is_a_bulk_of_its_own_and_leaves_the_draft_as_it_is(
    server: Server, agent: ScriptedAgent
) -> None:
    bulk_id = await of_rows(server, 2)
    dry = await start(server, bulk_id, dry_run=True)
    assert (dry["dry_run"], dry["parent_id"], dry["rows"]) == (True, bulk_id, 2)
    await reaches(server, dry["bulk_id"], "done")
    assert {dict(frame.metadata)["dry_run"] for frame in agent.executed} == {"true"}
    assert (await get(server, bulk_id))["state"] == "ready"
    await runs_through(server, bulk_id)
    assert [dict(frame.metadata).get("dry_run") for frame in agent.executed[2:]] == [None, None]


async def test_a_dry_run_sets_the_argument_that_the_function_names(server: Server) -> None:
    offered = service("grant", manifest_json=manifest(dry_run="dry"))
    async with attached(server, services=(offered,)) as agent:
        found = await uploaded(server, b'{"player_id":"p1"}\n', "application/x-ndjson")
        dry = await start(server, found["bulk_id"], dry_run=True)
        await reaches(server, dry["bulk_id"], "done")
        await runs_through(server, found["bulk_id"])
    assert payloads(agent) == [{"player_id": "p1", "dry": True}, {"player_id": "p1"}]


async def test_a_function_without_a_dry_run_is_not_called_for_one(server: Server) -> None:
    async with attached(server, services=(service("grant", manifest_json=manifest()),)) as agent:
        bulk_id = await of_rows(server, 2)
        refused = await act(server, bulk_id, "start", 409, dry_run=True)
        assert "offers no dry run" in refused["detail"]
        assert not agent.executed


async def test_only_the_file_that_was_looked_at_is_started(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 1)
    refused = await act(server, bulk_id, "start", 409, expected_sha256="0" * 64)
    assert "another one" in refused["detail"]
    sha256 = (await get(server, bulk_id))["sha256"]
    await runs_through(server, bulk_id, expected_sha256=sha256)


@pytest.mark.parametrize(
    "plan", [{"rate": 0}, {"rate": 1e9}, {"concurrency": 65}, {"concurrency": 0}, {"canary": -1}, {"speed": 1}]
)
async def test_a_plan_out_of_bounds_is_refused(server: Server, agent: ScriptedAgent, plan: dict[str, Any]) -> None:
    bulk_id = await of_rows(server, 1)
    await act(server, bulk_id, "start", 400, **plan)
    assert (await get(server, bulk_id))["state"] == "ready"


async def test_no_more_than_eight_bulks_run_at_once(server: Server, agent: ScriptedAgent) -> None:
    agent.script = keep_silent
    started = [await of_rows(server, 1) for _ in range(9)]
    for bulk_id in started[:8]:
        await start(server, bulk_id)
    refused = await act(server, started[8], "start", 429)
    assert "8 bulks run already" in refused["detail"]
    for _ in range(8):
        answer(agent, await agent.request("grant"))
    for bulk_id in started[:8]:
        await reaches(server, bulk_id, "done")
    agent.script = answer
    await runs_through(server, started[8])


async def test_a_file_for_a_function_that_nobody_has_is_refused_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        reply = await upload(server, b"player_id\np1\n", function_id="grnat")
        assert (reply.status, reply.json["code"]) == (404, "function_unknown")
    async with running(tmp_path) as server:  # started anew: its agents may be on their way back
        reply = await upload(server, b"wrong,header\nx,1\n")
        assert (reply.status, reply.json["code"]) == (503, "agents_returning")
        assert int(reply.headers["Retry-After"]) >= 1
        assert (await server.request("GET", "/api/bulk")).json["bulks"] == []


async def test_an_unknown_bulk_is_not_found(server: Server) -> None:
    for method, path in (("GET", ""), ("GET", "/rows"), ("GET", "/rows.csv"), ("GET", "/stream"), ("POST", "/start")):
        reply = await server.request(method, f"/api/bulk/b0{path}")
        assert (reply.status, reply.json["reason"]) == (404, "not_found")


# ------------------------------------------------------------------------------------------------ looking on


async def stream(server: Server, bulk_id: str, **headers: str) -> list[tuple[int, str, Any]]:
    found = []
    async with server.http.get(f"/api/bulk/{bulk_id}/stream", headers=headers) as response:
        assert response.status == 200
        fields: dict[str, str] = {}
        async for line in response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
                fields = {}
    return found


async def test_a_bulk_is_followed_to_its_end(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 50)
    following = asyncio.ensure_future(stream(server, bulk_id))
    await start(server, bulk_id)
    events = await within(following)
    assert [number for number, _, _ in events] == sorted({number for number, _, _ in events})
    assert {kind for _, kind, _ in events[:-1]} <= {"progress"}
    number, kind, data = events[-1]
    assert (kind, data["progress"], data["payload"]["state"]) == ("done", 100, "done")
    assert data["payload"]["counts"]["succeeded"] == 50
    reply = await server.request("GET", f"/api/bulk/{bulk_id}/stream", headers={"Last-Event-ID": str(number)})
    assert reply.status == 204


async def test_a_canceled_bulk_ends_its_stream_with_an_error(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 5)
    await act(server, bulk_id, "cancel")
    _, kind, data = (await within(stream(server, bulk_id)))[-1]
    assert (kind, data["reason"]) == ("error", "canceled")


async def test_what_became_of_the_rows_is_read_in_pages_and_as_csv(server: Server, agent: ScriptedAgent) -> None:
    def formula(agent: ScriptedAgent, frame: Invoke) -> None:
        agent.send(CallResult(request_id=frame.request_id, error=FunctionRejected("=1+1"), service_id="game-1"))

    agent.script = formula
    bulk_id = await of_rows(server, 450)
    await runs_through(server, bulk_id, concurrency=32)
    pages, after = [], 0
    while after is not None:
        page = (await server.request("GET", f"/api/bulk/{bulk_id}/rows?limit=200&after={after}")).json
        pages.append([row["row"] for row in page["rows"]])
        after = page["next"]
    assert list(map(len, pages)) == [200, 200, 50]
    assert [row for page in pages for row in page] == list(range(1, 451))
    reply = await server.request("GET", f"/api/bulk/{bulk_id}/rows.csv?state=failed")
    table = list(csv.DictReader(io.StringIO(reply.body.decode())))
    assert len(table) == 450
    assert (table[0]["arguments"], table[0]["message"]) == ('{"player_id":"p1","coins":1}', "'=1+1")


SECRET = {
    "id": "pay",
    "request": {
        "json_schema": {
            "type": "object",
            "properties": {"player_id": {"type": "string"}, "iban": {"type": "string", "writeOnly": True}},
        }
    },
}


async def test_sensitive_values_of_rows_are_masked_and_revealed_on_record(server: Server) -> None:
    def repeat(agent: ScriptedAgent, frame: Invoke) -> None:
        agent.send(CallResult(request_id=frame.request_id, payload=frame.payload, service_id="game-1"))

    pay = service("pay", manifest_json=orjson.dumps([SECRET]))
    lines = b'{"player_id":"p1","iban":"DE0042","password":"hunter2"}\n'
    async with attached(server, services=(pay,)) as agent:
        agent.script = repeat
        bulk_id = (await upload(server, lines, "application/x-ndjson", function_id="pay")).json["bulk_id"]
        await runs_through(server, bulk_id)
        assert b"hunter2" in agent.executed[-1].payload
    for address in ("rows", "rows.csv"):
        shown = (await server.request("GET", f"/api/bulk/{bulk_id}/{address}")).body
        assert (b"p1" in shown, b"DE0042" in shown, b"hunter2" in shown) == (True, False, False), shown
        revealed = (await server.request("GET", f"/api/bulk/{bulk_id}/{address}?reveal=true")).body
        assert (b"DE0042" in revealed, b"hunter2" in revealed) == (True, True)
    rows = (await server.request("GET", "/api/audit?action=calls.reveal")).json["rows"]
    assert [row["target"] for row in rows] == [bulk_id, bulk_id]


async def test_who_may_read_rows_may_not_reveal_them_by_that(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await of_rows(server, 1)
    user = (await server.request("POST", "/api/users", json={"name": "eve"})).json["user"]["user_id"]
    await server.request("POST", "/api/bindings", json={"subject": "user:eve", "role": "viewer"})
    wanted = {"name": "test", "expires_in": "1h", "user_id": user}
    token = (await server.request("POST", "/api/tokens", json=wanted)).json["token"]
    for address in ("rows", "rows.csv"):
        for query, status in (("", 200), ("?reveal=true", 403)):
            path = f"/api/bulk/{bulk_id}/{address}{query}"
            reply = await server.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            assert (path, reply.status) == (path, status)


async def test_bulks_are_listed_by_scope_and_state(server: Server, agent: ScriptedAgent) -> None:
    first, second = await of_rows(server, 1), await of_rows(server, 1)
    await runs_through(server, second)
    listed = (await server.request("GET", "/api/bulk", headers=SCOPED)).json["bulks"]
    assert [bulk["bulk_id"] for bulk in listed] == [second, first]
    ready = (await server.request("GET", "/api/bulk?state=ready")).json["bulks"]
    assert [bulk["bulk_id"] for bulk in ready] == [first]
    elsewhere = {"X-Game-ID": "other", "X-Env": "prod"}
    assert (await server.request("GET", "/api/bulk", headers=elsewhere)).json == {"bulks": []}


# ------------------------------------------------------------------------------------------------ the server comes back


async def test_a_bulk_goes_on_after_a_restart_and_no_row_runs_twice(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server, services=(GRANT,)) as agent:
        bulk_id = await of_rows(server, 60)
        await start(server, bulk_id, rate=200, concurrency=4)
        for _ in range(10):
            await agent.request("grant")
    before = {frame.idempotency_key for frame in agent.executed}
    assert len(before) == len(agent.executed)
    async with running(tmp_path) as server, attached(server, services=(GRANT,)) as again:
        done = await reaches(server, bulk_id, "done")
    assert done["counts"]["succeeded"] + done["counts"]["unknown"] == 60
    after = {frame.idempotency_key for frame in again.executed}
    assert not before & after
    assert len(again.executed) == len(after)
    assert done["counts"]["succeeded"] <= len(before) + len(after) <= 60


async def test_a_row_that_ran_when_the_server_died_is_told_by_the_record_of_its_call(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server, services=(GRANT,)) as agent:
        bulk_id = await of_rows(server, 4)
        await start(server, bulk_id)
        await reaches(server, bulk_id, "done")
        began = [row["call_id"] for row in await rows(server, bulk_id)]
    with sqlite3.connect(tmp_path / "croupier.db") as database:  # as a kill would have left it
        database.execute("UPDATE bulks SET state = 'running', finished_ms = 0")
        database.execute("UPDATE bulk_rows SET state = 'running', result = NULL WHERE number <= 3")
        database.execute("UPDATE bulk_rows SET state = 'pending', call_id = '' WHERE number = 4")
        database.execute("UPDATE calls SET state = 'running' WHERE idempotency_key LIKE '%:2'")
        database.execute("DELETE FROM calls WHERE idempotency_key LIKE '%:3'")
    database.close()
    async with running(tmp_path) as server, attached(server, services=(GRANT,)) as again:
        done = await reaches(server, bulk_id, "done")
        found = await rows(server, bulk_id)
    assert [row["state"] for row in found] == ["succeeded", "unknown", "succeeded", "succeeded"]
    assert found[0]["result"] == {"player_id": "p1", "coins": 1}
    assert [row["call_id"] for row in found if row["row"] != 3] == [*began[:2], began[3]]  # those that have the records
    assert [each["coins"] for each in payloads(again)] == [3]  # its call was never recorded, hence never sent
    assert ended(done) == {"succeeded": 3, "unknown": 1}
    assert len(agent.executed) == 4


async def test_an_upload_that_was_cut_off_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as server:

        async def half() -> AsyncIterator[bytes]:
            yield b"player_id\n" + b"p\n" * 2000
            raise RuntimeError("the sender is gone")

        with pytest.raises(Exception, match=r"gone|disconnect"):
            await server.request(
                "POST", "/api/bulk?function_id=f", data=half(), headers={**SCOPED, "Content-Type": "text/csv"}
            )

        async def none_is_left() -> bool:
            return not (await server.request("GET", "/api/bulk")).json["bulks"]

        await eventually(none_is_left)
