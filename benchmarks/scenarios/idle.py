"""Agents with nothing to do: what each costs the server in memory, and all of them in time."""

import asyncio
import time

from deployment import Deployment, start_server
from figures import Figure, figure
from processes import Broken, Process, Stage

AGENTS = 5_000
QUICK_AGENTS = 500
LOAD_PROCESSES = 2
DIALLED_PER_SECOND = 60.0
"""By each of the load processes."""
LOOK_SECONDS = 45.0
QUICK_LOOK_SECONDS = 10.0
_CONNECT_SECONDS = 240.0


async def connect(stage: Stage, product: Deployment, count: int, *, function: str) -> list[Process]:
    """Open `count` tunnels at a bounded rate, from two processes at once."""
    started = await asyncio.gather(
        *(
            stage.program(
                "agents",
                product.grpc,
                *("--count", str(count // LOAD_PROCESSES)),
                *("--rate", str(DIALLED_PER_SECOND)),
                *("--prefix", f"idle-{number}"),
                *("--function", function),
                seconds=_CONNECT_SECONDS,
            )
            for number in range(LOAD_PROCESSES)
        )
    )
    return [process for process, _ in started]


async def check_open(load: list[Process], count: int) -> None:
    answers = await asyncio.gather(*(process.ask({"do": "count"}, 20) for process in load))
    if (opened := sum(answer["open"] for answer in answers)) != count:
        raise Broken(f"{opened} of {count} tunnels are open")


async def run(stage: Stage) -> list[Figure]:
    count = QUICK_AGENTS if stage.quick else AGENTS
    seconds = QUICK_LOOK_SECONDS if stage.quick else LOOK_SECONDS
    product = await start_server(stage)
    before, began = product.server.rss(), time.monotonic()
    load = await connect(stage, product, count, function="bench.idle")
    took = time.monotonic() - began
    each = (product.server.rss() - before) / count / 1024
    spent, began = product.server.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    busy = (product.server.cpu() - spent) / (time.monotonic() - began)
    await check_open(load, count)
    return [
        figure("idle: memory of an agent", [each], unit="KB", at_most=80.0),
        figure("idle: CPU of one core", [busy * 100], unit="%", at_most=15.0),
        figure("idle: agents", [count], unit="", rising=True),
        figure("idle: connecting them", [took], unit="s"),
    ]
