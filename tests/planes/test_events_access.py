"""Who is told what by the live stream, and when that ends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.planes.events_testbed import HERE, Person, asked, events, person
from tests.planes.scripted_agent import OTHER, SCOPE, ScriptedAgent, Server, attached, eventually, running, within

PASSWORD = "correct horse battery"
EVERYTHING = ("jobs", "calls", "bulk", "approvals", "registry", "catalog", "maintenance")
NEEDS_PERMISSION = tuple(topic for topic in EVERYTHING if topic != "approvals")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    async with attached(server) as agent:
        yield agent


async def token_revoked(who: Person) -> None:
    await asked(who.server, "DELETE", f"/api/tokens/{who.token_id}")


async def user_disabled(who: Person) -> None:
    await asked(who.server, "POST", f"/api/users/{who.user_id}/disable")


async def all_revoked(who: Person) -> None:
    await asked(who.server, "POST", f"/api/users/{who.user_id}/revoke")


@pytest.mark.parametrize("act", [token_revoked, user_disabled, all_revoked])
async def test_who_is_put_out_is_told_and_nothing_else(
    server: Server, act: Callable[[Person], Awaitable[None]]
) -> None:
    ann = await person(server, "ann", "viewer")
    async with ann.events("calls", "health") as stream:
        await act(ann)
        assert await stream.named("end") == {"reason": "signed_out"}
        assert await within(stream.next()) is None


async def test_who_lost_a_role_dials_again_and_is_denied(server: Server, agent: ScriptedAgent) -> None:
    ann = await person(server, "ann", "viewer")
    job_id = await server.started()
    topics = (*NEEDS_PERMISSION, f"job:{job_id}")
    async with ann.events(*topics) as stream:
        (mine,) = [
            each for each in (await asked(server, "GET", "/api/bindings"))["bindings"] if ann.user_id in str(each)
        ]
        await asked(server, "DELETE", f"/api/bindings/{mine['binding_id']}")
        assert await stream.named("end") == {"reason": "changed"}
        cursor = stream.cursor
    async with ann.events(*topics, last_event_id=cursor) as stream:
        denied = {each["topic"]: each["detail"] for each in [await stream.named("denied") for _ in topics]}
    assert denied.pop(f"job:{job_id}") == f"unknown job {job_id}"
    assert denied == {topic: f"needs {topic}:read in demo|dev; ask an admin of demo" for topic in NEEDS_PERMISSION}


async def test_somebody_of_another_game_is_told_nothing_of_this_one(server: Server, agent: ScriptedAgent) -> None:
    ann = await person(server, "ann", "viewer", OTHER.game_id, OTHER.env)
    job_id = await server.started()
    async with (
        attached(server, "agent-2", scope=OTHER),
        ann.events(*EVERYTHING, "health", f"job:{job_id}", "bulk:b1", game_id="", env="") as stream,
    ):
        assert await stream.named("denied") == {"topic": f"job:{job_id}", "detail": f"unknown job {job_id}"}
        assert await stream.named("denied") == {"topic": "bulk:b1", "detail": "unknown bulk b1"}
        assert (await stream.of("health"))["agents"] == {"online": 1, "known": 1}
        agent.tell(job_id, 1, "done")
        await server.ended(job_id)
        await server.invoke(scope=SCOPE)
        await asked(server, "POST", "/api/maintenance", json={"reason": "theirs", **HERE})
        theirs = await asked(
            server, "POST", "/api/maintenance", json={"reason": "mine", "game_id": OTHER.game_id, "env": OTHER.env}
        )
        assert (await stream.of("maintenance"))["id"] == theirs["id"]
        other_job = await server.started(scope=OTHER, metadata={"override_maintenance": "true"})
        assert (await stream.of("jobs"))["id"] == other_job
        told = [each.told for each in stream.seen if each.event == "message" and "game_id" in each.told]
    assert {each["game_id"] for each in told} == {OTHER.game_id}


async def test_a_browser_reads_by_its_cookie(server: Server) -> None:
    made = await asked(server, "POST", "/api/users", json={"name": "ann", "password": PASSWORD})
    bound = {"subject": f"user:{made['user']['user_id']}", "role": "viewer"}
    await asked(server, "POST", "/api/bindings", json=bound)
    async with aiohttp.ClientSession(f"http://{server.info.http}") as browser:
        async with browser.post("/api/login", json={"name": "ann", "password": PASSWORD}) as reply:
            cookie = "; ".join(f"{each.key}={each.value}" for each in reply.cookies.values())
        async with events(replace(server, http=browser), "calls", headers={"Cookie": cookie}) as stream:
            await asked(server, "POST", f"/api/users/{made['user']['user_id']}/revoke")
            assert await stream.named("end") == {"reason": "signed_out"}


async def test_one_token_opens_sixty_four_streams_and_no_more(server: Server) -> None:
    async with _many(server, 64):
        reply = await server.request("GET", "/api/events", params={"topics": "health"})
        assert (reply.status, reply.json["reason"]) == (429, "rate_limited")

    async def may_again() -> bool:
        async with server.http.get("/api/events", params={"topics": "health"}) as response:
            return response.status == 200

    await eventually(may_again)  # once the server has noticed that the others are gone


@asynccontextmanager
async def _many(server: Server, count: int) -> AsyncIterator[None]:
    async with AsyncExitStack() as streams:
        for _ in range(count):
            await streams.enter_async_context(events(server, "health"))
        yield
