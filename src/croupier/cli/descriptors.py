"""What is known of functions, and whether a folder of descriptions makes sense."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Exit
from croupier.cli.terminal import print_json, print_table, printable
from croupier.descriptors import load_directory


@click.group(short_help="List, show and check descriptions of functions")
def command() -> None:
    """What packs, providers and game servers say of functions. With --game and --env: what that game and env may use."""


@command.command("list")
@click.argument("pattern", required=False, default="")
@click.option("--category", metavar="NAME", default="", help="only of this category")
@connection_options
def list_descriptors(pattern: str, category: str, as_json: bool, **flags: Any) -> None:
    """List the descriptions that count; PATTERN is an id, or with * at its end all that begin so."""
    query = {name: value for name, value in (("id", pattern), ("category", category)) if value}
    settings = client_settings(**flags)
    found = run("no descriptions", settings, lambda client: client.ask("/api/descriptors", query), as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            each.get("id"),
            each.get("version") or "-",
            each.get("category") or "-",
            each.get("risk"),
            _origin(each.get("origin", {})),
            ", ".join(each.get("scopes", [])) or "everywhere",
        )
        for each in found
    ]
    print_table(("FUNCTION", "VERSION", "CATEGORY", "RISK", "SAYS", "WHERE"), rows)


@command.command("show")
@click.argument("function")
@connection_options
def show(function: str, as_json: bool, **flags: Any) -> None:
    """Show the description of FUNCTION that counts, who else describes it, and its versions."""
    settings = client_settings(**flags)
    path = f"/api/descriptors/{quote(function, safe='')}"
    found = run(f"no description of {function}", settings, lambda client: client.ask(path, {}), as_json=as_json)
    if as_json:
        print_json(found)
        return
    for line in json.dumps(found.get("descriptor"), indent=2, ensure_ascii=False).splitlines():
        click.echo(printable(line))
    click.echo()
    rows = [
        (
            each.get("digest"),
            each.get("version") or "-",
            _origin(each.get("origin", {})),
            "no" if each.get("replaced_ms") else "yes",
        )
        for each in found.get("versions", [])
    ]
    print_table(("DIGEST", "VERSION", "SAYS", "STANDS"), rows)


@command.command("validate")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="print what programs read")
def validate(folder: Path, as_json: bool) -> int:
    """Read every description in FOLDER and list every fault with its file and place. The exit code is 1 when there is one."""
    loaded = load_directory(folder)
    if as_json:
        faults = [fault.document() for fault in loaded.faults]
        print_json({"valid": not faults, "descriptors": len(loaded.descriptors), "faults": faults})
    else:
        for fault in loaded.faults:
            click.echo(printable(str(fault)), err=True)
        click.echo(f"{folder}: {len(loaded.descriptors)} descriptions, {len(loaded.faults)} faults")
    return Exit.FAILED if loaded.faults else Exit.OK


def _origin(origin: dict[str, Any]) -> str:
    said = f"{origin.get('kind', '')} {origin.get('name', '')}".strip().replace("_", " ")
    return f"{said} {origin['version']}" if origin.get("version") else said
