"""A game server for tests, written with the SDK. It notes what really happened in a file, a line each."""

import argparse
import asyncio
import os
import time
from pathlib import Path

from croupier_sdk import CallContext, JobContext, Provider, RawPayload, Rejected


def build(provider: Provider, ledger: Path) -> None:
    def note(what: str) -> None:
        with ledger.open("a") as file:
            file.write(what + "\n")

    @provider.function("echo", mode="query")
    async def echo(payload: RawPayload) -> bytes:
        return payload

    @provider.function("act")
    async def act(key: str, seconds: float = 0.0) -> dict[str, str]:
        """Notes the key when it begins and when it ends, or that it was cancelled."""
        note(f"begin {key}")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            note(f"cancelled {key}")
            raise
        note(f"end {key}")
        return {"key": key, "by": provider.service_id}

    @provider.function("guarded", two_person_rule=True)
    async def guarded(key: str, seconds: float = 0.0) -> dict[str, str]:
        """As `act`, but somebody else has to approve it."""
        return await act(key, seconds)

    @provider.function("player.ban", risk="high")
    async def ban(player_id: str) -> dict[str, str]:
        """What a platform may want two people for."""
        return await act(player_id)

    @provider.function("pid")
    async def pid() -> int:
        return os.getpid()

    @provider.function("no")
    async def no() -> None:
        raise Rejected("the player is in a match", details={"match": "m1"})

    @provider.function("broken")
    def broken() -> None:
        raise RuntimeError("the database is on fire")

    @provider.function("hang", timeout="1s")
    def hang() -> None:
        time.sleep(60)

    @provider.function("left")
    async def left(call: CallContext) -> float | None:
        """How many seconds it has."""
        return call.remaining()

    @provider.function("left_of_two", timeout="2s")
    async def left_of_two(call: CallContext) -> float | None:
        return call.remaining()

    @provider.function("blocking")
    def blocking(key: str, call: CallContext) -> None:
        """A thread's handler that looks whether anybody waits for it."""
        note(f"begin {key}")
        while not call.cancelled:
            time.sleep(0.01)
        note(f"cancelled {key}")

    @provider.function("large")
    async def large(size: int) -> RawPayload:
        return b'"' + b"x" * (size - 2) + b'"'

    @provider.job("count")
    async def count(job: JobContext, to: int = 10, pause: float = 0.0) -> dict[str, int]:
        for number in range(1, to + 1):
            await job.log(f"line {number}")
            if pause:
                await asyncio.sleep(pause)
        return {"counted": to}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", required=True)
    parser.add_argument("--service-id", default="game-1")
    parser.add_argument("--mode", choices=["attach", "listen"], default="attach")
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    provider = Provider(
        agent=options.agent, service_id=options.service_id, game_id="demo", env="dev", mode=options.mode
    )
    build(provider, options.ledger)
    provider.run()


if __name__ == "__main__":
    main()
