import json
from typing import Any

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, require_scope, run
from croupier.cli.payload import read_payload
from croupier.cli.terminal import print_json, print_table


@click.command(short_help="Say who would receive a call, without sending it")
@click.argument("function")
@click.argument("payload", nargs=-1)
@click.option("--route", type=click.Choice(["lb", "broadcast", "targeted", "hash"]), help="which game servers get it")
@click.option("--target", metavar="SERVICE", help="the game server to call (route targeted)")
@click.option("--hash-key", metavar="KEY", help="the same key reaches the same game server (route hash)")
@click.option(
    "--version", "wanted_version", metavar="VERSION", help="only game servers with that version of the function"
)
@connection_options
def command(
    function: str,
    payload: tuple[str, ...],
    route: str | None,
    target: str | None,
    hash_key: str | None,
    wanted_version: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Say which game servers would receive a call of FUNCTION now, and why. Nothing is sent.

    The payload is written as for `croupier invoke`; only route hash looks at it.
    """
    settings = client_settings(**flags)
    require_scope(settings)
    asked = {
        "function_id": function,
        "route": route or ("targeted" if target else "hash" if hash_key else ""),
        "target_service_id": target or "",
        "hash_key": hash_key or "",
        "version": wanted_version or "",
        "payload": json.loads(read_payload(payload)),
    }

    async def ask(client: Client) -> Any:
        return await client.post("/api/route_preview", asked)

    found = run(f"no route for {function}", settings, ask, as_json=as_json)
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    rows = [
        (
            "→" if each.get("chosen") else "",
            each.get("service_id") or "(the agent's choice)",
            each.get("agent_id"),
            each.get("version") or "-",
            "yes" if each.get("healthy") and each.get("usable") else "no",
            each.get("outstanding"),
            each.get("why"),
        )
        for each in found.get("candidates", [])
    ]
    if rows:
        print_table(("", "GAME SERVER", "AGENT", "VERSION", "HEALTHY", "OPEN CALLS", "WHY"), rows)
    click.echo(found.get("reason"))
