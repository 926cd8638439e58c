import asyncio

import pytest
from tests.planes.agent_testbed import Agent, AttachedGame, ScriptedServer

from croupier.errors import NotFound
from croupier.tunnel.frames import JobAck, JobStarted


@pytest.fixture
async def server():
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def agent(tmp_path, server):
    agent = await Agent(tmp_path, (server.address,)).start()
    await server.connected()
    yield agent
    await agent.stop()


@pytest.fixture
async def game(agent, server):
    game = await AttachedGame(agent.info.grpc, functions=("mail",)).attach()
    await server.sees("game-1")
    yield game
    await game.cut()


async def test_a_job_runs_under_the_servers_name_and_its_story_goes_up(game, server):
    started = await server.start_job("mail", "job-1")
    assert (started.job_id, started.service_id) == ("job-1", "game-1")
    game.tell("job-1", 1, progress=10, message="begun")
    game.tell("job-1", 2, "log", message="a line")
    game.tell("job-1", 3, "done", payload=b"result")
    assert (await server.ended("job-1")).payload == b"result"
    assert [(each.seq, each.type) for each in server.story("job-1")] == [(1, "progress"), (2, "log"), (3, "done")]


async def test_only_what_the_server_stored_is_acknowledged_to_the_game_server(game, server):
    server.acknowledges = False
    await server.start_job("mail", "job-1")
    game.tell("job-1", 1)
    await server.until(lambda: len(server.events) == 1)
    assert game.job_acks == []
    server.peer.tell(JobAck("job-1", 1))
    await game.until(lambda: ("job-1", 1, False) in game.job_acks)


async def test_a_job_that_the_server_does_not_want_is_stopped_at_the_game_server(game, server):
    server.acknowledges = False
    await server.start_job("mail", "job-1")
    game.tell("job-1", 1)
    await server.until(lambda: len(server.events) == 1)
    server.peer.tell(JobAck("job-1", 1, stop=True))
    await game.until(lambda: ("job-1", 1, True) in game.job_acks)


async def test_a_cancellation_goes_down_and_what_became_of_it_comes_up(game, server):
    await server.start_job("mail", "job-1")
    server.cancel_job("job-1", "enough")
    await game.until(lambda: game.job_cancels == [("job-1", "enough")])
    game.tell("job-1", 1, "error", reason="canceled", message="stopped after 3 mails")
    last = await server.ended("job-1")
    assert (last.reason, last.message) == ("canceled", "stopped after 3 mails")


async def test_a_cancellation_of_a_job_the_agent_forgot_reaches_the_game_servers(game, server):
    server.cancel_job("job-old", "enough")
    await game.until(lambda: game.job_cancels == [("job-old", "enough")])


async def test_a_job_that_is_not_accepted_says_why(game, server):
    game.script = lambda frame: JobStarted(request_id=frame.request_id, error=NotFound("no such mail"))
    with pytest.raises(NotFound, match="no such mail"):
        await server.start_job("mail", "job-1")


async def test_events_told_while_the_server_is_away_arrive_when_it_is_back(game, server):
    await server.start_job("mail", "job-1")
    await server.stop()
    for seq in range(1, 101):
        game.tell("job-1", seq)
    again = ScriptedServer()
    await again.start(server.address)
    await again.until(lambda: len(again.story("job-1")) == 100)
    await again.stop()


async def test_what_a_job_told_while_the_server_was_away_outlives_agent_and_game_server(tmp_path, server):
    """A host that restarts takes both along, and nobody would send it again."""
    agent = await Agent(tmp_path, (server.address,)).start()
    await server.connected()
    game = await AttachedGame(agent.info.grpc, functions=("mail",)).attach()
    await server.sees("game-1")
    for job_id in ("before", "meanwhile"):
        await server.start_job("mail", job_id)
    server.acknowledges = False
    game.tell("before", 1)
    await server.until(lambda: len(server.story("before")) == 1)
    await server.stop()
    game.tell("before", 2, "done", payload=b"result")
    game.tell("meanwhile", 1, "log", message="half way")
    await agent.took(events=3)
    await agent.stop()
    await game.cut()
    later = await Agent(tmp_path, (server.address,)).start()
    again = ScriptedServer()
    await again.start(server.address)
    last = await again.ended("before")
    assert (last.seq, last.type, last.payload) == (2, "done", b"result")
    await again.until(lambda: len(again.story("meanwhile")) == 1)
    assert [each.seq for each in again.story("before")] == [1, 2]
    await later.stop()
    await again.stop()


async def test_a_job_goes_on_when_its_process_attaches_anew(agent, game, server):
    await server.start_job("mail", "job-1")
    game.tell("job-1", 1)
    await server.until(lambda: len(server.events) == 1)
    await game.cut()
    await server.misses("game-1")  # too late to resume: a new session of the same process
    game.tell("job-1", 2)
    await game.attach()
    assert not game.opened[-1].resumed
    game.tell("job-1", 3, "done")
    await server.ended("job-1")
    assert [each.seq for each in server.story("job-1")] == [1, 2, 3]


async def test_a_job_whose_process_was_started_anew_is_lost(agent, game, server):
    await server.start_job("mail", "job-1")
    game.tell("job-1", 1)
    await server.until(lambda: len(server.events) == 1)
    await game.cut()
    await server.sees("game-1", healthy=False)
    again = await AttachedGame(agent.info.grpc, functions=("mail",)).attach()
    last = await server.ended("job-1")
    assert (last.seq, last.reason) == (2, "lost")
    assert "the game server game-1 is gone: it was started anew" in last.message
    await again.cut()


async def test_a_job_outlives_the_agent(tmp_path, server):
    agent = await Agent(tmp_path, (server.address,)).start()
    await server.connected()
    game = await AttachedGame(agent.info.grpc, functions=("mail",)).attach()
    await server.sees("game-1")
    await server.start_job("mail", "job-1")
    game.tell("job-1", 1)
    await game.until(lambda: ("job-1", 1, False) in game.job_acks)
    await agent.stop()
    await game.cut()
    game.tell("job-1", 2)
    sessions = len(server.sessions)
    again = await Agent(tmp_path, (server.address,), grpc_address=agent.info.grpc).start()
    await server.until(lambda: len(server.sessions) > sessions)
    await game.attach()
    await server.until(lambda: len(server.story("job-1")) == 2)
    server.cancel_job("job-1", "enough")
    await game.until(lambda: bool(game.job_cancels))
    game.tell("job-1", 3, "done")
    await server.ended("job-1")
    await game.cut()
    await again.stop()


async def test_a_noisy_job_does_not_keep_a_call_from_its_answer(game, server):
    await server.start_job("mail", "job-1")
    for seq in range(1, 257):
        game.tell("job-1", seq, "log", message="x" * 10_000)
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("mail"))
    await game.until(lambda: len(game.requests) == 2)
    calling.cancel()
    await server.until(lambda: len(server.story("job-1")) == 256)


async def test_a_game_server_that_skips_an_event_is_cut_off_and_told_why(game, server):
    await server.start_job("mail", "job-1")
    game.tell("job-1", 2)
    _, details = await game.refused()
    assert "event 2 of job job-1 came after 0" in details
