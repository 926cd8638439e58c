"""The flags that say which jobs or calls are meant; names and meanings are those of the HTTP API."""

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import click

from croupier.domain.job import JobState

F = TypeVar("F", bound=Callable[..., Any])

_TIMES = (
    click.option("--since", metavar="TIME", help="begun then or later, such as 2026-01-31T18:00:00Z"),
    click.option("--until", metavar="TIME", help="begun before"),
)
_COMMON = (
    click.option("--function", "function_id", metavar="ID", help="of this function"),
    click.option("--caller", metavar="NAME", help="begun by this caller"),
    *_TIMES,
)
_JOBS = (
    click.option("--state", multiple=True, type=click.Choice([str(state) for state in JobState]), help="repeatable"),
    *_COMMON,
    click.option("--agent", "agent_id", metavar="ID", help="given to this agent"),
)


def common_filter(command: F) -> F:
    """Adds flags; the command takes them as `function_id, caller, since, until`."""
    return _decorated(command, _COMMON)


def job_filter(command: F) -> F:
    """Adds flags; the command takes them as `state, function_id, caller, since, until, agent_id`."""
    return _decorated(command, _JOBS)


_ABOUT = (
    click.option("--reason", metavar="TEXT", help="why, for whoever has to approve it"),
    click.option("--ticket", metavar="ID", help="the ticket that it belongs to"),
    click.option("--break-glass", is_flag=True, help="run it without the approval it needs; it is reviewed afterwards"),
)


def about_options(command: F) -> F:
    """Adds what is said about a call; the command takes it as `reason, ticket, break_glass`."""
    return _decorated(command, _ABOUT)


def page_options(command: F) -> F:
    """Adds flags; the command takes them as `limit, after`."""
    options = (
        click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True),
        click.option("--after", metavar="NEXT", help="go on where an earlier page ended"),
    )
    return _decorated(command, options)


def _decorated(command: F, options: tuple[Callable[[Any], Any], ...]) -> F:
    return reduce(lambda decorated, option: option(decorated), reversed(options), command)


def given(**conditions: Any) -> dict[str, Any]:
    """Those that were given."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in conditions.items() if value}


def tell_next(found: dict[str, Any]) -> None:
    """Say on stderr how to see the next page, if there is one."""
    if found.get("next"):
        click.echo(f"more: --after {found['next']}", err=True)
