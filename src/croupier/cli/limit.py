from typing import Any
from urllib.parse import quote

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.terminal import ask, print_json, print_table, tell

_NAME = click.argument("name")


@click.group(short_help="Set and show limits on calls: how often, how many at once, how much")
def command() -> None:
    """Set and show limits on calls, beside those of the functions' descriptions."""


@command.command(name="list")
@connection_options
def list_limits(as_json: bool, **flags: Any) -> None:
    """List all limits."""
    found = run(
        "no list of limits", client_settings(**flags), lambda client: client.ask("/api/limits", {}), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    headings = ("LIMIT", "FUNCTIONS", "SCOPE", "PER", "RATE", "AT ONCE", "BUDGET", "NOTE")
    print_table(headings, [_row(each) for each in found.get("limits", [])])


@command.command()
@_NAME
@connection_options
def show(name: str, as_json: bool, **flags: Any) -> None:
    """Show limit NAME, and who used up most of its budget."""
    found = run(f"limit {name}", client_settings(**flags), lambda client: client.ask(_path(name), {}), as_json=as_json)
    if as_json:
        print_json(found)
        return
    print_table(("LIMIT", "FUNCTIONS", "SCOPE", "PER", "RATE", "AT ONCE", "BUDGET", "NOTE"), [_row(found)])
    budget = found.get("budget") or {}
    if budget.get("spent"):
        click.echo(f"\nuntil {budget.get('renewed')}:")
        rows = [(each.get("holder"), _number(each["amount"]), _number(each["left"])) for each in budget["spent"]]
        print_table(("WHO", "SPENT", "LEFT"), rows)


@command.command(name="set")
@_NAME
@click.option("--function", "functions", required=True, metavar="ID", help="the function, or its beginning and *")
@click.option(
    "--per", type=click.Choice(["function", "user", "game"]), default="function", show_default=True,
    help="who has a share of their own in each game and env",
)  # fmt: skip
@click.option("--rate", metavar="RATE", help="5rps, 100/s, 10/m …")
@click.option("--concurrency", type=click.IntRange(0), help="calls that may run at once")
@click.option("--budget", "path", metavar="JSONPATH", help="the argument that is added up, such as '$.amount'")
@click.option("--most", type=float, help="how much of it may be used in a period")
@click.option(
    "--period", type=click.Choice(["call", "hour", "day", "week", "month"]), default="day", show_default=True,
    help="of the calendar; call: each call for itself",
)  # fmt: skip
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="by whose clocks a period ends")
@click.option(
    "--then", type=click.Choice(["deny", "approval"]), default="deny", show_default=True,
    help="what becomes of a call that goes over the budget",
)  # fmt: skip
@click.option("--replaces", is_flag=True, help="instead of what the function's description says, not beside it")
@click.option("--note", default="", help="why there is this limit")
@connection_options
def set_limit(
    name: str, rate: str | None, path: str | None, most: float | None, period: str, zone: str, then: str,
    as_json: bool, functions: str, per: str, concurrency: int | None, replaces: bool, note: str, **flags: Any,
) -> None:  # fmt: skip
    """Set limit NAME, in place of the one of that name: for --game and --env where given, else for all."""
    if (path is None) != (most is None):
        raise click.UsageError("--budget and --most belong together")
    settings = client_settings(**flags)
    said: dict[str, Any] = {
        "functions": functions,
        "game_id": settings.game_id or "*",
        "env": settings.env or "*",
        "per": per,
        "rate": rate,
        "concurrency": concurrency,
        "replaces": replaces,
        "note": note,
    }
    if path is not None:
        said["budget"] = {"path": path, "most": most, "period": period, "zone": zone, "then": then}
    found = run(f"limit {name} is not set", settings, lambda client: client.put(_path(name), said), as_json=as_json)
    tell(found, f"limit {name} holds from now on", as_json=as_json)


@command.command()
@_NAME
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def remove(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Remove limit NAME, and forget what was spent of it."""
    ask(f"Remove limit {name}?", yes=yes, as_json=as_json)
    found = run(
        f"limit {name} stays", client_settings(**flags), lambda client: client.delete(_path(name)), as_json=as_json
    )
    tell(found, f"limit {name} is removed", as_json=as_json)


def _path(name: str) -> str:
    return f"/api/limits/{quote(name, safe='')}"


def _row(limit: dict[str, Any]) -> tuple[object, ...]:
    rate, budget = limit.get("rate"), limit.get("budget")
    at_once = limit.get("concurrency")
    return (
        limit.get("name"),
        limit.get("functions"),
        f"{limit.get('game_id')}|{limit.get('env')}",
        limit.get("per"),
        "-" if rate is None else f"{_number(rate['value'])}/{_number(rate['window'])}s",
        "-" if at_once is None else f"{limit.get('running')}/{at_once}",
        "-" if budget is None else f"{budget['path']} {_number(budget['most'])} per {budget['period']}",
        limit.get("note") or "",
    )


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
