"""What every command that calls a server shares: its flags, its settings, its way of running and failing."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import SecretStr

from croupier.cli.client import Client
from croupier.cli.exits import RequestFailed, fail
from croupier.cli.flags import config_option
from croupier.cli.sessions import kept_session
from croupier.settings import ClientSettings, load

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--game", "--game-id", "game_id", metavar="ID", help="the game  [env: CROUPIER_GAME_ID]"),
    click.option("--env", metavar="NAME", help="the game's environment  [env: CROUPIER_ENV]"),
    click.option("--url", metavar="URL", help="the server's HTTP API  [env: CROUPIER_URL]"),
    click.option("--token", help="bearer token; rather set CROUPIER_TOKEN, since others can see flags"),
    config_option,
    click.option("--json", "as_json", is_flag=True, help="print what programs read; errors as a problem document"),
)


def connection_options(command: F) -> F:
    """Adds the flags; the command takes them as `game_id, env, url, token, config, as_json`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def client_settings(*, config: Path | None, with_session: bool = True, **flags: str | None) -> ClientSettings:
    """With the session of `croupier login` where there is no token. Raises InvalidArgument naming every fault."""
    settings = load(ClientSettings, flags=flags, config=config)
    if settings.token is None and with_session and (kept := kept_session(settings.url)) is not None:
        return settings.model_copy(update={"token": SecretStr(kept.token)})
    return settings


def require_scope(settings: ClientSettings) -> None:
    """Raises click.UsageError when the game or the environment is not known."""
    if not settings.game_id or not settings.env:
        raise click.UsageError(
            "which game? Give --game and --env, set CROUPIER_GAME_ID and CROUPIER_ENV, or write them in the file"
        )


def run(what: str, settings: ClientSettings, work: Callable[[Client], Awaitable[T]], *, as_json: bool) -> T:
    """Do `work` with a client. A RequestFailed ends the command with words that start with `what`."""

    async def connected() -> T:
        _cancel_at_interrupt()
        async with Client(settings) as client:
            return await work(client)

    try:
        return asyncio.run(connected())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except RequestFailed as error:
        fail(what, error.problem, as_json=as_json)


def _cancel_at_interrupt() -> None:
    """Ctrl-C cancels the running task; a second one does not wait for its cleaning.

    asyncio's own handling misses a signal that arrives between the interpreter's last look and the wait for events, and the
    command then goes on waiting for its answer; a handler of the loop wakes it.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        return

    def interrupt() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        task.cancel()

    loop.add_signal_handler(signal.SIGINT, interrupt)
