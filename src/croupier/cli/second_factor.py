"""`croupier second-factor`: one's own, and those of people who lost theirs."""

from typing import Any
from urllib.parse import quote

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Problem, RequestFailed
from croupier.cli.terminal import print_json, printable

_PATH = "/api/me/second_factor"


@click.group(short_help="Codes of an authenticator app beside the password")
def command() -> None:
    """A second factor for your account. Sign in with `croupier login` first: API tokens have none."""


@command.command()
@connection_options
def show(as_json: bool, **flags: Any) -> None:
    """Say whether you have one, and how many recovery codes are left."""
    found = run(
        "the second factor could not be read", client_settings(**flags), lambda c: c.ask(_PATH, {}), as_json=as_json
    )
    if as_json:
        print_json(found)
    elif found["enrolled"]:
        click.echo(f"enrolled, {found['recovery_codes']} recovery codes left")
    else:
        click.echo("none: `croupier second-factor enrol`")


@command.command()
@connection_options
def enrol(as_json: bool, **flags: Any) -> None:
    """Put a secret into your authenticator app, and confirm it with a code."""
    settings = client_settings(**flags)
    what = "the second factor was not enrolled"
    password = click.prompt("Password", hide_input=True, default="", show_default=False, err=True)
    begun = run(what, settings, lambda c: c.post(_PATH, {"password": password}), as_json=as_json)
    click.echo(printable(f"Secret: {begun['secret']}\nor as a link: {begun['uri']}"), err=True)
    code = click.prompt("Code of the app", err=True)
    _show_codes(
        run(what, settings, lambda c: c.post(f"{_PATH}/confirm", {"code": code}), as_json=as_json), as_json=as_json
    )


@command.command()
@connection_options
def prove(as_json: bool, **flags: Any) -> None:
    """Show a code again in this session, before something that asks for it."""
    found = _with_code("nothing was proved", "/api/me/prove", as_json=as_json, **flags)
    if as_json:
        print_json(found)
    else:
        click.echo("proved: what asks for it takes that for five minutes")


@command.command("recovery-codes")
@connection_options
def recovery_codes(as_json: bool, **flags: Any) -> None:
    """Ten new recovery codes in place of the old ones."""
    _show_codes(
        _with_code("there are no new codes", f"{_PATH}/recovery_codes", as_json=as_json, **flags), as_json=as_json
    )


@command.command()
@connection_options
def remove(as_json: bool, **flags: Any) -> None:
    """Be asked for the password only. Takes a code."""
    _with_code("the second factor was not removed", f"{_PATH}/remove", as_json=as_json, **flags)
    if as_json:
        print_json({"enrolled": False})
    else:
        click.echo("removed")


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def reset(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Ask for no second factor of the user NAME, who lost theirs, until they enrol again."""
    if not yes and not as_json:
        click.confirm(printable(f"Let {name} sign in with the password only?"), abort=True, err=True)

    async def work(client: Client) -> None:
        found = (await client.ask("/api/users", {"name": name}))["users"]
        if not found:
            raise RequestFailed(Problem(reason="not_found", detail=f"unknown user {name}"))
        await client.delete(f"/api/users/{quote(found[0]['user_id'], safe='')}/second_factor")

    run(f"the second factor of {name} was not reset", client_settings(**flags), work, as_json=as_json)
    if as_json:
        print_json({"name": name, "enrolled": False})
    else:
        click.echo(printable(f"{name} has no second factor any more"))


def _with_code(what: str, path: str, *, as_json: bool, **flags: Any) -> Any:
    settings = client_settings(**flags)
    code = click.prompt("Code", err=True)
    return run(what, settings, lambda c: c.post(path, {"code": code}), as_json=as_json)


def _show_codes(found: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo("Recovery codes, each good once, for the day the app is lost. They are not shown again:", err=True)
    for code in found["recovery_codes"]:
        click.echo(printable(code))
