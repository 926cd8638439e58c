"""How long somebody waits for a process of ours."""

import time

import aiohttp

from deployment import start_server
from figures import Figure, figure
from processes import CROUPIER, PYTHON, Broken, Stage

ROUNDS = 5
QUICK_ROUNDS = 1


async def answers(url: str) -> None:
    try:
        async with aiohttp.ClientSession() as session, session.get(url, raise_for_status=True) as response:
            await response.read()
    except aiohttp.ClientError as error:
        raise Broken(f"{url} does not answer as it should: {error!r}") from error


async def server(stage: Stage) -> float:
    """Seconds from the command to an answer of /readyz."""
    began = time.perf_counter()
    product = await start_server(stage)
    await answers(product.url + "/readyz")
    took = time.perf_counter() - began
    await product.server.stop()
    return took


async def command_line(stage: Stage) -> float:
    """Seconds that a process takes which imports the command line and ends."""
    began = time.perf_counter()
    process, _ = await stage.start("import", PYTHON, "-c", "import croupier.cli.main; print('READY')", ready="^READY")
    await process.ended()
    return time.perf_counter() - began


async def dev(stage: Stage, number: int) -> float:
    """Seconds from `croupier dev` to an API that answers and a game that can be called."""
    began = time.perf_counter()
    process, found = await stage.start(
        "dev",
        *(CROUPIER, "dev", "--json", "--http", "127.0.0.1:0", "--data", str(stage.scratch / f"dev-{number}")),
        ready=r'"url": "([^"]+)"',
    )
    await answers(found[1] + "/readyz")
    took = time.perf_counter() - began
    await process.stop()
    return took


async def run(stage: Stage) -> list[Figure]:
    """The first round, which writes bytecode, does not count."""
    rounds = range((QUICK_ROUNDS if stage.quick else ROUNDS) + 1)
    return [
        figure("start: croupier server", [await server(stage) for _ in rounds][1:], unit="s", at_most=1.5),
        figure("start: import of the CLI", [await command_line(stage) for _ in rounds][1:], unit="s", at_most=0.25),
        figure("start: croupier dev", [await dev(stage, number) for number in rounds][1:], unit="s", at_most=20.0),
    ]
