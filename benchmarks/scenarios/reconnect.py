"""A thousand agents lose their streams and dial again at once, while calls run to another one."""

import asyncio
from collections.abc import Sequence
from typing import Any

from deployment import Deployment, payload_of, start_all
from figures import Figure, figure
from processes import Broken, Process, Stage
from scenarios.idle import check_open, connect

AGENTS = 1_000
QUICK_AGENTS = 200
IN_FLIGHT = 16
CALLING_SECONDS = 12.0
QUICK_CALLING_SECONDS = 5.0
ROUNDS = 3
_SETTLE_SECONDS = 1.0
_BACK_SECONDS = 60.0


async def drop(load: Sequence[Process]) -> list[Any]:
    """Cut every stream once the calls are running; returns when all agents are back."""
    await asyncio.sleep(_SETTLE_SECONDS)
    return await asyncio.gather(*(process.ask({"do": "drop"}, _BACK_SECONDS) for process in load))


async def one_round(product: Deployment, load: Sequence[Process], count: int, seconds: float) -> tuple[float, float]:
    """Seconds until all are back, and the slowest call in milliseconds. Raises Broken when a call fails."""
    calls, answers = await asyncio.gather(
        product.load(in_flight=IN_FLIGHT, seconds=seconds, payload=payload_of(100)), drop(load)
    )
    if (resumed := sum(answer["resumed"] for answer in answers)) != count:
        raise Broken(f"{resumed} of {count} sessions were resumed")
    return max(answer["seconds"] for answer in answers), calls.worst


async def run(stage: Stage) -> list[Figure]:
    count = QUICK_AGENTS if stage.quick else AGENTS
    product = await start_all(stage, "tunnel")
    load = await connect(stage, product, count, function="bench.idle")
    seconds = QUICK_CALLING_SECONDS if stage.quick else CALLING_SECONDS
    rounds = [await one_round(product, load, count, seconds) for _ in range(1 if stage.quick else ROUNDS)]
    await check_open(load, count)
    return [
        figure("reconnect: all are back", [back for back, _ in rounds], unit="s", at_most=10.0),
        figure("reconnect: slowest call", [worst for _, worst in rounds], unit="ms", at_most=5000.0),
        figure("reconnect: agents", [count], unit="", rising=True),
    ]
