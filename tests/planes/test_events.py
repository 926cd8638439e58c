"""The live stream of the page, at a running server."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.planes.events_testbed import Stream, events
from tests.planes.scripted_agent import OTHER, ScriptedAgent, Server, attached, running, service


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def agent(server: Server) -> AsyncIterator[ScriptedAgent]:
    async with attached(server) as agent:
        yield agent


@pytest.mark.usefixtures("agent")
async def test_health_is_told_at_once(server: Server) -> None:
    await server.invoke()
    async with events(server, "health") as stream:
        told = await stream.of("health")
    assert told["agents"] == {"online": 1, "known": 1}
    assert told["calls"] == 1
    assert told["p95_ms"] > 0
    assert (told["error_share"], told["calls_in_flight"]) == (0.0, 0)
    assert isinstance(told["build"], str), "of the page, where one is built"
    assert told["version"]


@pytest.mark.usefixtures("agent")
async def test_a_call_is_told_when_it_has_ended(server: Server) -> None:
    async with events(server, "calls") as stream:
        answer = await server.invoke()
        told = await stream.of("calls", "ended")
    assert told["id"] == answer.headers["x-call-id"]
    assert (told["function"], told["outcome"], told["caller"]) == ("f", "ok", "developer")
    assert told["ms"] > 0


async def test_a_call_that_failed_is_told_with_the_reason(server: Server) -> None:
    async with events(server, "calls") as stream:
        assert (await server.invoke()).status == 404
        assert (await stream.of("calls"))["outcome"] == "not_found"


async def test_the_states_of_a_job_are_told(server: Server, agent: ScriptedAgent) -> None:
    async with events(server, "jobs") as stream:
        job_id = await server.started()
        agent.tell(job_id, 1, message="one")
        while (told := await stream.of("jobs"))["state"] != "running":
            assert told["state"] == "pending"
        agent.tell(job_id, 2, "error", reason="canceled", message="enough")
        while (told := await stream.of("jobs"))["state"] != "canceled":
            assert told["state"] == "running"  # a state may be told twice
    assert (told["id"], told["function"], told["caller"]) == (job_id, "f", "developer")


async def test_a_job_is_told_from_its_first_event_and_then_as_it_goes_on(server: Server, agent: ScriptedAgent) -> None:
    job_id = await server.started()
    agent.tell(job_id, 1, "progress", progress=40)
    await agent.acknowledged(job_id, 1)
    topic = f"job:{job_id}"
    async with events(server, topic) as stream:
        assert (await stream.of(topic, "state"))["state"] == "running"
        assert (await stream.of(topic, "progress"))["progress"] == 40
        agent.tell(job_id, 2, message="a line")
        told = await stream.of(topic, "log")
        assert (told["seq"], told["message"], told["state"]) == (2, "a line", "running")
        agent.tell(job_id, 3, "done", payload=b'{"sent": 7}')
        told = await stream.of(topic, "done")
        assert (told["payload"], told["state"]) == ({"sent": 7}, "succeeded")


async def numbers(stream: Stream, topic: str, most: int) -> list[int]:
    """The numbers of the next events of a job, up to its end or to `most`."""
    found: list[int] = []
    while len(found) < most:
        message = await stream.until(lambda each: each.topic == topic and "seq" in each.data.get("data", {}))
        found.append(message.told["seq"])
        if message.type in {"done", "error"}:
            break
    return found


async def test_a_job_that_is_cut_off_anywhere_is_resumed_without_gap_or_double(
    server: Server, agent: ScriptedAgent
) -> None:
    one, two = [await server.started() for _ in range(2)]
    dice = random.Random(7)
    last = 400

    async def work() -> None:
        for seq in range(1, last + 1):
            for job_id in (one, two):
                kind = "done" if seq == last else "log"
                agent.tell(job_id, seq, kind, message=f"line {seq}")
            await asyncio.sleep(0)

    working = asyncio.ensure_future(work())
    story: list[int] = []
    cursor = ""
    while not story or story[-1] != last:
        async with events(server, f"job:{one}", f"job:{two}", "calls", cursor=cursor) as stream:
            story += await numbers(stream, f"job:{one}", dice.randint(1, 60))
            cursor = stream.cursor
            assert not [each for each in stream.seen if each.event == "reset"]
    await working
    assert story == list(range(1, last + 1))


async def test_a_topic_that_one_may_not_read_is_denied_and_the_rest_goes_on(
    server: Server, agent: ScriptedAgent
) -> None:
    async with events(server, "job:j1", "jobs") as stream:
        assert await stream.named("denied") == {"topic": "job:j1", "detail": "unknown job j1"}
        job_id = await server.started()
        agent.tell(job_id, 1)
        assert (await stream.of("jobs"))["id"] == job_id


async def test_what_happens_in_another_scope_is_not_told(server: Server, agent: ScriptedAgent) -> None:
    async with attached(server, "agent-2", scope=OTHER, services=[service("f")]), events(server, "calls") as stream:
        await server.invoke(scope=OTHER)
        call_id = (await server.invoke()).headers["x-call-id"]
        assert (await stream.of("calls"))["id"] == call_id
        async with events(server, "calls", game_id="", env="") as everywhere:
            await server.invoke(scope=OTHER)
            assert (await everywhere.of("calls"))["game_id"] == "other"


@pytest.mark.parametrize(
    ("topics", "said"),
    [("nothing", "unknown topic"), ("", "unknown topic"), ("job:", "unknown topic"), ('job:"', "unknown topic")],
)
async def test_an_unknown_topic_is_refused_before_the_stream_begins(server: Server, topics: str, said: str) -> None:
    reply = await server.request("GET", "/api/events", params={"topics": topics})
    assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
    assert said in reply.json["detail"]


async def test_more_than_sixty_four_topics_are_refused(server: Server) -> None:
    topics = ",".join(f"job:j{number}" for number in range(65))
    reply = await server.request("GET", "/api/events", params={"topics": topics})
    assert (reply.status, "at most 64" in reply.json["detail"]) == (400, True)


@pytest.mark.parametrize("cursor", ["no cursor", "x" * 5000, "abcdefgh.~zz1", "abcdefgh.-", "0", "äöü"])
async def test_a_cursor_that_cannot_be_read_resets_every_topic(
    server: Server, agent: ScriptedAgent, cursor: str
) -> None:
    job_id = await server.started()
    agent.tell(job_id, 1, message="one")
    await agent.acknowledged(job_id, 1)
    async with events(server, f"job:{job_id}", "calls", last_event_id=cursor) as stream:
        assert [await stream.named("reset") for _ in range(2)] == [
            {"topic": f"job:{job_id}", "reason": "unreadable"},
            {"topic": "calls", "reason": "unreadable"},
        ]
        assert await numbers(stream, f"job:{job_id}", 1) == [1]


async def test_a_cursor_of_another_process_resets_what_is_not_stored_and_resumes_jobs(
    server: Server, agent: ScriptedAgent
) -> None:
    job_id = await server.started()
    agent.tell(job_id, 1)
    agent.tell(job_id, 2, "done")
    topic = f"job:{job_id}"
    async with events(server, topic, "calls") as stream:
        assert await numbers(stream, topic, 1) == [1]
        cursor = "00000000" + stream.cursor[8:]
    async with events(server, topic, "calls", cursor=cursor) as stream:
        assert await stream.named("reset") == {"topic": "calls", "reason": "restarted"}
        assert await numbers(stream, topic, 9) == [2]


async def test_a_cursor_from_beyond_the_end_of_a_job_begins_it_anew(server: Server, agent: ScriptedAgent) -> None:
    job_id = await server.started()
    agent.tell(job_id, 1, "done")
    topic = f"job:{job_id}"
    async with events(server, topic) as stream:
        await numbers(stream, topic, 9)
        cursor = stream.cursor + "ff"
    async with events(server, topic, cursor=cursor) as stream:
        assert await stream.named("reset") == {"topic": topic, "reason": "restarted"}
        assert await numbers(stream, topic, 9) == [1]


@pytest.mark.usefixtures("agent")
async def test_who_was_cut_off_is_told_what_ended_meanwhile(server: Server) -> None:
    async with events(server, "calls") as stream:
        cursor = stream.cursor
    missed = [(await server.invoke()).headers["x-call-id"] for _ in range(5)]
    async with events(server, "calls", last_event_id=cursor) as stream:
        assert [(await stream.of("calls"))["id"] for _ in range(5)] == missed


async def test_the_stream_says_that_the_server_restarts(tmp_path: Path) -> None:
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        begun = asyncio.Event()

        async def read(server: Server) -> None:
            async with events(server, "health") as stream:
                begun.set()
                assert await stream.named("end") == {"reason": "restarting"}
                assert await stream.next() is None

        async with running(tmp_path) as server:
            reading = tasks.create_task(read(server))
            await begun.wait()
        await reading


async def test_large_events_are_sent_in_portions_and_none_is_lost(
    server: Server, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("croupier.server.live.job_feed.PORTION_BYTES", 1_000)
    job_id = await server.started()
    for seq in range(1, 101):
        agent.tell(job_id, seq, "done" if seq == 100 else "log", message="x" * 400)
    async with events(server, f"job:{job_id}") as stream:
        assert await numbers(stream, f"job:{job_id}", 200) == list(range(1, 101))


async def test_a_quiet_stream_is_kept_open_by_pings_which_bring_the_cursor(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("croupier.server.live.reader.PING_EVERY", 0.01)
    async with events(server, "calls") as stream:
        await server.invoke()
        told = await stream.until(lambda each: each.topic == "calls")
        ping = await stream.until(lambda each: each.event == "ping")
    assert ping.id == told.id


async def test_a_job_whose_events_are_kept_nowhere_is_denied_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1, "done")
        await server.ended(job_id)
    with closing(sqlite3.connect(tmp_path / "croupier.db")) as database, database:
        database.execute("UPDATE jobs SET archived = 1")
        database.execute("DELETE FROM job_events")
    async with running(tmp_path) as server, events(server, f"job:{job_id}", "calls") as stream:
        denied = await stream.named("denied")
        assert (denied["topic"], "no longer kept" in denied["detail"]) == (f"job:{job_id}", True)
        await server.invoke()
        assert await stream.of("calls")
