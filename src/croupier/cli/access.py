import json
from typing import Any

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Exit
from croupier.cli.terminal import print_json, print_table, printable

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


@command.command()
@connection_options
def me(as_json: bool, **flags: Any) -> None:
    """Say who you are to the server, which roles you have where, and what you may in the scope that --game and --env name."""
    settings = client_settings(**flags)
    query = {"game_id": settings.game_id, "env": settings.env} if settings.game_id and settings.env else {}
    found = run("no answer", settings, lambda client: client.ask("/api/me", query), as_json=as_json)
    if as_json:
        print_json(found)
        return
    known = "bearer of the token of the server's settings" if found["root"] else found["kind"]
    click.echo(printable(f"{found['name']} ({known})"))
    rows = [(each["role"], f"{each['game_id']}|{each['env']}", each["subject"]) for each in found["roles"]]
    print_table(("ROLE", "IN", "BY"), rows)
    where = found["scope"] or "on the platform as a whole"
    click.echo(printable(f"may {where}: {', '.join(found['may']) or 'nothing but what is your own'}"))
    games = [f"{game['game_id']}|{env['env']}" for game in found["games"] for env in game["envs"]]
    click.echo(printable(f"sees: {', '.join(games) or 'no game'}"))


@command.command()
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="repeatable; without it the first hundred")
@click.option("--prefix", default="", metavar="TEXT", help="functions whose ids begin so")
@click.option("--after", default="", metavar="FUNCTION", help="go on after it")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@connection_options
def matrix(roles: tuple[str, ...], prefix: str, after: str, limit: int, as_json: bool, **flags: Any) -> None:
    """List which roles may call which functions of a game and environment; needs roles:read there."""
    settings = client_settings(**flags)
    query: dict[str, str | list[str]] = {"role": list(roles), "prefix": prefix, "after": after, "limit": str(limit)}
    query |= {name: value for name, value in (("game_id", settings.game_id), ("env", settings.env)) if value}
    found = run("no matrix", settings, lambda client: client.ask("/api/access/matrix", query), as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [
        (each["function_id"], each["risk"], ", ".join(each["roles"]), each["allow_if"]) for each in found["functions"]
    ]
    print_table(("FUNCTION", "RISK", "ROLES", "IF"), rows)
    if found["next"]:
        click.echo(printable(f"more after {found['next']}"), err=True)


def _told(gate: dict[str, Any]) -> str:
    """In one line; a limit by its name, where the words do not have it."""
    rule = gate["rule"]
    return f"{gate['detail']} ({rule})" if rule and rule not in gate["detail"] else str(gate["detail"])
