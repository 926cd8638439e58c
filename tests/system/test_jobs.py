"""A job's story is the same for everyone, whenever they come."""

import asyncio

from tests.system.stage import Stage


async def test_followers_early_late_and_cut_see_the_same_story(shared: Stage) -> None:
    job_id = await shared.start_job("count", {"to": 40, "pause": 0.02})
    early = [asyncio.ensure_future(shared.follow(job_id)) for _ in range(2)]
    cut = await shared.follow(job_id, most=7)
    resumed = cut + await shared.follow(job_id, after=cut[-1]["seq"])
    stories = [*(await asyncio.gather(*early)), resumed, await shared.follow(job_id)]
    assert all(story == stories[0] for story in stories)
    assert [event["seq"] for event in stories[0]] == list(range(1, len(stories[0]) + 1))
    assert stories[0][-1]["type"] == "done"
    assert stories[0][-1]["payload"] == {"counted": 40}


async def test_a_cancelled_job_ends_as_canceled_with_the_lines_it_wrote(shared: Stage) -> None:
    job_id = await shared.start_job("count", {"to": 100_000, "pause": 0.02})
    await shared.follow(job_id, most=3)
    status, body = await shared.post("/api/cancel_job", {"job_id": job_id})
    assert (status, body["state"]) == (200, "canceled")
    story = await shared.follow(job_id)
    assert story[-1]["type"] == "error"
    assert len(story) >= 4


async def test_many_events_arrive_complete_and_in_order(shared: Stage) -> None:
    job_id = await shared.start_job("count", {"to": 20_000})
    story = await shared.follow(job_id)
    assert [event["message"] for event in story[:-1]] == [f"line {n}" for n in range(1, 20_001)]


async def test_a_noisy_job_does_not_starve_calls(shared: Stage) -> None:
    job_id = await shared.start_job("count", {"to": 1_000_000})
    for number in range(20):
        assert await shared.invoke("echo", {"number": number}, timeout=30) == (200, {"number": number})
    status, _ = await shared.post("/api/cancel_job", {"job_id": job_id})
    assert status == 200


async def test_unknown_jobs_are_unknown_everywhere(shared: Stage) -> None:
    assert (await shared.get("/api/job_result?id=j0"))[0] == 404
    assert (await shared.get("/api/stream_job?id=j0"))[0] == 404
    status, problem = await shared.post("/api/cancel_job", {"job_id": "j0"})
    assert status == 404
    assert "unknown job" in problem["detail"]


async def test_five_hundred_jobs_run_at_once(shared: Stage) -> None:
    jobs = await asyncio.gather(*(shared.start_job("count", {"to": 3}) for _ in range(500)))
    stories = await asyncio.gather(*(shared.follow(job_id) for job_id in jobs))
    assert all(story[-1]["type"] == "done" and len(story) == 4 for story in stories)
