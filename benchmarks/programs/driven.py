"""How the programs talk to the run: READY when they are, then one line of JSON in, one ANSWER out, until stdin ends."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any


def ready(address: str = "") -> None:
    print("READY", address, flush=True)


async def answer(ask: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]) -> None:
    """Answer every command with what `ask` returns."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        print("ANSWER", json.dumps(await ask(json.loads(line))), flush=True)


async def until_told_to_stop() -> None:
    async def ask(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}

    await answer(ask)
