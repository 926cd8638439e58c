import json
from typing import Any

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Exit
from croupier.cli.terminal import print_json, printable

_MARKS = {"pass": "yes", "ask": "ask", "depends": "?  ", "wait": "not now", "deny": "NO "}


@click.group(short_help="Say who may do what, and why")
def command() -> None:
    """Say who may do what, and why."""


@command.command()
@click.argument("what", metavar="FUNCTION|PERMISSION")
@click.option("--user", default="", metavar="NAME", help="somebody else; needs roles:read")
@click.option("--role", default="", metavar="ROLE", help="as if this role were all one has; needs roles:manage")
@click.option("--arguments", metavar="JSON", help="of the call: a condition may depend on them")
@connection_options
@click.pass_context
def explain(
    context: click.Context, /, what: str, user: str, role: str, arguments: str | None, as_json: bool, **flags: Any
) -> None:
    """Say whether a function may be called now, gate by gate, or a PERMISSION such as packs:read is there, and which rule decides.

    Exits with 0 for yes, 5 for no or not now, and 1 where it depends on arguments. Nothing is called and nothing is counted.
    """
    settings = client_settings(**flags)
    body: dict[str, Any] = {"user": user, "role": role, "game_id": settings.game_id or "", "env": settings.env or ""}
    name = what.removeprefix("function:")
    body["permission" if ":" in name else "function_id"] = name
    if arguments is not None:
        try:
            body["payload"] = json.loads(arguments)
        except ValueError as error:
            raise click.UsageError(f"--arguments is not JSON: {error}") from None
    found = run("no answer", settings, lambda client: client.post("/api/access/explain", body), as_json=as_json)
    if as_json:
        print_json(found)
    else:
        click.echo(printable(f"{found['who']} ({', '.join(found['roles']) or 'no role'}): {found['reason']}"))
        for gate in found["gates"]:
            click.echo(printable(f"  {_MARKS[gate['verdict']]:7} {gate['gate']}: {_told(gate)}"))
    context.exit({True: Exit.OK, False: Exit.DENIED, None: Exit.FAILED}[found["allowed"]])


def _told(gate: dict[str, Any]) -> str:
    """In one line; a limit by its name, where the words do not have it."""
    rule = gate["rule"]
    return f"{gate['detail']} ({rule})" if rule and rule not in gate["detail"] else str(gate["detail"])
