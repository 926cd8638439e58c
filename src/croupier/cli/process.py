"""Running until somebody says stop."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from croupier.cli.collector import settle_collector


def serve(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` until it returns, or cancel it at SIGTERM or SIGINT and wait for it to end; both are a good end.

    A second signal does not wait: it ends the process as if nothing had been set up.
    """
    settle_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(work))


async def _until_stopped(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work())
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
        task.cancel()

    for each in _SIGNALS:
        loop.add_signal_handler(each, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
