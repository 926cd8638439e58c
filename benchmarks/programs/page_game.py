"""A game server whose functions ask much of the page: a wide form, a long table, a log that runs."""

import asyncio
import inspect
import sys
from typing import Annotated, Any, Literal

import uvloop

from croupier_sdk import Field, JobContext, Provider
from programs import driven

FIELDS = 200
CONDITIONAL = 10
"""Every so many fields one is shown only where the field before it says something."""

provider = Provider(service_id="game-1", game_id="bench", env="dev", agent=sys.argv[1])


async def form(**values: Any) -> dict[str, int]:
    """As many arguments as no operator would like to fill in."""
    return {"given": len(values)}


def argument(number: int) -> tuple[Any, Any]:
    """The annotation of a field, and its default: texts, numbers, choices and switches by turns."""
    field = Field(label={"en": f"Field {number}", "zh": f"字段 {number}"}, description=f"What number {number} is for.")
    if number % CONDITIONAL == CONDITIONAL - 1:
        shown = Field(label=field.label, show_if=f"$.field_{number - 4:03} && length($.field_{number - 4:03}) > 2")
        return Annotated[str, shown], ""
    if number % 5 == 1:
        return Annotated[int, Field(label=field.label, ge=0, le=1000)], 0
    if number % 5 == 2:
        return Annotated[Literal["small", "middle", "large"], field], "small"
    if number % 5 == 3:
        return Annotated[bool, field], False
    return Annotated[str, Field(label=field.label, description=field.description, max_length=200)], ""


def offer_form() -> None:
    arguments = {f"field_{number:03}": argument(number) for number in range(FIELDS)}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, default=default) for name, (_, default) in arguments.items()]
    form.__annotations__ = {**{name: kind for name, (kind, _) in arguments.items()}, "return": dict[str, int]}
    form.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by the SDK
    provider.function("page.form", display_name="A wide form")(form)


@provider.function(
    "page.rows", mode="query", views=[{"id": "rows", "type": "table", "title": "Rows", "transform": {"expr": "$.rows"}}]
)
async def rows(count: int = 10_000) -> dict[str, list[dict[str, Any]]]:
    """A long table."""
    return {"rows": [row(number) for number in range(count)]}


def row(number: int) -> dict[str, Any]:
    return {
        "player_id": f"p{number:06}",
        "name": f"Player number {number}",
        "level": number % 90,
        "coins": number * 37 % 100_003,
        "banned": number % 11 == 0,
        "last_login": f"2026-03-{number % 28 + 1:02}T08:{number % 60:02}:00Z",
    }


@provider.job("page.log")
async def log(job: JobContext, lines: int, per_second: int = 0) -> dict[str, int]:
    """Log so many lines, evenly; 0 a second for as fast as they are taken."""
    began = asyncio.get_running_loop().time()
    for number in range(lines):
        if per_second:
            ahead = began + number / per_second - asyncio.get_running_loop().time()
            if ahead > 0:
                await asyncio.sleep(ahead)
        await job.log(f"line {number} of {lines}: mail is on its way to player p{number % 10_000:05}")
    return {"lines": lines}


async def main() -> None:
    offer_form()
    async with provider:
        await provider.ready()
        driven.ready()
        await driven.until_told_to_stop()


if __name__ == "__main__":
    uvloop.run(main())
