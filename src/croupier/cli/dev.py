import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from croupier import demo
from croupier.agent import app as agent_app
from croupier.cli.client import Client
from croupier.cli.exits import RequestFailed
from croupier.cli.logs import set_up_logging
from croupier.cli.parts import Parts
from croupier.cli.process import serve
from croupier.errors import Unavailable
from croupier.redaction import Redactor
from croupier.server import app as server_app
from croupier.settings import (
    AgentSettings,
    ClientSettings,
    LogFormat,
    LogLevel,
    ServerSettings,
    TelemetrySettings,
    ensure_token,
    load,
)
from croupier.shipped import shipped_pack

GAME_ID = "demo"
ENV = "dev"
START_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """What a script needs to drive it; the line that `--json` prints, field by field."""

    url: str
    token: str
    grpc: str
    agent: str
    page: str
    """Opens the page, signed in; once, within a quarter of an hour."""
    game_id: str = GAME_ID
    env: str = ENV


@click.command(short_help="Run server, agent and a sample game in one process")
@click.option(
    "--http",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="the HTTP API; port 0: all take free ports",
)
@click.option("--grpc", metavar="HOST:PORT", help="agents and gRPC callers  [127.0.0.1:8443]")
@click.option("--agent-grpc", metavar="HOST:PORT", help="game servers attach here  [127.0.0.1:19090]")
@click.option("--agent-http", metavar="HOST:PORT", help="the agent's health and metrics  [127.0.0.1:19091]")
@click.option("--data", type=click.Path(path_type=Path), default=Path("data/dev"), show_default=True, metavar="DIR")
@click.option("--log-level", default=str(LogLevel.WARNING), show_default=True, metavar="LEVEL")
@click.option("--log-format", default=str(LogFormat.TEXT), show_default=True, metavar="FORMAT")
@click.option("--json", "as_json", is_flag=True, help="print one line of JSON when it is ready")
def command(
    http: str,
    grpc: str | None,
    agent_grpc: str | None,
    agent_http: str | None,
    data: Path,
    log_level: str,
    log_format: str,
    as_json: bool,
) -> None:
    """Run a server, an agent and a sample game until SIGTERM or Ctrl-C, and say how to call it.

    Everything it keeps is in --data. The token it prints is for this development server only.
    """
    # Scripts ask for a free port so that several can run at once: then no other port may be a fixed one either.
    free = "127.0.0.1:0" if http.endswith(":0") else None
    logs = {"log_level": log_level, "log_format": log_format}
    token, _ = ensure_token(data)
    server = load(
        ServerSettings,
        flags={
            "http": http,
            "grpc": grpc or free,
            "data": data / "server",
            "token": token,
            "packs": {"allow_unsigned": True, "directories": _described_game()},
            **logs,
        },
    )
    agent = load(
        AgentSettings,
        flags={
            "agent_id": "dev-agent",
            "game_id": GAME_ID,
            "env": ENV,
            "grpc": agent_grpc or free,
            "http": agent_http or free,
            "data": data / "agent",
            **logs,
        },
    )
    redactor = Redactor()
    set_up_logging(server.log_level, server.log_format, redactor)
    run_server = partial(server_app.run, redactor=redactor, development=True)
    telemetry = load(TelemetrySettings, flags={})
    serve(partial(_run, run_server, server, agent, telemetry, token, data / "demo", as_json=as_json))


def _described_game() -> list[str]:
    """Where the sample game's pack lies, if it was installed with the program."""
    pack = shipped_pack("player")
    return [str(pack)] if pack is not None else []


async def _run(
    run_server: Callable[..., Coroutine[Any, Any, None]],
    server: ServerSettings,
    agent: AgentSettings,
    telemetry: TelemetrySettings,
    token: SecretStr,
    data: Path,
    *,
    as_json: bool,
) -> None:
    async with Parts() as parts:
        served = await parts.start("the server", partial(run_server, server, telemetry=telemetry))
        agent = agent.model_copy(update={"servers": (served.grpc,)})
        attached = await parts.start("the agent", partial(agent_app.run, agent, telemetry=telemetry))
        game = demo.build(data, agent=attached.grpc, game_id=GAME_ID, env=ENV)
        parts.add("the sample game", game.serve())
        ready = Ready(
            url=f"http://{served.http}",
            token=token.get_secret_value(),
            grpc=served.grpc,
            agent=attached.grpc,
            page=served.page,
        )
        await parts.while_running(_until_callable(ready))
        click.echo(json.dumps(asdict(ready)) if as_json else _words(ready))
        sys.stdout.flush()
        await parts.while_running(asyncio.Event().wait())


async def _until_callable(ready: Ready) -> None:
    """Returns when the server, asked as any caller would, knows a function of the game. Raises Unavailable."""
    settings = ClientSettings(
        url=ready.url, ca=None, token=SecretStr(ready.token), game_id=ready.game_id, env=ready.env
    )
    try:
        async with asyncio.timeout(START_SECONDS), Client(settings) as client:
            while not (await client.ask("/api/registry", {})).get("functions"):  # noqa: ASYNC110 — nobody tells a caller
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    except TimeoutError as error:
        raise Unavailable(f"the sample game did not reach the server within {START_SECONDS:.0f} s") from error
    except RequestFailed as error:
        raise Unavailable(f"the server does not answer its own process: {error.problem.detail}") from error


def _words(ready: Ready) -> str:
    program = sys.argv[0] if "/" in sys.argv[0] else "croupier"
    address = "" if ready.url == "http://127.0.0.1:8080" else f" CROUPIER_URL={ready.url}"
    return f"""Croupier is ready. Ctrl-C ends it.

  page       {ready.page}
             (signs you in, once, within a quarter of an hour)
  HTTP API   {ready.url}
  gRPC       {ready.grpc}
  agent      {ready.agent}    (game servers attach here)
  token      {ready.token}

In another terminal:

  export CROUPIER_TOKEN={ready.token} CROUPIER_GAME_ID={ready.game_id} CROUPIER_ENV={ready.env}{address}
  {program} registry
  {program} invoke player.list
  {program} invoke player.ban player_id=p0001 reason=cheating
  {program} invoke --job mail.send_all text=Hello
"""
