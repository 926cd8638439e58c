from typing import Any
from urllib.parse import quote

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.terminal import ask, print_json, print_table, tell

_NAME = click.argument("name")
_PERMISSION = click.option(
    "--permission", "permissions", multiple=True, metavar="PERMISSION",
    help="packs:read, jobs:*, function:player.* …; may be given several times",
)  # fmt: skip


@click.group(short_help="Show and change roles: what somebody may do")
def command() -> None:
    """Show and change roles. Who has one is a matter of `croupier binding`."""


@command.command(name="list")
@click.option("--permissions", "known", is_flag=True, help="list the permissions there are, besides those of functions")
@connection_options
def list_roles(known: bool, as_json: bool, **flags: Any) -> None:
    """List roles."""
    found = run("no roles", client_settings(**flags), lambda client: client.ask("/api/roles", {}), as_json=as_json)
    if as_json:
        print_json(found)
    elif known:
        print_table(("PERMISSION", "WHAT FOR"), sorted(found.get("permissions", {}).items()))
    else:
        rows = [
            (
                each["name"],
                "comes with Croupier" if each["builtin"] else "",
                ", ".join(each["permissions"]),
                each["description"],
            )
            for each in found.get("roles", [])
        ]
        print_table(("ROLE", "", "PERMISSIONS", "DESCRIPTION"), rows)


@command.command(name="set")
@_NAME
@_PERMISSION
@click.option("--description", default="", metavar="TEXT")
@click.option("--copy", "copied", metavar="ROLE", help="also all permissions of ROLE")
@connection_options
def set_role(
    name: str, permissions: tuple[str, ...], description: str, copied: str | None, as_json: bool, **flags: Any
) -> None:
    """Make role NAME, or replace it. Everybody who has it has it changed at once."""
    settings = client_settings(**flags)
    wanted = list(permissions)
    if copied is not None:
        what = f"role {copied} cannot be copied"
        wanted += run(what, settings, lambda client: client.ask(_path(copied), {}), as_json=as_json)["permissions"]
    if not wanted:
        raise click.UsageError("a role without permissions gives nothing: say --permission or --copy")
    body = {"permissions": wanted, "description": description}
    found = run(f"role {name} is not set", settings, lambda client: client.put(_path(name), body), as_json=as_json)
    tell(found, f"role {found['name']}: {', '.join(found['permissions'])}", as_json=as_json)


@command.command()
@_NAME
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def remove(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Remove role NAME, which nobody may have any more."""
    ask(f"Remove role {name}?", yes=yes, as_json=as_json)
    run(f"role {name} stays", client_settings(**flags), lambda client: client.delete(_path(name)), as_json=as_json)
    tell({"removed": name}, f"role {name} is removed", as_json=as_json)


def _path(name: str) -> str:
    return f"/api/roles/{quote(name, safe='')}"
