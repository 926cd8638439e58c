"""Jobs that tell a lot: events from the game server to stored and followed."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from deployment import ENV, GAME_ID, Deployment, start_all
from figures import Figure, figure
from processes import Broken, Process, Stage

JOBS = 4
LINES = 50_000
QUICK_LINES = 5_000
CROWD = 1_000
QUICK_CROWD = 100
CROWD_LINES = 4_000
QUICK_CROWD_LINES = 1_000
ROUNDS = 2
SETTLE = 2.0
"""Seconds that followers have to read that there is nothing yet: they are measured while they wait for news, not as they arrive."""
_TRIES = 100
_STORY_SECONDS = 120.0


async def start_job(product: Deployment, lines: int) -> str:
    body = {"function_id": "bench.story", "game_id": GAME_ID, "env": ENV, "payload": {"lines": lines}}
    status, answer = await product.ask("POST", "/api/start_job", body)
    if status != 200:
        raise Broken(f"the job did not start: {answer}")
    job_id: str = answer["job_id"]
    return job_id


async def begin(product: Deployment, jobs: int) -> float:
    """Let the jobs tell their stories; returns when that was, in seconds since 1970."""
    body = {"function_id": "bench.begin", "game_id": GAME_ID, "env": ENV, "payload": {}}
    for _ in range(_TRIES):
        status, answer = await product.ask("POST", "/api/invoke", body)
        if status != 200:
            raise Broken(f"the jobs did not begin: {answer}")
        jobs -= answer["begun"]
        if not jobs:
            return time.time()
    raise Broken(f"{jobs} jobs never came to the game server")


async def heard(followers: Process, events: int) -> float:
    """When the last follower had heard it all, in seconds since 1970. Raises Broken when one missed something."""
    ended: Any = await followers.ask({"do": "wait"}, _STORY_SECONDS)
    if not ended["least"] == ended["most"] == events:
        raise Broken(f"the followers saw {ended['least']} to {ended['most']} events of {events}")
    end: float = ended["end"]
    return end


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Events per second of all jobs together."""

    stored: float
    followed: float


async def tell(product: Deployment, followers: Process, *, jobs: int, lines: int, each: int) -> Rates:
    """So many jobs at once, with so many followers each, who are there before the first event."""
    started = await asyncio.gather(*(start_job(product, lines) for _ in range(jobs)))
    connected = await followers.ask({"do": "follow", "jobs": started, "each": each}, _STORY_SECONDS)
    if connected["connected"] != jobs * each:
        raise Broken(f"{connected['connected']} of {jobs * each} followers are connected")
    await asyncio.sleep(SETTLE)
    began = await begin(product, jobs)
    events = jobs * (lines + 1)
    end = await heard(followers, lines + 1)
    return Rates(
        stored=events / (max([await finished(product, job) for job in started]) - began),
        followed=events / (end - began),
    )


async def finished(product: Deployment, job: str) -> float:
    """When the job's end was stored, in seconds since 1970."""
    _, answer = await product.ask("GET", f"/jobs/{job}")
    if answer["state"] != "succeeded":
        raise Broken(f"the job ended as {answer['state']}: {answer['error']}")
    end: float = answer["finished_ms"] / 1000
    return end


async def run(stage: Stage) -> list[Figure]:
    lines, crowd, crowd_lines, rounds = (
        (QUICK_LINES, QUICK_CROWD, QUICK_CROWD_LINES, 1) if stage.quick else (LINES, CROWD, CROWD_LINES, ROUNDS)
    )
    product = await start_all(stage)
    followers, _ = await stage.program("followers", product.url, environ={"BENCH_TOKEN": product.token})
    await tell(product, followers, jobs=1, lines=crowd_lines, each=1)
    many = [await tell(product, followers, jobs=JOBS, lines=lines, each=1) for _ in range(rounds)]
    one = [await tell(product, followers, jobs=1, lines=crowd_lines, each=1) for _ in range(rounds)]
    crowded = [await tell(product, followers, jobs=1, lines=crowd_lines, each=crowd) for _ in range(rounds)]
    slowed = [full.stored / alone.stored for full, alone in zip(crowded, one, strict=True)]
    return [
        figure("jobs: events, stored and followed", [each.followed for each in many], unit="/s", at_least=20_000.0),
        figure("jobs: events, stored", [each.stored for each in many], unit="/s", rising=True),
        figure("jobs: with a crowd ÷ with one follower", slowed, at_least=0.8),
        figure("jobs: events of one, one follower", [each.stored for each in one], unit="/s", rising=True),
        figure("jobs: events of one, a crowd follows", [each.stored for each in crowded], unit="/s", rising=True),
        figure("jobs: told to the crowd", [each.followed * crowd for each in crowded], unit="/s", rising=True),
        figure("jobs: crowd", [crowd], unit="", rising=True),
    ]
