"""A game server for the chaos test, written with the SDK."""

import argparse
import asyncio
from pathlib import Path

from tests.system.ledger import Ledger

from croupier_sdk import JobContext, Provider


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", required=True)
    parser.add_argument("--service-id", required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    ledger = Ledger(options.ledger)
    provider = Provider(agent=options.agent, service_id=options.service_id, game_id="demo", env="dev")

    @provider.function("act")
    async def act(key: str, seconds: float) -> dict[str, str]:
        ledger.begin(key, provider.service_id)
        await asyncio.sleep(seconds)
        return {"key": key}

    @provider.job("work")
    async def work(job: JobContext, key: str, to: int, pause: float) -> dict[str, str]:
        ledger.begin(key, provider.service_id)
        for number in range(1, to + 1):
            await job.log(f"line {number}")
            await asyncio.sleep(pause)
        return {"key": key}

    provider.run()


if __name__ == "__main__":
    main()
