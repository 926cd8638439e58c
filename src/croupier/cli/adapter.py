from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from croupier.adapters import app
from croupier.cli.flags import config_option
from croupier.cli.logs import set_up_logging
from croupier.cli.process import serve
from croupier.settings import (
    AdapterSettings,
    AlertmanagerAdapterSettings,
    GrafanaAdapterSettings,
    HttpAdapterSettings,
    PromAdapterSettings,
    load,
)

F = TypeVar("F", bound=Callable[..., Any])


@click.group(short_help="Offer Prometheus, Grafana, Alertmanager or any HTTP API as functions")
def command() -> None:
    """Run an adapter until SIGTERM or Ctrl-C: a provider that attaches to an agent and offers another system's API as functions.

    Tokens are named, never given: --token-env says which environment variable holds one, --token-file which file.
    """


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options at once, shown in this order."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _shared(name: str) -> Callable[[F], F]:
    return _options(
        click.option("--agent", metavar="HOST:PORT", help="the agent to attach to  [127.0.0.1:19090]"),
        click.option("--game", "--game-id", "game_id", metavar="ID", help="the game of that agent"),
        click.option("--env", metavar="NAME", help="the game's environment, such as dev"),
        click.option("--service-id", metavar="NAME", help=f"its name among the agent's game servers  [adapter-{name}]"),
        click.option("--timeout", metavar="DURATION", help="how long an answer may take  [30s]"),
        click.option("--max-answer", metavar="BYTES", type=int, help="the largest answer that is passed on"),
        click.option("--concurrency", metavar="N", type=int, help="requests at once; more wait  [16]"),
        click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error  [info]"),
        click.option("--log-format", metavar="FORMAT", help="text or json  [text]"),
        config_option,
    )


def _upstream(url: str) -> Callable[[F], F]:
    return _options(
        click.option("--url", metavar="URL", help=f"where it is  [{url}]"),
        click.option("--token-env", metavar="NAME", help="the environment variable that holds the token to send"),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="the file that holds the token to send",
        ),
    )


@command.command(short_help="Prometheus: prom.query, prom.query_range")
@_upstream("http://127.0.0.1:9090")
@_shared("prom")
def prom(config: Path | None, **flags: Any) -> None:
    """Offer Prometheus's queries: prom.query, prom.query_range."""
    _serve(load(PromAdapterSettings, flags=flags, config=config))


@command.command(short_help="Any HTTP API of the hosts that are allowed: http.request")
@click.option(
    "--allow", multiple=True, metavar="HOST[:PORT]", help="a host that may be called, or *.suffix; repeatable"
)
@click.option("--methods", metavar="METHOD,…", help="methods that may be used  [all]")
@click.option("--allow-private/--no-allow-private", default=None, help="addresses of private networks may be called")
@click.option("--allow-loopback/--no-allow-loopback", default=None, help="addresses of this machine may be called")
@click.option(
    "--token-env", multiple=True, metavar="HOST=NAME", help="the variable that holds a host's token; repeatable"
)
@click.option("--token-file", multiple=True, metavar="HOST=FILE", help="the file that holds a host's token; repeatable")
@_shared("http")
def http(config: Path | None, **flags: Any) -> None:
    """Offer one function, http.request, which calls hosts that are allowed.

    Link-local and metadata addresses are never called, private ones and this machine only where it is said.
    """
    _serve(load(HttpAdapterSettings, flags={name: value or None for name, value in flags.items()}, config=config))


@command.command(short_help="Grafana: grafana.search")
@_upstream("http://127.0.0.1:3000")
@_shared("grafana")
def grafana(config: Path | None, **flags: Any) -> None:
    """Offer Grafana's dashboards: grafana.search."""
    _serve(load(GrafanaAdapterSettings, flags=flags, config=config))


@command.command(short_help="Alertmanager: alertmanager.alerts, silence, silences, expire_silence")
@_upstream("http://127.0.0.1:9093")
@_shared("alertmanager")
def alertmanager(config: Path | None, **flags: Any) -> None:
    """Offer Alertmanager: alertmanager.alerts, alertmanager.silences, alertmanager.silence, alertmanager.expire_silence."""
    _serve(load(AlertmanagerAdapterSettings, flags=flags, config=config))


def _serve(settings: AdapterSettings) -> None:
    set_up_logging(settings.log_level, settings.log_format)
    serve(partial(app.run, settings))
