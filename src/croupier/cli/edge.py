import logging
from functools import partial
from pathlib import Path
from typing import Any

import click

from croupier.cli.enrolling import Claim, join_once
from croupier.cli.flags import config_option, join_options, machine_options
from croupier.cli.logs import set_up_logging
from croupier.cli.process import serve
from croupier.edge import app
from croupier.settings import EdgeSettings, load

_log = logging.getLogger(__name__)


@click.command(short_help="Run an edge between agents and servers")
@click.option("--edge-id", metavar="NAME", help="name of this edge  [the host's name]")
@click.option("--grpc", metavar="HOST:PORT", help="where agents, callers and servers are served  [127.0.0.1:9443]")
@click.option("--http", metavar="HOST:PORT", help="health and metrics  [127.0.0.1:9080]")
@click.option("--servers", metavar="HOST:PORT,…", help="servers to dial; others may dial this edge")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="its certificate  [data/edge]")
@click.option("--hosts", metavar="NAME,…", help="names and addresses under which agents and servers reach it")
@join_options()
@machine_options
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error  [info]")
@click.option("--log-format", metavar="FORMAT", help="text or json  [text]")
@config_option
def command(config: Path | None, join: str | None, join_url: str, join_ca: Path | None, **flags: Any) -> None:
    """Run an edge until SIGTERM or Ctrl-C. Agents dial it; it relays to the servers it dials, or that dial it.

    The token that it shares with its servers is no flag: write it in the file, or set CROUPIER_EDGE_LINK_TOKEN.
    With a join token it first gets a certificate, if it has none yet.
    """
    settings = load(EdgeSettings, flags=flags, config=config)
    set_up_logging(settings.log_level, settings.log_format)
    if join:
        join_once(settings, join_url, join, Claim(role="edge", id=settings.edge_id, hosts=settings.hosts), join_ca)
    serve(partial(app.run, settings, ready=_say_ready))


def _say_ready(info: app.ReadyInfo) -> None:
    _log.info("the edge is ready: gRPC on %s, health on %s", info.grpc, info.http)
