from typing import Any
from urllib.parse import quote

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Problem, fail
from croupier.cli.terminal import ask, print_json, print_table, tell

_SUBJECT = click.argument("subject", metavar="user:NAME|group:NAME")
_ROLE = click.argument("role")
_HEADINGS = ("WHO", "ROLE", "SCOPE", "BY", "ID")


@click.group(short_help="Give roles to people and groups, and take them")
def command() -> None:
    """Give roles to people and groups: for --game and --env where given, else everywhere."""


@command.command(name="list")
@click.option("--subject", default="", metavar="SUBJECT", help="only of user:NAME or group:NAME")
@click.option("--role", default="", metavar="ROLE", help="only of this role")
@connection_options
def list_bindings(subject: str, role: str, as_json: bool, **flags: Any) -> None:
    """List who has which role where."""
    query = {"subject": subject, "role": role}
    found = run(
        "no bindings", client_settings(**flags), lambda client: client.ask("/api/bindings", query), as_json=as_json
    )
    if as_json:
        print_json(found)
    else:
        print_table(_HEADINGS, [_row(each) for each in found.get("bindings", [])])


@command.command()
@_SUBJECT
@_ROLE
@connection_options
def add(subject: str, role: str, as_json: bool, **flags: Any) -> None:
    """Give ROLE to SUBJECT. It counts at once."""
    settings = client_settings(**flags)
    body = {"subject": subject, "role": role, "game_id": settings.game_id or "*", "env": settings.env or "*"}
    found = run(
        f"{subject} is not given {role}", settings, lambda client: client.post("/api/bindings", body), as_json=as_json
    )
    tell(found, f"{found['subject']} is {found['role']} in {found['game_id']}|{found['env']}", as_json=as_json)


@command.command()
@_SUBJECT
@_ROLE
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def remove(subject: str, role: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take ROLE from SUBJECT. What goes on for them ends where they may no longer."""
    settings = client_settings(**flags)
    place = (settings.game_id or "*", settings.env or "*")
    ask(f"Take {role} in {place[0]}|{place[1]} from {subject}?", yes=yes, as_json=as_json)

    async def work(client: Client) -> dict[str, Any] | None:
        found = await client.ask("/api/bindings", {"role": role})
        for each in found.get("bindings", []):
            if each["subject"].casefold() == subject.casefold() and (each["game_id"], each["env"]) == place:
                await client.delete(f"/api/bindings/{quote(each['binding_id'], safe='')}")
                return dict(each)
        return None

    gone = run(f"{subject} keeps {role}", settings, work, as_json=as_json)
    if gone is None:
        problem = Problem(reason="not_found", detail=f"{subject} has no role {role} in {place[0]}|{place[1]}")
        fail(f"{subject} keeps what there is", problem, as_json=as_json)
    tell(gone, f"{subject} is {role} in {place[0]}|{place[1]} no longer", as_json=as_json)


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    return each["subject"], each["role"], f"{each['game_id']}|{each['env']}", each["created_by"], each["binding_id"]
