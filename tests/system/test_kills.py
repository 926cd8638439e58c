"""Whatever dies, every caller gets an answer, and afterwards calls work again without anyone's help."""

import asyncio

from tests.system.stage import Stage, until

TIMEOUT = 3.0


async def hold(stage: Stage, count: int = 64) -> list[asyncio.Task[tuple[int, dict[str, object]]]]:
    """Calls that are in the game server, all of them, and stay there."""
    calls = [
        asyncio.ensure_future(stage.invoke("act", {"key": f"k{number}", "seconds": 60}, timeout=TIMEOUT))
        for number in range(count)
    ]

    async def all_begun() -> bool:
        return sum(line.startswith("begin") for line in stage.noted()) >= count

    await until(all_begun, f"{count} calls begun")
    return calls


async def answers(calls: list[asyncio.Task[tuple[int, dict[str, object]]]]) -> list[str]:
    """How each call ended; the deadline is the platform's to keep, so a late answer fails here."""
    async with asyncio.timeout(TIMEOUT * 3):
        ended = await asyncio.gather(*calls)
    assert all(status >= 400 for status, _ in ended)
    return [str(body["reason"]) for _, body in ended]


async def test_every_caller_is_answered_when_the_agent_is_killed(running: Stage) -> None:
    calls = await hold(running)
    await running.agent.kill()
    reasons = await answers(calls)
    assert set(reasons) <= {"outcome_unknown", "deadline_exceeded"}

    await running.agent.start()
    assert await running.answers("act", {"key": "after"}) == {"key": "after", "by": "game-1"}


async def test_a_function_whose_agent_is_started_anew_is_never_unknown(running: Stage) -> None:
    await running.agent.kill()
    await running.agent.start()
    told: list[tuple[int, str]] = []

    async def called() -> bool:
        status, body = await running.invoke("act", {"key": f"k{len(told)}"})
        told.append((status, str(body.get("reason", ""))))
        return status == 200

    await until(called, "the function is there again")
    assert {reason for status, reason in told if status != 200} <= {"unavailable", "outcome_unknown"}, told


async def test_every_caller_is_answered_when_the_game_server_is_killed(stage: Stage) -> None:
    game = stage.game()
    for program in (stage.server, stage.agent, game):
        await program.start()
    await stage.reachable("act")
    calls = await hold(stage)
    await game.kill()
    reasons = await answers(calls)
    assert set(reasons) <= {"outcome_unknown", "deadline_exceeded"}

    await game.start()
    assert await stage.answers("act", {"key": "after"}) == {"key": "after", "by": "game-1"}


async def test_calls_work_again_after_the_server_is_killed(running: Stage) -> None:
    calls = await hold(running, 8)
    await running.server.kill()
    await asyncio.gather(*calls, return_exceptions=True)
    await running.server.start()
    assert await running.answers("act", {"key": "after"}) == {"key": "after", "by": "game-1"}


async def test_a_key_whose_call_ran_when_the_server_was_killed_is_never_run_again(running: Stage) -> None:
    call = asyncio.ensure_future(
        running.invoke("act", {"key": "once", "seconds": 1.0}, idempotency_key="once", timeout=30)
    )

    async def begun() -> bool:
        return "begin once" in running.noted()

    await until(begun, "the call begun")
    await running.server.kill()
    await asyncio.gather(call, return_exceptions=True)
    await running.server.start()
    await running.reachable("act")
    status, body = await running.invoke("act", {"key": "once", "seconds": 1.0}, idempotency_key="once")
    assert (status, body["reason"]) == (502, "outcome_unknown")
    assert running.noted().count("begin once") == 1


async def test_an_answer_to_a_key_survives_the_server(running: Stage) -> None:
    first = await running.invoke("act", {"key": "kept"}, idempotency_key="kept")
    await running.server.kill()
    await running.server.start()
    await running.reachable("act")
    assert await running.invoke("act", {"key": "kept"}, idempotency_key="kept") == first
    assert running.noted().count("begin kept") == 1


async def test_a_job_is_complete_although_the_server_is_killed_in_its_middle(running: Stage) -> None:
    job_id = await running.start_job("count", {"to": 60, "pause": 0.05})
    seen = await running.follow(job_id, most=10)
    await running.server.kill()
    await running.server.start()
    await running.reachable("count")
    rest = await running.follow(job_id, after=seen[-1]["seq"])
    story = seen + rest
    assert [event["seq"] for event in story] == list(range(1, len(story) + 1))
    assert [event["message"] for event in story if event["type"] == "log"] == [f"line {n}" for n in range(1, 61)]
    assert story[-1]["type"] == "done"


async def test_a_job_is_complete_although_the_agent_is_killed_in_its_middle(running: Stage) -> None:
    job_id = await running.start_job("count", {"to": 60, "pause": 0.05})
    following = asyncio.ensure_future(running.follow(job_id))
    await running.follow(job_id, most=10)
    await running.agent.kill()
    await running.agent.start()
    story = await following
    assert [event["seq"] for event in story] == list(range(1, len(story) + 1))
    assert story[-1]["type"] == "done"


async def test_a_job_of_a_foreign_game_server_is_complete_although_the_agent_is_killed_again_and_again(
    stage: Stage,
) -> None:
    for program in (stage.server, stage.agent, stage.foreign_game()):
        await program.start()
    await stage.reachable("foreign.slow_job")
    job_id = await stage.start_job("foreign.slow_job")
    following = asyncio.ensure_future(stage.follow(job_id))
    for seen in (5, 20):
        await stage.follow(job_id, most=seen)
        await stage.agent.kill()
        await stage.agent.start()
    story = await following
    assert [event["seq"] for event in story] == list(range(1, 82))
    assert [event["message"] for event in story[:-1]] == [f"step {n}" for n in range(1, 81)]
    assert (story[-1]["type"], story[-1]["payload"]) == ("done", {"steps": 80})


async def test_jobs_do_not_run_for_ever_when_agent_and_game_servers_are_killed_together(stage: Stage) -> None:
    games = [stage.game(), stage.foreign_game()]
    for program in (stage.server, stage.agent, *games):
        await program.start()
    await stage.reachable("count")
    await stage.reachable("foreign.slow_job")
    jobs = [await stage.start_job("count", {"to": 10_000, "pause": 0.05}), await stage.start_job("foreign.slow_job")]
    following = [asyncio.ensure_future(stage.follow(job_id)) for job_id in jobs]
    for job_id in jobs:
        await stage.follow(job_id, most=5)
    for program in (stage.agent, *games):
        await program.kill()
    await stage.agent.start()
    await games[0].start()
    for story, job_id in zip(await asyncio.gather(*following), jobs, strict=True):
        assert [event["seq"] for event in story] == list(range(1, len(story) + 1))
        _, result = await stage.get(f"/api/job_result?id={job_id}")
        assert result["state"] == "lost", result


async def test_a_cancellation_asked_for_while_the_agent_is_dead_reaches_the_job(running: Stage) -> None:
    job_id = await running.start_job("count", {"to": 10_000, "pause": 0.02})
    following = asyncio.ensure_future(running.follow(job_id))
    await running.follow(job_id, most=3)
    await running.agent.kill()
    status, _ = await running.post("/api/cancel_job", {"job_id": job_id, "reason": "wrong list"})
    assert status == 200
    await running.agent.start()
    story = await following
    assert (story[-1]["type"], story[-1]["message"]) == ("error", "wrong list")
    _, result = await running.get(f"/api/job_result?id={job_id}")
    assert result["state"] == "canceled"


async def test_a_job_whose_game_server_was_killed_does_not_run_for_ever(stage: Stage) -> None:
    game = stage.game()
    for program in (stage.server, stage.agent, game):
        await program.start()
    await stage.reachable("count")
    job_id = await stage.start_job("count", {"to": 10_000, "pause": 0.05})
    following = asyncio.ensure_future(stage.follow(job_id))
    await stage.follow(job_id, most=5)
    await game.kill()
    story = await following
    assert story[-1]["type"] == "error"
    _, result = await stage.get(f"/api/job_result?id={job_id}")
    assert result["state"] == "lost"
    assert result["error"]
