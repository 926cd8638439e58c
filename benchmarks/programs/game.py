"""A game server with our SDK: an echo with a typed schema, and a job that tells a lot."""

import sys

import uvloop

from croupier_sdk import JobContext, Provider
from programs import driven

provider = Provider(service_id="game-1", game_id="bench", env="dev", agent=sys.argv[1])


@provider.function("bench.echo")
async def echo(text: str) -> dict[str, str]:
    """Say it again."""
    return {"text": text}


@provider.job("bench.story")
async def story(job: JobContext, lines: int) -> dict[str, int]:
    """Log so many lines."""
    for number in range(lines):
        await job.log(f"mail {number} of {lines} is on its way to its player")
    return {"lines": lines}


async def main() -> None:
    async with provider:
        await provider.ready()
        driven.ready()
        await driven.until_told_to_stop()


if __name__ == "__main__":
    uvloop.run(main())
