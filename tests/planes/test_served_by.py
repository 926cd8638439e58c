"""Which game server was given a call that failed: in the answer and on record, through the real server and a real agent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.planes.agent_testbed import Agent, AttachedGame
from tests.planes.scripted_agent import Reply, Server, eventually, keep_silent, running, within
from tests.planes.scripted_agent import attached as scripted

from croupier.errors import CroupierError, FunctionRejected, HandlerFailed, OutcomeUnknown
from croupier.server import jobs
from croupier.tunnel.frames import CallResult, Invoke, JobStarted, StartJob

Answer = CallResult | JobStarted


def failing(error: CroupierError) -> Callable[[Invoke], Answer]:
    """A game server that names itself nowhere: its agent does."""

    def script(frame: Invoke) -> Answer:
        kind = JobStarted if isinstance(frame, StartJob) else CallResult
        return kind(request_id=frame.request_id, error=error)

    return script


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path / "server") as server:
        yield server


@pytest.fixture
async def agent(tmp_path: Path, server: Server) -> AsyncIterator[Agent]:
    agent = await Agent(tmp_path / "agent", (server.grpc,)).start()
    yield agent
    await agent.stop()


async def attach(server: Server, agent: Agent, script: Callable[[Invoke], Answer | None]) -> AttachedGame:
    game = await AttachedGame(agent.info.grpc, functions=("f",), script=script).attach()

    async def offered() -> bool:
        return any(each["service_id"] == "game-1" and each["healthy"] for each in await server.instances())

    await eventually(offered)
    return game


async def recorded(server: Server, reply: Reply) -> Any:
    async def ended() -> Any:
        found = (await server.request("GET", f"/api/calls/{reply.headers['X-Call-ID']}")).json
        return found if found["state"] != "running" else None

    return await eventually(ended)


def served_by(reply: Reply) -> tuple[str | None, str | None]:
    return reply.headers.get("X-Agent-ID"), reply.headers.get("X-Service-ID")


@pytest.mark.parametrize(
    "error",
    [FunctionRejected("the player is online"), HandlerFailed("ZeroDivisionError"), OutcomeUnknown("the bank is gone")],
    ids=lambda error: error.reason,
)
@pytest.mark.parametrize("path", ["invoke", "start"])
async def test_a_failed_call_names_the_game_server_that_failed_it(
    server: Server, agent: Agent, error: CroupierError, path: str
) -> None:
    game = await attach(server, agent, failing(error))
    reply = await getattr(server, path)()
    found = await recorded(server, reply)
    await game.cut()
    assert reply.json["reason"] == error.reason
    assert served_by(reply) == ("agent-1", "game-1")
    assert (found["agent_id"], found["service_id"]) == ("agent-1", "game-1")
    assert found["route"]["decision"]


async def test_a_call_whose_game_server_was_killed_names_it(server: Server, agent: Agent) -> None:
    game = await attach(server, agent, lambda _: None)
    asking = asyncio.ensure_future(server.invoke())
    await game.until(lambda: bool(game.requests))
    await game.cut()
    reply = await within(asking)
    found = await recorded(server, reply)
    assert (reply.status, reply.json["reason"]) == (502, "outcome_unknown")
    assert served_by(reply) == ("agent-1", "game-1")
    assert (found["agent_id"], found["service_id"]) == ("agent-1", "game-1")
    assert found["route"]["decision"]


async def test_where_nobody_said_which_game_server_it_was_the_agent_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "START_TIMEOUT", 0.1)
    async with scripted(server, script=keep_silent):
        called = await server.invoke(timeout=0.1)
        started = await server.start()
        found = [await recorded(server, reply) for reply in (called, started)]
    for reply, record in zip((called, started), found, strict=True):
        assert reply.json["reason"] == "deadline_exceeded"
        assert served_by(reply) == ("agent-1", None)
        assert (record["agent_id"], record["service_id"]) == ("agent-1", "")
        assert record["route"]["decision"]


async def test_a_call_that_nobody_was_given_names_nobody(server: Server) -> None:
    reply = await server.invoke()
    found = await recorded(server, reply)
    assert reply.status == 404
    assert served_by(reply) == (None, None)
    assert (found["agent_id"], found["service_id"], found["route"]["decision"]) == ("", "", "")
