"""Many game servers with our SDK in one process, each attached by a stream of its own, with an echo each."""

import argparse
import asyncio
from contextlib import AsyncExitStack

import uvloop

from croupier_sdk import Provider
from programs import driven


def game_server(number: int, agent: str) -> Provider:
    provider = Provider(service_id=f"game-{number}", game_id="bench", env="dev", agent=agent)

    @provider.function("bench.echo")
    async def echo(text: str) -> dict[str, str]:
        """Say it again."""
        return {"text": text}

    return provider


async def main(options: argparse.Namespace) -> None:
    providers = [game_server(number, options.agent) for number in range(options.count)]
    async with AsyncExitStack() as stack:
        for provider in providers:
            await stack.enter_async_context(provider)
        await asyncio.gather(*(provider.ready() for provider in providers))
        driven.ready()
        await driven.until_told_to_stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("agent")
    parser.add_argument("--count", type=int, default=100)
    uvloop.run(main(parser.parse_args()))
