import logging
from functools import partial
from pathlib import Path
from typing import Any

import click

from croupier.agent import app
from croupier.cli.enrolling import Claim, join_once
from croupier.cli.flags import config_option, join_options, machine_options
from croupier.cli.logs import set_up_logging
from croupier.cli.process import serve
from croupier.settings import AgentSettings, TelemetrySettings, load

_log = logging.getLogger(__name__)


@click.command(short_help="Run an agent beside game servers")
@click.option("--agent-id", metavar="NAME", help="name of this agent  [the host's name]")
@click.option("--game", "--game-id", "game_id", metavar="ID", help="the game whose servers attach here")
@click.option("--env", metavar="NAME", help="the game's environment, such as dev")
@click.option("--servers", metavar="HOST:PORT,…", help="servers to dial  [127.0.0.1:8443]")
@click.option("--grpc", metavar="HOST:PORT", help="where game servers are served  [127.0.0.1:19090]")
@click.option("--http", metavar="HOST:PORT", help="health and metrics  [127.0.0.1:19091]")
@click.option("--rpc-addr", metavar="HOST:PORT", help="where a server could call this agent directly")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="what survives a restart  [data/agent]")
@click.option("--region", help="shown in the registry")
@click.option("--zone", help="shown in the registry")
@click.option("--labels", metavar="NAME=VALUE,…", help="shown in the registry")
@click.option("--hosts", metavar="NAME,…", help="names under which game servers of other machines reach it")
@join_options()
@machine_options
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error  [info]")
@click.option("--log-format", metavar="FORMAT", help="text or json  [text]")
@config_option
def command(config: Path | None, join: str | None, join_url: str, join_ca: Path | None, **flags: Any) -> None:
    """Run an agent until SIGTERM or Ctrl-C. It dials the server; game servers of one game and env attach to it.

    With a join token it first gets a certificate, if it has none yet.
    """
    settings = load(AgentSettings, flags=flags, config=config)
    telemetry = load(TelemetrySettings, flags={}, config=config)
    set_up_logging(settings.log_level, settings.log_format)
    if join:
        claim = Claim(
            role="agent", id=settings.agent_id, game_id=settings.game_id, env=settings.env, hosts=settings.hosts
        )
        join_once(settings, join_url, join, claim, join_ca)
    serve(partial(app.run, settings, telemetry=telemetry, ready=_say_ready))


def _say_ready(info: app.ReadyInfo) -> None:
    _log.info("the agent is ready: game servers on %s, health on %s", info.grpc, info.http)
