"""A game server with our SDK: an echo with a typed schema, and a job that tells a lot."""

import asyncio
import sys

import uvloop

from croupier_sdk import JobContext, Provider
from programs import driven

provider = Provider(service_id="game-1", game_id="bench", env="dev", agent=sys.argv[1])


@provider.function("bench.echo")
async def echo(text: str) -> dict[str, str]:
    """Say it again."""
    return {"text": text}


waiting: set[asyncio.Event] = set()


@provider.job("bench.story")
async def story(job: JobContext, lines: int) -> dict[str, int]:
    """Wait for bench.begin, then log so many lines."""
    begun = asyncio.Event()
    waiting.add(begun)
    await begun.wait()
    for number in range(lines):
        await job.log(f"mail {number} of {lines} is on its way to its player")
    return {"lines": lines}


@provider.function("bench.begin")
async def begin() -> dict[str, int]:
    """Let the stories begin that wait; says how many."""
    begun = len(waiting)
    while waiting:
        waiting.pop().set()
    return {"begun": begun}


async def main() -> None:
    async with provider:
        await provider.ready()
        driven.ready()
        await driven.until_told_to_stop()


if __name__ == "__main__":
    uvloop.run(main())
