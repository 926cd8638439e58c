"""Flags that several commands share, apart from those of a connection: a server needs no HTTP client to read its own."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from croupier.domain.trace import begin_trace
from croupier.settings.fields import parse_duration

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """`30s`, `500ms`, `2m` or seconds, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds <= 0:
            self.fail("a duration is above 0", param, ctx)
        return seconds


class TraceId(click.ParamType[str]):
    """32 hexadecimal digits, or a UUID, as 32 hexadecimal digits."""

    name = "trace id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        asked = str(value).replace("-", "").lower()
        if begin_trace(asked).trace_id != asked:
            self.fail("a trace id is 32 hexadecimal digits, not all of them 0", param, ctx)
        return asked


config_option = click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="YAML file of settings  [env: CROUPIER_CONFIG]"
)


def join_options(*, required: bool = False) -> Callable[[F], F]:
    """Adds the flags by which a machine joins; the command takes them as `join, join_url, join_ca`."""
    options = (
        click.option(
            "--join",
            required=required,
            metavar="TOKEN",
            envvar="CROUPIER_JOIN_TOKEN",
            help="join token; rather set CROUPIER_JOIN_TOKEN",
        ),
        click.option(
            "--join-url",
            default="http://127.0.0.1:8080",
            show_default=True,
            metavar="URL",
            envvar="CROUPIER_JOIN_URL",
            help="HTTP API of the server to join",
        ),
        click.option(
            "--join-ca",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="whom to trust for --join-url, where its certificate is of another authority",
        ),
    )

    def decorate(command: F) -> F:
        return reduce(lambda decorated, option: option(decorated), reversed(options), command)

    return decorate


def machine_options(command: F) -> F:
    """Adds the flags of a certificate; the command takes them as `ca, cert, key, insecure`."""
    options = (
        click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="authority to trust, PEM"),
        click.option("--cert", type=click.Path(path_type=Path), metavar="FILE", help="own certificate, PEM"),
        click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="key of --cert, PEM"),
        click.option(
            "--insecure", is_flag=True, default=None, help="plain text though there is a certificate; on loopback only"
        ),
    )
    return reduce(lambda decorated, option: option(decorated), reversed(options), command)
