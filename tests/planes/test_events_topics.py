"""What each topic of the live stream tells, at a running server."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.planes.events_testbed import HERE, Stream, asked, events, person
from tests.planes.scripted_agent import (
    Reply,
    ScriptedAgent,
    Server,
    attached,
    keep_silent,
    known,
    running,
    service,
)

SCOPED = {"X-Game-ID": "demo", "X-Env": "dev"}
CAREFUL = service(
    "f", "ban", manifest_json=orjson.dumps([{"id": "ban", "auth": {"two_person_rule": True}}, {"id": "f"}])
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    async with attached(server, services=(CAREFUL,)) as agent:
        yield agent


# ------------------------------------------------------------------------------------------------ approvals


async def bans(server: Server) -> str:
    reply: Reply = await server.invoke("ban", reason="he cheats")
    assert reply.status == 202, reply.body
    return str(reply.json["approval_id"])


@pytest.mark.usefixtures("agent")
async def test_an_approver_is_told_what_waits_for_him_and_what_became_of_it(server: Server) -> None:
    ann = await person(server, "ann", "approver")
    first = await bans(server)
    async with ann.events("approvals") as stream, events(server, "approvals") as requester:
        assert await stream.of("approvals", "waiting") == {"waiting": 1}
        assert await requester.of("approvals", "waiting") == {"waiting": 0}
        second = await bans(server)
        told = await stream.of("approvals", "state")
        assert (told["id"], told["state"], told["waiting"], told["function"]) == (second, "pending", 2, "ban")
        await ann.ask("POST", f"/api/approvals/{first}/approve", json={"comment": "fine"})
        assert await became(stream, first, "executed") == 1
        await ann.ask("POST", f"/api/approvals/{second}/reject", json={"comment": "no"})
        assert await became(stream, second, "rejected") == 0
        assert await became(requester, second, "rejected") == 0


@pytest.mark.usefixtures("agent")
async def test_a_call_that_was_rejected_has_ended(server: Server) -> None:
    ann = await person(server, "ann", "approver")
    async with ann.events("calls") as stream:
        reply = await server.invoke("ban", reason="he cheats")
        await ann.ask("POST", f"/api/approvals/{reply.json['approval_id']}/reject", json={"comment": "no"})
        told = await stream.of("calls", "ended")
    assert (told["id"], told["outcome"], told["caller"]) == (reply.json["call_id"], "permission_denied", "developer")


async def became(stream: Stream, approval_id: str, state: str) -> Any:
    """How many wait when the approval is told to be in this state."""
    found = await stream.until(
        lambda each: each.data.get("data", {}).get("state") == state and approval_id in str(each)
    )
    return found.told["waiting"]


@pytest.mark.usefixtures("agent")
async def test_ones_own_requests_are_told_without_a_permission_and_no_others(server: Server) -> None:
    await asked(server, "PUT", "/api/roles/caller", json={"permissions": ["function:*"]})
    ann = await person(server, "ann", "caller")
    async with ann.events("approvals") as stream:
        await bans(server)
        body = {"function_id": "ban", "payload": {}, "reason": "mine"}
        mine = await ann.ask("POST", "/api/invoke", data=orjson.dumps(body | HERE))
        assert (await stream.of("approvals", "state"))["id"] == mine["approval_id"]


# ------------------------------------------------------------------------------------------------ bulk runs


async def uploaded(server: Server, rows: int) -> str:
    content = io.BytesIO(b"id\n" + b"".join(b"p%d\n" % number for number in range(rows)))
    headers = {**SCOPED, "Content-Type": "text/csv"}
    reply = await server.request("POST", "/api/bulk", params={"function_id": "f"}, headers=headers, data=content)
    return str(reply.json["bulk_id"])


@pytest.mark.usefixtures("agent")
async def test_a_bulk_run_is_told_from_its_upload_to_its_end(server: Server) -> None:
    async with events(server, "bulk") as stream:
        bulk_id = await uploaded(server, 20)
        assert (await stream.of("bulk"))["state"] == "ready"
        async with events(server, f"bulk:{bulk_id}") as one:
            assert (await one.of(f"bulk:{bulk_id}", "progress"))["counts"]["pending"] == 20
            await asked(server, "POST", f"/api/bulk/{bulk_id}/start", data=orjson.dumps({"rate": 1000}))
            ended = await one.until(lambda each: each.data["data"]["state"] == "done")
            assert ended.told["counts"]["succeeded"] == 20
        assert (await stream.until(lambda each: each.data["data"]["state"] == "done")).told["bulk_id"] == bulk_id


async def test_a_bulk_run_that_has_ended_says_so_to_whoever_comes(server: Server, agent: ScriptedAgent) -> None:
    bulk_id = await uploaded(server, 2)
    await asked(server, "POST", f"/api/bulk/{bulk_id}/start", data=orjson.dumps({"rate": 1000}))
    async with events(server, f"bulk:{bulk_id}") as stream:
        await stream.until(lambda each: each.data["data"]["state"] == "done")
        cursor = stream.cursor
    async with events(server, f"bulk:{bulk_id}", cursor=cursor) as stream:
        assert (await stream.of(f"bulk:{bulk_id}"))["state"] == "done"


# ------------------------------------------------------------------------------------------------ what there is


async def test_agents_that_come_go_and_offer_something_else_are_told(server: Server, agent: ScriptedAgent) -> None:
    async with events(server, "registry", "catalog") as stream:
        agent.services = (service("f", "g"),)
        agent.register()
        await known(server, agent)
        assert await stream.of("registry", "changed") == HERE
        async with attached(server, "agent-2"):
            assert await stream.of("registry", "changed") == HERE
        assert await stream.of("registry", "changed") == HERE


@pytest.mark.usefixtures("agent")
async def test_a_new_catalog_is_told_by_its_tag(server: Server) -> None:
    async with events(server, "catalog") as stream:
        await asked(server, "PUT", "/api/assignments", json={"demo|dev": ["f"]})
        told = await stream.of("catalog", "changed")
    tag = (await server.request("GET", "/api/descriptors")).headers["ETag"]
    assert tag.strip('"').startswith(told["etag"])


async def test_a_maintenance_window_is_told_when_it_opens_and_ends(server: Server) -> None:
    async with events(server, "maintenance") as stream:
        window = await asked(server, "POST", "/api/maintenance", json={"reason": "new hardware", **HERE})
        told = await stream.of("maintenance", "window")
        assert (told["id"], told["state"], told["reason"]) == (window["id"], "open", "new hardware")
        await asked(server, "POST", f"/api/maintenance/{window['id']}/end")
        told = await stream.of("maintenance", "window")
        assert (told["id"], told["state"]) == (window["id"], "over")


async def test_a_window_of_all_games_is_told_to_each(server: Server) -> None:
    ann = await person(server, "ann", "viewer")
    async with ann.events("maintenance") as stream:
        await asked(server, "POST", "/api/maintenance", json={"reason": "all of it"})
        assert (await stream.of("maintenance"))["game_id"] == "*"


async def test_calls_on_their_way_are_counted(server: Server, agent: ScriptedAgent) -> None:
    agent.script = keep_silent
    calling = asyncio.ensure_future(server.invoke())
    await agent.request()
    async with events(server, "health") as stream:
        assert (await stream.of("health"))["calls_in_flight"] == 1
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)


# ------------------------------------------------------------------------------------------------ more than can be kept


async def test_who_missed_more_than_is_kept_is_told_to_ask_again(
    server: Server, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("croupier.server.live.board.KEPT", 10)
    async with events(server, "calls", "jobs") as stream:
        cursor = stream.cursor
    job_id = await server.started()
    await asyncio.gather(*(server.invoke() for _ in range(30)))
    async with events(server, "calls", "jobs", cursor=cursor) as stream:
        assert await stream.named("reset") == {"topic": "calls", "reason": "missed"}
        assert (await stream.of("jobs"))["id"] == job_id
        answer = await server.invoke()
        assert (await stream.of("calls"))["id"] == answer.headers["x-call-id"]
