"""Game servers that know the contract only: generated stubs, unmodified, in both codecs."""

import pytest
from tests.system.stage import Stage


@pytest.fixture(params=["protobuf", "json"])
def codec(request: pytest.FixtureRequest) -> str:
    """Of a game server, which is also what its functions' names begin with in the shared installation."""
    found: str = request.param
    return found


async def test_it_registers_by_address_and_is_called(shared: Stage, codec: str) -> None:
    assert await shared.invoke(f"{codec}.echo", {"a": [1, 2]}) == (200, {"a": [1, 2]})


async def test_it_gets_the_contracts_metadata(shared: Stage, codec: str) -> None:
    status, metadata = await shared.invoke(f"{codec}.metadata", metadata={"operator": "ann"})
    assert status == 200
    assert metadata["operator"] == "ann"
    assert (metadata["game_id"], metadata["env"]) == ("demo", "dev")
    assert metadata["trace_id"]
    assert metadata["traceparent"]


async def test_its_jobs_are_followed_to_the_end(shared: Stage, codec: str) -> None:
    story = await shared.follow(await shared.start_job(f"{codec}.job"))
    assert [event["progress"] for event in story[:-1]] == [20, 40, 60, 80, 100]
    assert story[-1]["payload"] == {"steps": 5}


async def test_a_function_without_jobs_runs_as_a_job_all_the_same(shared: Stage, codec: str) -> None:
    job_id = await shared.start_job(f"{codec}.unary_job")
    story = await shared.follow(job_id)
    assert story[-1]["type"] == "error"  # its Invoke knows no such function, and that is what the job says
    assert "no such function" in story[-1]["message"]


async def test_it_is_known_after_the_agent_was_killed_though_it_never_registers_again(stage: Stage, codec: str) -> None:
    for program in (stage.server, stage.agent, stage.foreign_game("foreign-1", "--codec", codec)):
        await program.start()
    await stage.reachable("foreign.echo")
    await stage.agent.kill()
    await stage.agent.start()
    assert await stage.answers("foreign.echo", {"a": 1}) == {"a": 1}


async def test_an_answer_of_eleven_megabytes_is_an_error_that_says_so(shared: Stage, codec: str) -> None:
    status, problem = await shared.invoke(f"{codec}.large")
    assert (status, problem["reason"]) == (502, "handler_failed")
    assert (await shared.invoke(f"{codec}.echo", {"a": 1}))[0] == 200


async def test_one_that_hangs_ends_at_the_deadline(shared: Stage, codec: str) -> None:
    status, problem = await shared.invoke(f"{codec}.hang", timeout=0.5)
    assert (status, problem["reason"]) == (504, "deadline_exceeded")
    assert "tunnel invoke timeout" in problem["detail"]


async def test_one_that_answers_garbage_is_an_error_that_says_so(stage: Stage) -> None:
    for program in (stage.server, stage.agent, stage.foreign_game("garbage-1", "--garbage")):
        await program.start()
    await stage.reachable("garbage.call")
    status, problem = await stage.invoke("garbage.call")
    assert (status, problem["reason"]) == (502, "handler_failed")
    assert "garbage" in problem["detail"]


async def test_a_dead_one_is_reported_and_found_again_when_it_is_back(stage: Stage) -> None:
    game = stage.foreign_game()
    for program in (stage.server, stage.agent, game):
        await program.start()
    await stage.reachable("foreign.echo")
    await game.kill()
    status, problem = await stage.invoke("foreign.echo", {"a": 1})
    assert status in {502, 503}
    assert problem["reason"] in {"unavailable", "outcome_unknown"}
    await game.start()
    assert await stage.answers("foreign.echo", {"a": 1}) == {"a": 1}


async def test_our_sdk_can_listen_like_a_foreign_one(stage: Stage) -> None:
    for program in (stage.server, stage.agent, stage.game("listening-1", "--mode", "listen")):
        await program.start()
    await stage.reachable("echo")
    assert await stage.invoke("echo", {"a": 1}) == (200, {"a": 1})
    story = await stage.follow(await stage.start_job("count", {"to": 5}))
    assert [event["message"] for event in story[:-1]] == [f"line {n}" for n in range(1, 6)]
