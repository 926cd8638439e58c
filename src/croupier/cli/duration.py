from typing import Any

import click

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
