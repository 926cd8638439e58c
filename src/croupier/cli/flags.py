"""Flags that several commands share, apart from those of a connection: a server needs no HTTP client to read its own."""

from pathlib import Path
from typing import Any

import click

from croupier.domain.trace import begin_trace
from croupier.settings.fields import parse_duration


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
