"""Programs that tests run: started, talked to, and ended with the context that they were started for, whatever happens in it.

A process that outlives its event loop is found by the garbage collector, and fails a test that has nothing to do with it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

STDIN, STDOUT, STDERR = range(3)


class Said(NamedTuple):
    """What a program that has ended said."""

    code: int
    out: str
    err: str


@asynccontextmanager
async def running(*command: str, **options: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process of `command`, for as long as this context lasts; `options` are those of `start`."""
    process = await start(*command, **options)
    try:
        yield process
    finally:
        await end(process)


async def completed(*command: str, lines: str = "", **options: Any) -> Said:
    """Run `command` to its end, with `lines` on its standard input."""
    async with running(*command, stdin=asyncio.subprocess.PIPE, **options) as process:
        out, err = await process.communicate(lines.encode())
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), (err or b"").decode())


async def start(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """A process that reads nothing and whose output are pipes, unless `options` (of create_subprocess_exec) say otherwise.

    Whoever starts it ends it with `end`. If this is cancelled there is no process.
    """
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(*command, **(pipes | options)))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await end(await starting)
        raise


async def end(process: asyncio.subprocess.Process) -> int:
    """Kill it if it still runs, close our ends of its pipes, and return its exit code. Safe to repeat."""
    tell(process, signal.SIGKILL)
    return await asyncio.shield(asyncio.ensure_future(_closed(process)))


async def _closed(process: asyncio.subprocess.Process) -> int:
    # Nobody may be reading them, or a child of its own may hold the other end: then waiting for their end would last for ever.
    for number in (STDIN, STDOUT, STDERR):
        if pipe := process._transport.get_pipe_transport(number):
            pipe.close()
    return await process.wait()


def tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal. Unlike `send_signal` this never asks whether it has ended, and so never takes its exit code from asyncio."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def environment(**variables: str) -> dict[str, str]:
    """Ours without the settings of Croupier, and with `variables`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")} | variables
