"""Whatever dies, and however often: nothing runs twice, nobody is told a lie, everything comes back by itself.

A seed decides what is broken when, though not how the processes' own timing falls. `make chaos SEED=7 MINUTES=10`
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.system.chaos import HEADERS, Arena, Load, Monkey, call_faults, healed, story_faults

SEED = os.environ.get("CHAOS_SEED", "1")
SECONDS = float(os.environ.get("CHAOS_MINUTES", "0")) * 60 or 40.0
MEMORY = 300
"""MB that no process may exceed."""
SERVICES = {"game-1": "act", "game-2": "act", "foreign-1": "foreign.act", "foreign-2": "foreign.act"}


@pytest.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Arena]:
    arena = Arena(tmp_path)
    yield arena
    await arena.end()


async def reachable(load: Load) -> bool:
    """Every game server answers a call that names it."""
    for service_id, function in SERVICES.items():
        body = {
            "function_id": function,
            "payload": {"key": f"look-{os.urandom(6).hex()}", "seconds": 0},
            "route": "targeted",
            "target_service_id": service_id,
        }
        status, _ = await load.post("/api/invoke", body)
        if status != 200:
            return False
    return True


async def settled(load: Load) -> bool:
    """No job is left pending or running."""
    found: Any = await load.get("/api/jobs?state=running&state=pending")
    return found.get("jobs") == []


@pytest.mark.timeout(SECONDS + 400)
async def test_nothing_runs_twice_and_no_story_has_a_gap_whatever_is_killed_stopped_and_cut(arena: Arena) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:
        load = Load(arena, session, SEED)
        await arena.start()
        try:
            await healed(lambda: reachable(load), "every game server can be called before it begins")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{arena.last_words()}") from error
        running = asyncio.ensure_future(load.run())
        busy: set[str] = set()
        monkeys = [Monkey(arena, f"{SEED}-{number}", busy) for number in range(2)]
        try:
            await asyncio.gather(*(monkey.rage(SECONDS) for monkey in monkeys))
            await healed(lambda: reachable(load), "every game server can be called after it ended")
            load.stop()
            async with asyncio.timeout(120):
                await running
            await load.ask_again()
            await healed(lambda: settled(load), "no job is left running")
            late = {key: [event async for event in load.events(job.job_id, 0)] for key, job in load.jobs.items()}
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            sys.stdout.write(report(arena, load, monkeys) + "\n")
        for name in arena.programs:
            arena.weigh(name)

    faults = [*call_faults(load, arena.ledger), *story_faults(load, arena.ledger)]
    faults += [
        f"{key}: who came late saw another story" for key, story in late.items() if story != load.jobs[key].story
    ]
    faults += [wrong for monkey in monkeys for wrong in monkey.wrong]
    faults += [f"{name} took {peak} MB" for name, peak in arena.peaks.items() if peak > MEMORY]
    assert not faults, f"seed {SEED}:\n" + "\n".join(faults)
    assert sum(told.answer == "ok" for told in load.told.values()) > len(load.told) / 4


def report(arena: Arena, load: Load, monkeys: list[Monkey]) -> str:
    """The totals of a run."""
    keyed = Counter(told.answer for told in load.told.values() if told.keyed)
    unkeyed = Counter(told.answer for told in load.told.values() if not told.keyed)
    ends = Counter(job.story[-1]["type"] if job.ended else "no end" for job in load.jobs.values())
    acts = Counter(done.split(" ")[0] for monkey in monkeys for done in monkey.done)
    lines = {
        "seed": SEED,
        "seconds": SECONDS,
        "broken": dict(acts),
        "in turn": [monkey.done for monkey in monkeys],
        "keyed calls": dict(keyed),
        "unkeyed calls": dict(unkeyed),
        "job starts": dict(Counter(load.starts.values())),
        "jobs": dict(ends),
        "job events": sum(len(job.story) for job in load.jobs.values()),
        "executions": len(arena.ledger.lines()),
        "most memory, MB": arena.peaks,
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())
