from functools import partial
from pathlib import Path
from typing import Any

import click

from croupier.cli.flags import config_option, machine_options
from croupier.cli.logs import set_up_logging
from croupier.cli.process import serve
from croupier.redaction import Redactor
from croupier.server import app
from croupier.settings import ServerSettings, TelemetrySettings, load


@click.command(short_help="Run a server")
@click.option("--http", metavar="HOST:PORT", help="where the HTTP API listens  [127.0.0.1:8080]")
@click.option("--grpc", metavar="HOST:PORT", help="where agents and gRPC callers are served  [127.0.0.1:8443]")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="database and keys  [data/server]")
@click.option("--resume-window", metavar="DURATION", help="how long a lost agent may resume its session  [10s]")
@click.option("--job-lost-after", metavar="DURATION", help="how long a lost agent's jobs are waited for  [60s]")
@click.option("--edges", metavar="HOST:PORT,…", help="edges to dial; others may dial this server")
@click.option("--hosts", metavar="NAME,…", help="names and addresses under which others reach it")
@click.option("--http-tls", is_flag=True, default=None, help="HTTPS on loopback too; elsewhere it always is")
@machine_options
@click.option("--allow-unsigned", is_flag=True, help="take packs that no trusted key signed")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error  [info]")
@click.option("--log-format", metavar="FORMAT", help="text or json  [text]")
@config_option
def command(config: Path | None, allow_unsigned: bool, **flags: Any) -> None:
    """Run a server until SIGTERM or Ctrl-C. Agents connect to it; people and programs call through it."""
    settings = load(ServerSettings, flags=flags, config=config)
    if allow_unsigned:
        packs = settings.packs.model_copy(update={"allow_unsigned": True})
        settings = settings.model_copy(update={"packs": packs})
    telemetry = load(TelemetrySettings, flags={}, config=config)
    redactor = Redactor()
    set_up_logging(settings.log_level, settings.log_format, redactor)
    serve(partial(app.run, settings, telemetry=telemetry, ready=_say_how_to_begin, redactor=redactor))


def _say_how_to_begin(info: app.ReadyInfo) -> None:
    """On the terminal and not in the log: whoever has the link becomes the administrator."""
    if info.setup_link:
        click.echo(
            f"Nobody has an account yet. Make the first one, within a day, at\n\n"
            f"  {info.setup_link}\n\nor by `croupier user setup`, which asks for this link.",
            err=True,
        )
