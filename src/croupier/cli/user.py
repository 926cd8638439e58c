from collections.abc import Callable
from functools import partial
from typing import Any

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.people import read_secret, user_id_of, user_path, when
from croupier.cli.terminal import ask, print_json, print_table, printable, tell

_NAME = click.argument("name")
_YES = click.option("--yes", is_flag=True, help="do not ask")
_HEADINGS = ("NAME", "DISPLAY NAME", "GROUPS", "STATE", "MADE", "ID")


@click.group(short_help="Make, list, disable and invite accounts of people")
def command() -> None:
    """Make and change accounts of people. Passwords are asked for, or read from standard input; they are never flags."""


@command.command(name="list")
@click.option("--search", default="", metavar="TEXT", help="in names and display names")
@connection_options
def list_users(search: str, as_json: bool, **flags: Any) -> None:
    """List accounts, the oldest first."""

    async def ask_all(client: Client) -> list[Any]:
        users: list[Any] = []
        after = ""
        while True:
            page = await client.ask("/api/users", {"search": search, "after": after, "limit": "1000"})
            users += page.get("users", [])
            after = page.get("next", "")
            if not after:
                return users

    users = run("no list of accounts", client_settings(**flags), ask_all, as_json=as_json)
    if as_json:
        print_json({"users": users})
    else:
        print_table(_HEADINGS, [_row(each) for each in users])


@command.command()
@_NAME
@click.option("--display-name", default="", metavar="TEXT")
@click.option("--email", default="", metavar="ADDRESS")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="may be given several times")
@click.option("--password", "with_password", is_flag=True, help="set a password now, instead of an invitation")
@connection_options
def add(
    name: str,
    display_name: str,
    email: str,
    groups: tuple[str, ...],
    with_password: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Make account NAME and print an invitation, as a link where the server knows its address, with which its owner sets a password once."""
    settings = client_settings(**flags)
    body: dict[str, Any] = {"name": name, "display_name": display_name, "email": email, "groups": list(groups)}
    if with_password:
        body["password"] = read_secret(f"Password of {name}", confirm=True)
    found = run(f"no account {name}", settings, lambda client: client.post("/api/users", body), as_json=as_json)
    _tell_invited(found, as_json=as_json)


@command.command()
@_NAME
@connection_options
def show(name: str, as_json: bool, **flags: Any) -> None:
    """Show account NAME."""

    async def find(client: Client) -> Any:
        return await client.ask(user_path(await user_id_of(client, name)), {})

    found = run(f"account {name}", client_settings(**flags), find, as_json=as_json)
    if as_json:
        print_json(found)
    else:
        print_table(_HEADINGS, [_row(found)])


@command.command()
@_NAME
@click.option("--display-name", metavar="TEXT")
@click.option("--email", metavar="ADDRESS")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="all its groups, in place of those it has")
@click.option("--no-groups", is_flag=True, help="take it out of all groups")
@connection_options
def change(
    name: str,
    display_name: str | None,
    email: str | None,
    groups: tuple[str, ...],
    no_groups: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Change what is named of account NAME."""
    if groups and no_groups:
        raise click.UsageError("--group and --no-groups: say one")
    body: dict[str, Any] = {"display_name": display_name, "email": email}
    body = {key: value for key, value in body.items() if value is not None}
    if groups or no_groups:
        body["groups"] = list(groups)
    if not body:
        raise click.UsageError("nothing is to be changed: give --display-name, --email, --group or --no-groups")

    async def patch(client: Client) -> Any:
        return await client.patch(user_path(await user_id_of(client, name)), body)

    found = run(f"account {name} stays", client_settings(**flags), patch, as_json=as_json)
    if as_json:
        print_json(found)
    else:
        print_table(_HEADINGS, [_row(found)])


@command.command()
@_NAME
@_YES
@connection_options
def disable(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Let nobody in by account NAME any more, at once, after asking. It can be enabled again."""
    settings = client_settings(**flags)
    ask(f"Disable {name}?", yes=yes, as_json=as_json)
    found = run(f"{name} is not disabled", settings, partial(_do, name, "disable"), as_json=as_json)
    tell(found, f"{name} is disabled", as_json=as_json)


@command.command()
@_NAME
@connection_options
def enable(name: str, as_json: bool, **flags: Any) -> None:
    """Undo `disable`."""
    found = run(f"{name} is not enabled", client_settings(**flags), partial(_do, name, "enable"), as_json=as_json)
    tell(found, f"{name} is enabled", as_json=as_json)


@command.command()
@_NAME
@connection_options
def invite(name: str, as_json: bool, **flags: Any) -> None:
    """Print a new invitation, with which the owner of NAME sets a password once."""
    found = run(f"no invitation for {name}", client_settings(**flags), partial(_do, name, "password"), as_json=as_json)
    _tell_invited(found, as_json=as_json)


@command.command()
@_NAME
@connection_options
def password(name: str, as_json: bool, **flags: Any) -> None:
    """Set the password of NAME, and end its sessions."""
    settings = client_settings(**flags)
    body = {"password": read_secret(f"New password of {name}", confirm=True)}
    found = run(f"the password of {name} stays", settings, partial(_do, name, "password", body=body), as_json=as_json)
    tell(found.get("user"), f"{name} has a new password", as_json=as_json)


@command.command()
@_NAME
@_YES
@connection_options
def revoke(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """End every session and every API token of NAME, at once, after asking."""
    settings = client_settings(**flags)
    ask(f"End all sessions and tokens of {name}?", yes=yes, as_json=as_json)
    found = run(f"{name} keeps its sessions", settings, partial(_do, name, "revoke"), as_json=as_json)
    tell(found, f"{found.get('sessions')} sessions and {found.get('tokens')} tokens ended", as_json=as_json)


@command.command()
@click.option("--display-name", default="", metavar="TEXT")
@click.argument("name")
@connection_options
def setup(name: str, display_name: str, as_json: bool, **flags: Any) -> None:
    """Make the first account, NAME, an administrator's.

    The link that the server printed is asked for, then a password; or read from standard input, a line each.
    """
    settings = client_settings(**flags)
    secret = read_secret("Setup link").rpartition("#")[2]
    body = {"token": secret, "name": name, "display_name": display_name}
    body["password"] = read_secret(f"Password of {name}", confirm=True)
    found = run("no first account", settings, _post("/api/setup", body), as_json=as_json)
    user = found.get("user")
    tell(user, f"{name} is the administrator: sign in, or make an API token", as_json=as_json)


@command.command()
@connection_options
def accept(as_json: bool, **flags: Any) -> None:
    """Set your password by an invitation. Both are asked for, or read from standard input, a line each."""
    settings = client_settings(**flags)
    body = {"invitation": read_secret("Invitation").rpartition("#")[2]}
    body["password"] = read_secret("New password", confirm=True)
    found = run("no password was set", settings, _post("/api/setup/password", body), as_json=as_json)
    tell(found, f"{found.get('name')} has a password now", as_json=as_json)


def _post(path: str, body: dict[str, Any]) -> Callable[[Client], Any]:
    return lambda client: client.post(path, body)


async def _do(name: str, verb: str, client: Client, *, body: dict[str, Any] | None = None) -> Any:
    return await client.post(user_path(await user_id_of(client, name), verb), body or {})


def _tell_invited(found: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if found.get("invitation"):
        click.echo(printable(str(found.get("link") or found["invitation"])))
        click.echo(
            f"Shown once; until {when(found.get('invited_until_ms'))} UTC it sets a password: `croupier user accept`.",
            err=True,
        )
    else:
        click.echo(printable(f"{found['user'].get('name')} can sign in"))


def _row(user: dict[str, Any]) -> tuple[object, ...]:
    state = "disabled" if user.get("disabled") else "ready" if user.get("has_password") else "no password"
    if user.get("invited_until_ms") and not user.get("disabled"):
        state = f"invited until {when(user['invited_until_ms'])}"
    return (
        user.get("name"),
        user.get("display_name") or "-",
        ",".join(user.get("groups", [])) or "-",
        state,
        when(user.get("created_ms")),
        user.get("user_id"),
    )
