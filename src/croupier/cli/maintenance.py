from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.terminal import ask, print_json, print_table, tell


@click.group(short_help="Hold commands to a game back for a time")
def command() -> None:
    """Hold commands to a game back for a time; queries go on."""


@command.command(name="list")
@connection_options
def list_windows(as_json: bool, **flags: Any) -> None:
    """List windows that are open, planned or lately over."""
    found = run(
        "no list of windows",
        client_settings(**flags),
        lambda client: client.ask("/api/maintenance", {}),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
        return
    headings = ("WINDOW", "STATE", "SCOPE", "STARTS", "ENDS", "BY", "REASON")
    print_table(headings, [_row(each) for each in found.get("windows", [])])


@command.command()
@click.argument("reason")
@click.option("--starts", default="", metavar="TIME", help="such as 2026-01-31T18:00:00Z  [now]")
@click.option("--ends", default="", metavar="TIME", help="else when somebody ends it")
@click.option("--lasts", default="", metavar="DURATION", help="such as 2h, in place of --ends")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def start(reason: str, starts: str, ends: str, lasts: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Open a window now, or plan one: for --game and --env where given, else for all. Callers are shown REASON."""
    settings = client_settings(**flags)
    said = {"reason": reason, "starts": starts, "ends": ends, "lasts": lasts}
    said |= {"game_id": settings.game_id or "*", "env": settings.env or "*"}
    ask(f"Hold back commands to {said['game_id']}|{said['env']}?", yes=yes, as_json=as_json)
    found = run("no window is opened", settings, lambda client: client.post("/api/maintenance", said), as_json=as_json)
    if as_json:
        print_json(found)
    else:
        print_table(("WINDOW", "STATE", "SCOPE", "STARTS", "ENDS", "BY", "REASON"), [_row(found)])


@command.command()
@click.argument("window")
@connection_options
def end(window: str, as_json: bool, **flags: Any) -> None:
    """End WINDOW now, or call it off before it starts."""
    found = run(
        f"{window} goes on",
        client_settings(**flags),
        lambda client: client.post(f"/api/maintenance/{quote(window, safe='')}/end", {}),
        as_json=as_json,
    )
    tell(found, f"{window} is over", as_json=as_json)


def _row(window: dict[str, Any]) -> tuple[object, ...]:
    return (
        window.get("id"),
        window.get("state"),
        f"{window.get('game_id')}|{window.get('env')}",
        _time(window.get("starts_ms", 0)),
        _time(window["ends_ms"]) if window.get("ends_ms") else "-",
        window.get("created_by"),
        window.get("reason"),
    )


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
