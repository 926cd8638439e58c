import json
import sys
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from croupier.cli.choosing import about_options
from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, require_scope, run
from croupier.cli.exits import Exit
from croupier.cli.following import BulkFollower, Happening
from croupier.cli.job import PATIENCE
from croupier.cli.progress import story
from croupier.cli.terminal import print_json, print_table, printable
from croupier.domain.bulk import LEAST_RATE, MOST_CONCURRENCY, MOST_RATE, MOST_ROWS, BulkState, Plan, RowState
from croupier.settings import ClientSettings

_KINDS = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}
_SHOWN_FAULTS = 20
_PLAN = Plan()

_yes = click.option("--yes", is_flag=True, help="do not ask")
_EXAMPLES = """\b
Examples:
  croupier bulk upload players.csv --function player.grant
  croupier bulk start b01… --canary 10 --rate 20 --follow
  croupier bulk rows b01… --state failed
"""


@click.group(short_help="Run a function once for every row of a file", epilog=_EXAMPLES)
def command() -> None:
    """Upload a file of rows, look at it, run a function once for each row, and see what became of them."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--function", "function_id", required=True, metavar="ID", help="the function to run for each row")
@click.option("--name", default="", help="shown in lists; the file's name by default")
@click.option("--format", "kind", type=click.Choice(["csv", "jsonl"]), help="else by the file's ending")
@connection_options
def upload(file: Path, function_id: str, name: str, kind: str | None, as_json: bool, **flags: Any) -> None:
    """Send FILE, CSV or JSON lines. Every row is checked against the function; nothing runs before `start`.

    The exit code is 1 when rows are invalid: they are kept, and listed by `rows --state invalid`.
    """
    settings = client_settings(**flags)
    require_scope(settings)
    content_type = _KINDS.get(f".{kind}" if kind else file.suffix.lower())
    if content_type is None:
        raise click.UsageError(f"is {file.name} CSV or JSON lines? Say --format csv or --format jsonl")
    query = {"function_id": function_id, "name": name or file.name}

    async def send(client: Client) -> Any:
        with file.open("rb") as opened:
            return await client.upload("/api/bulk", query, opened, content_type)

    found = run(f"{file.name} was not taken", settings, send, as_json=as_json)
    if as_json:
        print_json(found)
    else:
        _print_upload(found)
    if found.get("invalid"):
        click.get_current_context().exit(Exit.FAILED)


@command.command()
@click.argument("bulk_id", metavar="ID")
@click.option("--canary", type=click.IntRange(0, MOST_ROWS), default=0, help="stop after so many rows until confirmed")
@click.option(
    "--rate",
    type=click.FloatRange(LEAST_RATE, MOST_RATE),
    default=_PLAN.rate,
    show_default=True,
    help="rows per second",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST_CONCURRENCY),
    default=_PLAN.concurrency,
    show_default=True,
    help="rows that run at once",
)
@click.option("--skip-invalid", is_flag=True, help="run the valid rows and leave the others out")
@click.option("--dry-run", is_flag=True, help="tell the function to change nothing; a bulk run of its own")
@click.option("--sha256", "expected_sha256", default="", metavar="HEX", help="start only this very file")
@click.option("--follow", "follows", is_flag=True, help="show how it goes until it ends or waits")
@_yes
@about_options
@connection_options
def start(bulk_id: str, follows: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """Run bulk ID: call the function once for each of its rows."""
    plan = {name: given.pop(name) for name in _PLAN_FLAGS}
    plan |= {name: said for name in _ABOUT_FLAGS if (said := given.pop(name))}
    settings = client_settings(**given)
    if not yes:
        bulk = _get(bulk_id, settings, as_json=as_json)
        what = f"{bulk.get('function_id')} in {bulk.get('game_id')}|{bulk.get('env')}"
        _ask(f"Call {what} for {bulk.get('valid')} rows of {bulk.get('name') or bulk_id}?")
    started = _post(bulk_id, "start", plan, settings, f"bulk {bulk_id} was not started", as_json=as_json)
    if follows:
        _follow(str(started.get("bulk_id")), settings, as_json=as_json)
    else:
        _print_state(started, as_json=as_json)


_ABOUT_FLAGS = ("reason", "ticket", "break_glass")
_PLAN_FLAGS = ("canary", "rate", "concurrency", "skip_invalid", "dry_run", "expected_sha256")


@command.command()
@click.argument("bulk_id", metavar="ID")
@_yes
@connection_options
def confirm(bulk_id: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Go on with bulk ID after its canary."""
    settings = client_settings(**flags)
    if not yes:
        bulk = _get(bulk_id, settings, as_json=as_json)
        _ask(f"{_counted(bulk)}. Go on with the rest?")
    _steer(bulk_id, "confirm", settings, f"bulk {bulk_id} does not go on", as_json=as_json)


@command.command()
@click.argument("bulk_id", metavar="ID")
@connection_options
def pause(bulk_id: str, as_json: bool, **flags: Any) -> None:
    """Begin no more rows of bulk ID; those that run end."""
    settings = client_settings(**flags)
    _steer(bulk_id, "pause", settings, f"bulk {bulk_id} was not paused", as_json=as_json)


@command.command()
@click.argument("bulk_id", metavar="ID")
@connection_options
def resume(bulk_id: str, as_json: bool, **flags: Any) -> None:
    """Go on with bulk ID, which is paused."""
    settings = client_settings(**flags)
    _steer(bulk_id, "resume", settings, f"bulk {bulk_id} does not go on", as_json=as_json)


@command.command()
@click.argument("bulk_id", metavar="ID")
@_yes
@connection_options
def cancel(bulk_id: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Begin no more rows of bulk ID, for good; those that run end."""
    settings = client_settings(**flags)
    if not yes:
        _ask(f"Cancel bulk {bulk_id}? Its remaining rows will never run.")
    _steer(bulk_id, "cancel", settings, f"bulk {bulk_id} was not canceled", as_json=as_json)


@command.command()
@click.argument("bulk_id", metavar="ID")
@click.option("--include-unknown", is_flag=True, help="also the rows that may have taken effect")
@connection_options
def rerun(bulk_id: str, include_unknown: bool, as_json: bool, **flags: Any) -> None:
    """Make a new bulk of the rows of ID that failed. It is started on its own."""
    settings = client_settings(**flags)
    body = {"include_unknown": include_unknown}
    found = _post(bulk_id, "rerun", body, settings, f"bulk {bulk_id} cannot be run again", as_json=as_json)
    _print_state(found, as_json=as_json)


@command.command()
@click.argument("bulk_id", metavar="ID")
@connection_options
def status(bulk_id: str, as_json: bool, **flags: Any) -> None:
    """Show how far bulk ID is."""
    found = _get(bulk_id, client_settings(**flags), as_json=as_json)
    if as_json:
        print_json(found)
        return
    eta = found.get("eta_seconds")
    click.echo(printable(f"{bulk_id}  {found.get('function_id')}  {found.get('state')}  {found.get('progress')}%"))
    click.echo(_counted(found))
    if eta is not None:
        click.echo(f"{found.get('speed')} rows/s, about {eta} s to go")


@command.command()
@click.argument("bulk_id", metavar="ID")
@connection_options
def follow(bulk_id: str, as_json: bool, **flags: Any) -> None:
    """Show how bulk ID goes until it has ended, however often the connection is lost.

    The exit code is 0 when every row succeeded or was left out, 6 when the outcome of one is unknown, else 1.
    """
    _follow(bulk_id, client_settings(**flags), as_json=as_json)


@command.command()
@click.argument("bulk_id", metavar="ID")
@click.option("--state", multiple=True, type=click.Choice([str(state) for state in RowState]), help="repeatable")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="ROW", help="skip the rows up to this number")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@connection_options
def rows(bulk_id: str, state: tuple[str, ...], after: int, limit: int, as_json: bool, **flags: Any) -> None:
    """List rows of bulk ID: their arguments as they are sent, their faults, their outcomes."""
    query: dict[str, str | list[str]] = {"state": list(state), "after": str(after), "limit": str(limit)}
    found = run(
        f"no rows of bulk {bulk_id}",
        client_settings(**flags),
        lambda client: client.ask(f"{_path(bulk_id)}/rows", query),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
        return
    print_table(("ROW", "LINE", "STATE", "CALL", "ARGUMENTS", "OUTCOME"), [_row(row) for row in found.get("rows", [])])
    if found.get("next"):
        click.echo(f"more: --after {found['next']}", err=True)


@command.command(name="list")
@click.option("--state", multiple=True, type=click.Choice([str(state) for state in BulkState]), help="repeatable")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@connection_options
def list_bulks(state: tuple[str, ...], limit: int, as_json: bool, **flags: Any) -> None:
    """List bulk runs, newest first: of --game and --env where given, else of all."""
    query: dict[str, str | list[str]] = {"state": list(state), "limit": str(limit)}
    found = run(
        "no list of bulk runs", client_settings(**flags), lambda client: client.ask("/api/bulk", query), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    headings = ("BULK", "NAME", "FUNCTION", "SCOPE", "STATE", "ROWS", "UPLOADED")
    print_table(headings, [_entry(bulk) for bulk in found.get("bulks", [])])


# ------------------------------------------------------------------------------------------------ asking the server


def _path(bulk_id: str) -> str:
    return f"/api/bulk/{quote(bulk_id, safe='')}"


def _get(bulk_id: str, settings: ClientSettings, *, as_json: bool) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run(
        f"bulk {bulk_id}", settings, lambda client: client.ask(_path(bulk_id), {}), as_json=as_json
    )
    return found


def _post(
    bulk_id: str, verb: str, body: Mapping[str, Any], settings: ClientSettings, failure: str, *, as_json: bool
) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run(
        failure, settings, lambda client: client.post(f"{_path(bulk_id)}/{verb}", body), as_json=as_json
    )
    return found


def _steer(bulk_id: str, verb: str, settings: ClientSettings, failure: str, *, as_json: bool) -> None:
    _print_state(_post(bulk_id, verb, {}, settings, failure, as_json=as_json), as_json=as_json)


def _follow(bulk_id: str, settings: ClientSettings, *, as_json: bool) -> None:
    async def watch(client: Client) -> Happening | None:
        last = None
        with story(bulk_id, as_json=as_json) as told:
            follower = BulkFollower(client, bulk_id, after=0, patience=PATIENCE, notice=told.note)
            async with aclosing(follower.happenings()) as happenings:
                async for last in happenings:
                    told.show(last)
                    if _standing(last).get("state") == BulkState.CANARY_DONE:
                        break
        return last

    try:
        last = run(f"bulk {bulk_id} cannot be followed", settings, watch, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(f"\nbulk {bulk_id} goes on: `croupier bulk follow {bulk_id}`", err=True)
        raise
    if last is not None:
        _end(bulk_id, _standing(last), as_json=as_json)


def _standing(happening: Happening) -> Mapping[str, Any]:
    standing = happening.data.get("payload")
    return standing if isinstance(standing, dict) else {}


def _end(bulk_id: str, found: Mapping[str, Any], *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"{bulk_id} {found.get('state')}: {_counted(found)}")
    if found.get("state") == BulkState.CANARY_DONE and not as_json:
        click.echo(f"look at it (`croupier bulk rows {bulk_id}`), then `croupier bulk confirm {bulk_id}`", err=True)
    counts = found.get("counts") or {}
    if counts.get(RowState.UNKNOWN):
        click.get_current_context().exit(Exit.OUTCOME_UNKNOWN)
    if counts.get(RowState.FAILED) or found.get("state") == BulkState.CANCELED:
        click.get_current_context().exit(Exit.FAILED)


# ------------------------------------------------------------------------------------------------ telling people


def _ask(question: str) -> None:
    """Raises click.Abort when the answer is no, click.UsageError when there is nobody to answer."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is there to answer: say --yes")
    click.confirm(printable(question), abort=True, err=True)


def _print_upload(found: Mapping[str, Any]) -> None:
    click.echo(
        f"{found.get('bulk_id')} {found.get('state')}: {found.get('rows')} rows, "
        f"{found.get('valid')} valid, {found.get('invalid')} invalid, sha256 {found.get('sha256')}"
    )
    faults = found.get("errors") or []
    for fault in faults[:_SHOWN_FAULTS]:
        place = f"row {fault.get('row')} (line {fault.get('line')}) {fault.get('path')}"
        click.echo(printable(f"  {place.rstrip()}: {fault.get('message')}"), err=True)
    if len(faults) > _SHOWN_FAULTS:
        click.echo(f"  … `croupier bulk rows {found.get('bulk_id')} --state invalid` lists them", err=True)


def _print_state(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found.get('bulk_id')} {found.get('state')}: {found.get('rows')} rows")


def _counted(found: Mapping[str, Any]) -> str:
    counts = {state: count for state, count in (found.get("counts") or {}).items() if count}
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "no rows"


def _row(row: Mapping[str, Any]) -> tuple[object, ...]:
    faults = "; ".join(f"{fault.get('path')} {fault.get('message')}" for fault in row.get("errors") or [])
    outcome = row.get("message") or faults or ("" if row.get("result") is None else row["result"])
    arguments = row.get("arguments")
    return (
        row.get("row"),
        row.get("line"),
        row.get("state"),
        row.get("call_id") or "",
        "" if arguments is None else _short(arguments),
        _short(outcome),
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:80] + "…"


def _entry(bulk: Mapping[str, Any]) -> tuple[object, ...]:
    uploaded = datetime.fromtimestamp(bulk.get("created_ms", 0) / 1000, UTC)
    return (
        bulk.get("bulk_id"),
        bulk.get("name") or "",
        bulk.get("function_id"),
        f"{bulk.get('game_id')}|{bulk.get('env')}",
        bulk.get("state"),
        bulk.get("rows"),
        uploaded.strftime("%Y-%m-%d %H:%M:%SZ"),
    )
