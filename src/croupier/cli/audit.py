import gzip
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import msgspec

from croupier.audit.documents import CheckpointDocument, checkpoint_of
from croupier.audit.signing import Signer, Witness
from croupier.audit.verify import AuditFault, ExportCheck, Verdict
from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Exit
from croupier.cli.terminal import print_json, print_table, printable
from croupier.domain.audit import Checkpoint
from croupier.server.access.audit.purposes import CHAIN_PURPOSE, SIGN_PURPOSE
from croupier.server.access.keys import load_key

LINE_BYTES = 1_000_000
"""No line of an export is as long."""

_FILTERS = (
    click.option("--actor", default="", metavar="NAME", help="who did it"),
    click.option("--action", default="", metavar="NAME", help="such as packs.import, or packs.* for all that begin so"),
    click.option("--target", default="", metavar="ID", help="what it was done to: a function, a pack, an account"),
    click.option("--call", "call_id", default="", metavar="ID", help="a call, a job, or the act_id of anything"),
    click.option("--trace", "trace_id", default="", metavar="ID", help="a trace"),
    click.option("--result", default="", metavar="NAME", help="ok, denied, failed …"),
    click.option("--since", default="", metavar="TIME", help="from then on, such as 2026-01-31T18:00:00Z"),
    click.option("--until", default="", metavar="TIME", help="before then"),
    click.option("--text", default="", help="anywhere in a row, letter for letter"),
    click.option(
        "--value", default="", help="a value that was masked; others can see flags, so rather use --value-stdin"
    ),
    click.option("--value-stdin", is_flag=True, help="read the masked value from standard input"),
)

_EXAMPLES = """\b
Examples:
  croupier audit list --action 'packs.*' --since 2026-01-31
  croupier audit export --output audit.jsonl
  croupier audit verify audit.jsonl --key-file data/key
"""


def _filtered(command: Any) -> Any:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _query(flags: dict[str, Any]) -> dict[str, str | list[str]]:
    """Takes the filters out of the flags."""
    names = ("actor", "action", "target", "call_id", "trace_id", "result", "since", "until", "text", "value")
    query = {name: flags.pop(name) for name in names}
    if flags.pop("value_stdin"):
        query["value"] = sys.stdin.readline().rstrip("\r\n")
    return {name: value for name, value in query.items() if value}


@click.group(short_help="Look through, export and verify the record of who did what", epilog=_EXAMPLES)
def command() -> None:
    """The audit record: who did what, to what, when, and how it ended. Every row is chained to the one before."""


@command.command(name="list")
@_filtered
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="at most so many rows")
@click.option("--before", type=click.IntRange(1), help="only rows before this number, for the next page")
@connection_options
def list_rows(limit: int, before: int | None, as_json: bool, **flags: Any) -> None:
    """The rows that fit, newest first."""
    query = _query(flags) | {"limit": str(limit)} | ({"before": str(before)} if before else {})
    settings = client_settings(**flags)
    found = run(
        "the audit record cannot be read", settings, lambda client: client.ask("/api/audit", query), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    print_table(
        ("SEQ", "TIME", "WHO", "ACTION", "TARGET", "WHERE", "PHASE", "RESULT"), [_cells(row) for row in found["rows"]]
    )
    if found["next"]:
        click.echo(f"more: --before {found['next']}", err=True)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    where = f"{row['game_id']}|{row['env']}" if row["game_id"] else ""
    ended = f"{row['result']} ({row['reason']})" if row["reason"] else row["result"]
    return (row["seq"], row["time"], row["actor"]["name"], row["action"], row["target"], where, row["phase"], ended)


@command.command()
@_filtered
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="a file; standard output by default",
)
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@connection_options
def export(output: Path | None, form: str, as_json: bool, **flags: Any) -> None:
    """Write the record, or the rows that fit, oldest first. `croupier audit verify` verifies JSON lines anywhere."""
    query = _query(flags) | {"format": form}
    settings = client_settings(**flags)

    async def write(client: Client) -> None:
        with output.open("wb") if output is not None else nullcontext(sys.stdout.buffer) as file:
            await client.download("/api/audit/export", query, file)

    run("the audit record was not exported whole", settings, write, as_json=as_json)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--key-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="the deployment's key")
@click.option("--public-key", metavar="HEX", help="of the deployment: `croupier audit checkpoints` shows it")
@click.option(
    "--checkpoints",
    "kept",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="checkpoints that were kept elsewhere, one JSON document a line",
)
@connection_options
def verify(
    file: Path | None,
    key_file: Path | None,
    public_key: str | None,
    kept: tuple[Path, ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Verify FILE, an export in JSON lines, without any server; without FILE the server verifies what it keeps.

    With the key file every row is verified to be the deployment's own; with the public key the export as a whole and its
    checkpoints; with neither only that it hangs together. The exit code is 1 when something is wrong.
    """
    if file is None:
        settings = client_settings(**flags)
        found = run(
            "the audit record was not verified",
            settings,
            lambda client: client.post("/api/audit/verify", {}),
            as_json=as_json,
        )
        faults = [AuditFault(each["seq"], 0, each["problem"]) for each in found.pop("faults")]
        holds = found.pop("holds")
        verdict = Verdict(keyed=True, signed=True, faults=faults, **found)
        if holds != verdict.holds:
            raise click.ClickException("the server's answer contradicts itself")
    else:
        verdict = _verdict(file, key_file, public_key, kept)
    _print(verdict, as_json=as_json)
    if not verdict.holds:
        click.get_current_context().exit(Exit.FAILED)


def _verdict(file: Path, key_file: Path | None, public_key: str | None, kept: tuple[Path, ...]) -> Verdict:
    key, witness = None, None
    if key_file is not None:
        deployment = load_key(key_file.parent, key_file)
        key, witness = deployment.derive(CHAIN_PURPOSE), Signer(deployment.derive(SIGN_PURPOSE)).witness
    if public_key is not None:
        try:
            witness = Witness(bytes.fromhex(public_key))
        except ValueError:
            raise click.UsageError("--public-key is 64 hex digits") from None
    marks = [mark for path in kept for mark in _checkpoints(path)]
    check = ExportCheck(key=key, witness=witness, kept=_signed(marks, witness))
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            while line := lines.readline(LINE_BYTES):
                check.feed(line)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        check.verdict.fault("the file is damaged, or was cut short: it is not as it was packed")
    return check.finish()


def _checkpoints(path: Path) -> list[Checkpoint]:
    try:
        return [
            checkpoint_of(msgspec.json.decode(line, type=CheckpointDocument))
            for line in path.read_bytes().splitlines()
            if line.strip()
        ]
    except (msgspec.DecodeError, ValueError):
        raise click.UsageError(f"{path} holds something else than checkpoints, one JSON document a line") from None


def _signed(marks: list[Checkpoint], witness: Witness | None) -> list[Checkpoint]:
    if marks and witness is None:
        raise click.UsageError("--checkpoints are verified with --key-file or --public-key: give one")
    for mark in marks:
        if witness is not None and not witness.signed_checkpoint(mark):
            raise click.UsageError(f"the checkpoint of row {mark.seq} was not signed by this deployment")
    return marks


def _print(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "holds": verdict.holds,
                "rows": verdict.rows,
                "first": verdict.first,
                "last": verdict.last,
                "whole": verdict.whole,
                "keyed": verdict.keyed,
                "signed": verdict.signed,
                "checkpoints": verdict.checkpoints,
                "faults": [{"seq": each.seq, "line": each.line, "problem": each.problem} for each in verdict.faults],
                "more_faults": verdict.more_faults,
            }
        )
        return
    for each in verdict.faults:
        click.echo(printable(_said(each)))
    if verdict.more_faults:
        click.echo(f"… and {verdict.more_faults} more")
    what = f"{verdict.rows} rows, {verdict.first} to {verdict.last}, {verdict.checkpoints} checkpoints"
    click.echo(f"{'holds' if verdict.holds else 'DOES NOT HOLD'}: {what}")
    if not verdict.whole:
        click.echo("a part of the record: that no row of it is missing cannot be said")
    if verdict.holds and not verdict.signed:
        click.echo("it hangs together; who wrote it was not looked at: give --key-file or --public-key")


def _said(fault: AuditFault) -> str:
    line = f"line {fault.line}" if fault.line else "the record"
    if not fault.seq:
        return f"{line}: {fault.problem}"
    return f"row {fault.seq} {fault.problem}" + (f" ({line})" if fault.line else "")


@command.command()
@click.option("--make", is_flag=True, help="sign one of now first")
@connection_options
def checkpoints(make: bool, as_json: bool, **flags: Any) -> None:
    """Signed statements of where the record stood. Keep them, and the public key, away from the server.

    With --json one document a line, as `verify --checkpoints` reads them.
    """
    settings = client_settings(**flags)

    async def read(client: Client) -> Any:
        if make:
            await client.post("/api/audit/checkpoints", {})
        found = await client.ask("/api/audit/checkpoints", {})
        while page := (await client.ask("/api/audit/checkpoints", _after(found)))["checkpoints"]:
            found["checkpoints"] += page
        return found

    found = run("the checkpoints cannot be read", settings, read, as_json=as_json)
    if as_json:
        for each in found["checkpoints"]:
            print_json(each)
        return
    print_table(
        ("SEQ", "TIME (ms)", "HASH"), [(each["seq"], each["time_ms"], each["hash"]) for each in found["checkpoints"]]
    )
    click.echo(f"public key: {found['public_key']}")


def _after(found: dict[str, Any]) -> dict[str, str | list[str]]:
    marks = found["checkpoints"]
    return {"after": str(marks[-1]["seq"] if marks else 0)}


@command.command()
@click.option("--before", required=True, metavar="TIME", help="rows from before then go, such as 2025-01-31T00:00:00Z")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def cut(before: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take old rows away for good. What is left can be verified still; that rows were taken away is signed and on record."""
    settings = client_settings(**flags)
    if not yes:
        click.confirm(f"take away every row from before {before}, for good? Export them first", abort=True, err=True)
    found = run(
        "nothing was cut", settings, lambda client: client.post("/api/audit/cut", {"before": before}), as_json=as_json
    )
    if as_json:
        print_json(found)
    else:
        click.echo(f"rows up to {found['up_to']} are gone")
