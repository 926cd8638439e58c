from typing import Any

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.terminal import print_json, print_table


@click.command(short_help="Show which agents, functions and game servers can be reached")
@click.argument("function", required=False)
@connection_options
def command(function: str | None, as_json: bool, **flags: Any) -> None:
    """Show the agents and the functions they reach; with FUNCTION, the game servers that offer it."""
    settings = client_settings(**flags)
    if function:
        query = {"function_id": function}
        found = run(
            "no instances", settings, lambda client: client.ask("/api/function_instances", query), as_json=as_json
        )
    else:
        found = run("no registry", settings, lambda client: client.ask("/api/registry", {}), as_json=as_json)
    if as_json:
        print_json(found)
    elif function:
        _show_instances(found.get("instances", []))
    else:
        _show_registry(found)


def _show_instances(instances: list[dict[str, Any]]) -> None:
    rows = [
        (
            each.get("service_id"),
            each.get("agent_id"),
            f"{each.get('game_id')}|{each.get('env')}",
            each.get("function_version") or "-",
            "yes" if each.get("healthy") else "no",
            each.get("outstanding"),
        )
        for each in instances
    ]
    print_table(("GAME SERVER", "AGENT", "SCOPE", "VERSION", "HEALTHY", "OPEN CALLS"), rows)


def _show_registry(found: dict[str, Any]) -> None:
    agents = [
        (
            each.get("agent_id"),
            f"{each.get('game_id')}|{each.get('env')}",
            "yes" if each.get("healthy") else "no",
            each.get("functions"),
            each.get("edge") or "-",
            each.get("expires_in_sec"),
        )
        for each in found.get("agents", [])
    ]
    print_table(("AGENT", "SCOPE", "HEALTHY", "FUNCTIONS", "EDGE", "EXPIRES IN S"), agents)
    health = {
        (each.get("game_env"), name): counts
        for each in found.get("coverage", [])
        for name, counts in each.get("functions", {}).items()
    }
    functions = []
    for each in found.get("functions", []):
        scope = f"{each.get('game_id')}|{each.get('env')}"
        counts = health.get((scope, each.get("id")), {})
        functions.append(
            (each.get("id"), scope, each.get("agents"), counts.get("healthy", "-"), counts.get("total", "-"))
        )
    click.echo()
    print_table(("FUNCTION", "SCOPE", "AGENTS", "HEALTHY SERVERS", "OF"), functions)
