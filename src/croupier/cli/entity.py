from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from croupier.cli.choosing import given, page_options, tell_next
from croupier.cli.connection import client_settings, connection_options, require_scope, run
from croupier.cli.terminal import print_answer, print_json, print_table
from croupier.settings import ClientSettings


@click.group(short_help="Show the things of a game and what was done to one")
def command() -> None:
    """Show the things that functions are about, such as players, and what was done to one."""


@command.command(name="list")
@connection_options
def list_entities(as_json: bool, **flags: Any) -> None:
    """List the types of things and their operations: of --game and --env where given, else of all."""
    found = run(
        "no list of entities", client_settings(**flags), lambda client: client.ask("/api/entities", {}), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    rows = [
        (entity.get("type"), verb, each.get("function_id"), f"{each.get('healthy')}/{each.get('total')}", _origin(each))
        for entity in found.get("entities", [])
        for verb, operations in entity.get("operations", {}).items()
        for each in operations
    ]
    print_table(("ENTITY", "OPERATION", "FUNCTION", "HEALTHY", "ORIGIN"), rows)


@command.command()
@click.argument("entity")
@click.argument("entity_id", metavar="ID")
@connection_options
def get(entity: str, entity_id: str, as_json: bool, **flags: Any) -> None:
    """Read one thing, by the function that its type names for it."""
    settings = _scoped(flags)
    answer = run(
        f"no {entity} {entity_id}",
        settings,
        lambda client: client.read(_item(entity, entity_id)),
        as_json=as_json,
    )
    print_answer(answer.payload, as_json=as_json)


@command.command()
@click.argument("entity")
@click.argument("entity_id", metavar="ID")
@click.option("--changes", is_flag=True, help="leave out queries, which change nothing")
@page_options
@connection_options
def timeline(
    entity: str, entity_id: str, limit: int, after: str | None, changes: bool, as_json: bool, **flags: Any
) -> None:
    """List the calls and jobs about one thing, newest first."""
    settings = _scoped(flags)
    query = given(before=after, limit=str(limit), queries="false" if changes else None)
    found = run(
        f"no timeline of {entity} {entity_id}",
        settings,
        lambda client: client.ask(f"{_item(entity, entity_id)}/timeline", query),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
        return
    headings = ("TIME", "FUNCTION", "CALLER", "STATE", "CALL OR JOB", "ERROR")
    print_table(headings, [_row(entry) for entry in found.get("entries", [])])
    tell_next(found)


def _scoped(flags: dict[str, Any]) -> ClientSettings:
    settings = client_settings(**flags)
    require_scope(settings)
    return settings


def _item(entity: str, entity_id: str) -> str:
    return f"/api/entities/{quote(entity, safe='')}/items/{quote(entity_id, safe='')}"


def _origin(operation: dict[str, Any]) -> str:
    origin = operation.get("origin", {})
    return " ".join(str(origin.get(key)) for key in ("kind", "name") if origin.get(key))


def _row(entry: dict[str, Any]) -> tuple[object, ...]:
    started = datetime.fromtimestamp(entry.get("started_ms", 0) / 1000, UTC)
    return (
        started.strftime("%Y-%m-%d %H:%M:%SZ"),
        entry.get("function_id"),
        entry.get("caller"),
        entry.get("state"),
        entry.get("call_id"),
        entry.get("error") or "",
    )
