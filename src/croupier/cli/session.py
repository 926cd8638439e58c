from typing import Any
from urllib.parse import quote

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.people import ago, when, whose
from croupier.cli.terminal import ask, print_json, print_table, tell


@click.group(short_help="Show who is signed in, and end sessions")
def command() -> None:
    """Show who is signed in, where and since when, and put them out."""


@command.command(name="list")
@click.option("--user", metavar="NAME", help="those of this account, instead of your own")
@click.option("--all", "everybody", is_flag=True, help="everybody's")
@connection_options
def list_sessions(user: str | None, everybody: bool, as_json: bool, **flags: Any) -> None:
    """List sessions, the newest first."""

    async def find(client: Client) -> Any:
        return await client.ask("/api/sessions", await whose(client, user, everybody=everybody))

    found = run("no list of sessions", client_settings(**flags), find, as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            each.get("session_id"),
            each.get("user_name"),
            each.get("address"),
            when(each.get("created_ms")),
            ago(each.get("last_used_ms")),
            when(each.get("expires_ms")),
            each.get("agent") or "-",
        )
        for each in found.get("sessions", [])
    ]
    print_table(("SESSION", "WHO", "FROM", "SINCE", "USED", "UNTIL", "BY"), rows)


@command.command()
@click.argument("session_id", metavar="ID")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def revoke(session_id: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """End session ID and what is followed in it, at once, after asking."""
    settings = client_settings(**flags)
    ask(f"End session {session_id}?", yes=yes, as_json=as_json)
    found = run(
        f"session {session_id} goes on",
        settings,
        lambda client: client.delete(f"/api/sessions/{quote(session_id, safe='')}"),
        as_json=as_json,
    )
    tell(found, f"session {session_id} has ended", as_json=as_json)
