from typing import Any
from urllib.parse import quote

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.flags import Duration
from croupier.cli.people import ago, limit, user_id_of, when, whose
from croupier.cli.terminal import ask, print_json, print_table, printable, tell


@click.group(short_help="Make, list and revoke API tokens")
def command() -> None:
    """Make API tokens for programs, list and revoke them."""


@command.command()
@click.argument("name")
@click.option("--expires-in", type=Duration(), required=True, metavar="DURATION", help="90d, 12h …; a year at most")
@click.option("--permission", "permissions", multiple=True, metavar="NAME", help="it may do no more than these")
@click.option("--scope", "scopes", multiple=True, metavar="GAME|ENV", help="and in these only; * for any")
@click.option("--user", metavar="NAME", help="for this account, instead of your own")
@connection_options
def create(
    name: str,
    expires_in: float,
    permissions: tuple[str, ...],
    scopes: tuple[str, ...],
    user: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Make an API token called NAME and print it; it is not shown again."""
    body: dict[str, Any] = {"name": name, "expires_in": expires_in}
    if permissions:
        body["permissions"] = list(permissions)
    if scopes:
        body["scopes"] = list(scopes)

    async def make(client: Client) -> Any:
        owner = {"user_id": await user_id_of(client, user)} if user else {}
        return await client.post("/api/tokens", body | owner)

    found = run("no token", client_settings(**flags), make, as_json=as_json)
    if as_json:
        print_json(found)
    else:
        click.echo(printable(str(found.get("token"))))
        click.echo(f"Shown once; it expires {when(found['entry'].get('expires_ms'))} UTC.", err=True)


@command.command(name="list")
@click.option("--user", metavar="NAME", help="those of this account, instead of your own")
@click.option("--all", "everybody", is_flag=True, help="everybody's")
@connection_options
def list_tokens(user: str | None, everybody: bool, as_json: bool, **flags: Any) -> None:
    """List API tokens, the newest first, without their secrets."""

    async def find(client: Client) -> Any:
        return await client.ask("/api/tokens", await whose(client, user, everybody=everybody))

    found = run("no list of tokens", client_settings(**flags), find, as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            each.get("token_id"),
            each.get("name"),
            each.get("user_name"),
            limit(each.get("permissions")),
            limit(each.get("scopes")),
            ago(each.get("last_used_ms")),
            when(each.get("expires_ms")),
        )
        for each in found.get("tokens", [])
    ]
    print_table(("TOKEN", "NAME", "OF", "MAY", "IN", "USED", "UNTIL"), rows)


@command.command()
@click.argument("token_id", metavar="ID")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def revoke(token_id: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Revoke API token ID, at once, after asking."""
    settings = client_settings(**flags)
    ask(f"Revoke token {token_id}?", yes=yes, as_json=as_json)
    found = run(
        f"token {token_id} still counts",
        settings,
        lambda client: client.delete(f"/api/tokens/{quote(token_id, safe='')}"),
        as_json=as_json,
    )
    tell(found, f"token {token_id} is revoked", as_json=as_json)
