"""The commands on packs that a server has."""

import io
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import click

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Exit
from croupier.cli.pack_files import READ_PACK, difference_of, load, name_of_file, telling
from croupier.cli.terminal import print_json, print_table, printable
from croupier.errors import PayloadTooLarge
from croupier.packs.bounds import ARCHIVE_BYTES
from croupier.packs.pack import write_packs
from croupier.settings import ClientSettings

_NAME = click.argument("name")
_YES = click.option("--yes", is_flag=True, help="do not ask")
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_SHOWN = 20
_WHOLE = frozenset({"install", "uninstall"})
"""Where every file comes or goes, nobody needs their names."""


@click.command()
@READ_PACK
@click.option("--name", default="", help="what a pack is called that does not say its name")
@click.option("--replaces", multiple=True, metavar="NAME", help="uninstall this pack with it; repeatable")
@click.option("--dry-run", is_flag=True, help="say what would change, and change nothing")
@_YES
@connection_options
def install(
    pack: Path, name: str, replaces: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool, **flags: Any
) -> None:
    """Install PACK on the server, or upgrade to it, after showing what would change."""
    settings = client_settings(**flags)
    with telling(f"{pack} was not sent", as_json=as_json):
        archive = _archive(pack)
    sending = _Sending(archive, {"name": name or _given_name(pack), "replaces": list(replaces)}, settings, str(pack))
    if dry_run or not yes:
        found = sending.send(dry_run=True, as_json=as_json)
        if dry_run or not found.get("accepted"):
            _end(found, as_json=as_json)
        if as_json:
            raise click.UsageError("with --json nobody is asked: say --yes, or --dry-run")
        _print_change(found)
        if all(step.get("action") == "unchanged" for step in found.get("packs") or []):
            click.echo("nothing changes")
            return
        _ask("Install this?")
        # What was looked at is what is installed: the server refuses when its packs have changed since.
        found = sending.send(expected=str(found.get("etag")), as_json=as_json)
    else:
        found = sending.send(as_json=as_json)
    _print_done(found, as_json=as_json)


@click.command(name="list")
@click.option("--category", default="", help="only those of this category")
@connection_options
def list_packs(category: str, as_json: bool, **flags: Any) -> None:
    """List the packs that are installed."""
    query = {"category": category} if category else {}
    found = run(
        "no list of packs",
        client_settings(**flags),
        lambda client: client.ask("/api/packs/list", query),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
        return
    headings = ("PACK", "VERSION", "CATEGORY", "STATE", "FUNCTIONS", "SIGNED BY", "INSTALLED")
    print_table(headings, [_row(each) for each in found.get("packs", [])])


@click.command()
@_NAME
@connection_options
def show(name: str, as_json: bool, **flags: Any) -> None:
    """Show pack NAME: its functions, what it needs and who needs it, and its versions."""
    found = run(f"pack {name}", client_settings(**flags), lambda client: client.ask(_path(name), {}), as_json=as_json)
    if as_json:
        print_json(found)
    else:
        _print_pack(found)


@click.command()
@READ_PACK
@click.argument("other", type=click.Path(path_type=Path, exists=True), required=False)
@connection_options
def diff(pack: Path, other: Path | None, as_json: bool, **flags: Any) -> None:
    """Say what would change on the server if PACK were installed, or what changes from PACK to OTHER.

    The exit code is 1 when something is in the way.
    """
    if other is None:
        with telling(f"{pack} was not sent", as_json=as_json):
            archive = _archive(pack)
        sending = _Sending(archive, {"name": _given_name(pack)}, client_settings(**flags), str(pack))
        _end(sending.send(dry_run=True, as_json=as_json), as_json=as_json)
    with telling("the packs cannot be compared", as_json=as_json):
        found = difference_of(pack, other)
    step = {
        "name": found.name,
        "action": "compare",
        "old_version": found.old_version,
        "new_version": found.new_version,
        "verdict": found.verdict,
        "files": [{"name": each.name, "what": each.what} for each in found.files],
        "descriptions": [
            {"id": each.name, "what": each.what, "changes": [change.document() for change in each.changes]}
            for each in found.descriptions
        ],
    }
    if as_json:
        print_json(step)
    else:
        _print_step(step)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="else packs.tgz, or NAME.tgz")
@connection_options
def export(names: tuple[str, ...], output: Path | None, as_json: bool, **flags: Any) -> None:
    """Write the packs NAMES, or all that are installed, from the server to a .tgz."""
    target = output or Path(f"{names[0]}.tgz" if len(names) == 1 else "packs.tgz")
    settings = client_settings(**flags)
    beside = target.with_name(f".{target.name}.unfinished")
    with telling("nothing was exported", as_json=as_json), beside.open("wb") as file:
        try:
            run(
                "nothing was exported", settings,
                lambda client: client.download("/api/packs/export", {"id": list(names)}, file), as_json=as_json,
            )  # fmt: skip
            file.flush()
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    if as_json:
        print_json({"file": str(target)})
    else:
        click.echo(f"{target}: {target.stat().st_size} bytes")


@click.command()
@_NAME
@connection_options
def enable(name: str, as_json: bool, **flags: Any) -> None:
    """Offer what pack NAME describes."""
    _print_done(
        _change("POST", f"{_path(name)}/enable", name, client_settings(**flags), as_json=as_json), as_json=as_json
    )


@click.command()
@_NAME
@_YES
@connection_options
def disable(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Keep pack NAME and offer nothing of it."""
    settings = client_settings(**flags)
    if not yes:
        _ask(f"Disable {_about(name, settings, as_json=as_json)}? Its functions lose their checks and forms.")
    _print_done(_change("POST", f"{_path(name)}/disable", name, settings, as_json=as_json), as_json=as_json)


@click.command()
@_NAME
@click.option("--digest", default="", metavar="HEX", help="the version whose digest begins so; else the one before")
@_YES
@connection_options
def rollback(name: str, digest: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Go back to an earlier version of pack NAME, or bring it back after it was uninstalled."""
    settings = client_settings(**flags)
    if not yes:
        _ask(f"Roll back {_about(name, settings, as_json=as_json)}?")
    path = f"{_path(name)}/rollback" + (f"?digest={quote(digest, safe='')}" if digest else "")
    _print_done(_change("POST", path, name, settings, as_json=as_json), as_json=as_json)


@click.command()
@_NAME
@_YES
@connection_options
def uninstall(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take pack NAME away. `rollback` brings it back."""
    settings = client_settings(**flags)
    if not yes:
        _ask(f"Uninstall {_about(name, settings, as_json=as_json)}?")
    _print_done(_change("DELETE", _path(name), name, settings, as_json=as_json), as_json=as_json)


COMMANDS = (install, list_packs, show, diff, export, enable, disable, rollback, uninstall)


# ------------------------------------------------------------------------------------------------ asking the server


class _Sending:
    """One archive on its way to a server, perhaps twice."""

    def __init__(
        self, archive: bytes, query: Mapping[str, str | list[str]], settings: ClientSettings, what: str
    ) -> None:
        self._archive = archive
        self._query = {name: value for name, value in query.items() if value}
        self._settings = settings
        self._what = what

    def send(self, *, dry_run: bool = False, expected: str = "", as_json: bool) -> Mapping[str, Any]:
        query = {**self._query, **({"dry_run": "true"} if dry_run else {})}
        headers = {"If-Match": f'"{expected}"'} if expected else {}

        async def upload(client: Client) -> Any:
            return await client.upload(
                "/api/packs/import", query, io.BytesIO(self._archive), "application/gzip", headers
            )

        found: Mapping[str, Any] = run(f"{self._what} was not installed", self._settings, upload, as_json=as_json)
        return found


def _archive(pack: Path) -> bytes:
    """A folder is checked and packed here; an archive is sent as it is, for the server to check."""
    if pack.is_dir():
        return write_packs(load(pack))
    with pack.open("rb") as file:
        archive = file.read(ARCHIVE_BYTES + 1)
    if len(archive) > ARCHIVE_BYTES:
        raise PayloadTooLarge(f"an archive has at most {ARCHIVE_BYTES} bytes")
    return archive


def _given_name(pack: Path) -> str:
    return "" if pack.is_dir() else name_of_file(pack.name)


def _path(name: str) -> str:
    return f"/api/packs/{quote(name, safe='')}"


def _change(method: str, path: str, name: str, settings: ClientSettings, *, as_json: bool) -> Mapping[str, Any]:
    async def ask(client: Client) -> Any:
        return await (client.delete(path) if method == "DELETE" else client.post(path, {}))

    found: Mapping[str, Any] = run(f"pack {name} stays as it is", settings, ask, as_json=as_json)
    return found


def _about(name: str, settings: ClientSettings, *, as_json: bool) -> str:
    found = run(f"pack {name}", settings, lambda client: client.ask(_path(name), {}), as_json=as_json)
    return f"pack {name} {found.get('version')} with {len(found.get('functions') or [])} functions"


# ------------------------------------------------------------------------------------------------ telling people


def _ask(question: str) -> None:
    """Raises click.Abort when the answer is no, click.UsageError when there is nobody to answer."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is there to answer: say --yes")
    click.confirm(printable(question), abort=True, err=True)


def _end(found: Mapping[str, Any], *, as_json: bool) -> NoReturn:
    """Tell a dry run, and exit with 1 if it would fail."""
    if as_json:
        print_json(found)
    else:
        _print_change(found)
    raise click.exceptions.Exit(Exit.OK if found.get("accepted") else Exit.FAILED)


def _print_done(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        _print_change(found)


def _print_change(found: Mapping[str, Any]) -> None:
    for step in found.get("packs") or []:
        _print_step(step)
    for each in found.get("faults") or []:
        click.echo(printable(f"{each.get('file')}:{each.get('path')}: {_english(each)}"), err=True)
    for each in found.get("obstacles") or []:
        click.echo(printable(f"in the way: {_english(each)}"), err=True)


def _print_step(step: Mapping[str, Any]) -> None:
    versions = " → ".join(dict.fromkeys(filter(None, (step.get("old_version"), step.get("new_version")))))
    verdict = step.get("verdict")
    click.echo(printable(" ".join(filter(None, (str(step.get("name")), versions, f"{step.get('action')}: {verdict}")))))
    for each in step.get("descriptions") or []:
        click.echo(printable(f"  {_SIGNS.get(each.get('what'), '?')} {each.get('id')}"))
        for change in each.get("changes") or []:
            mark = "breaking: " if change.get("breaking") else ""
            click.echo(printable(f"      {mark}{change.get('path')} {(change.get('why') or {}).get('en')}"))
    files: Sequence[Mapping[str, Any]] = step.get("files") or []
    if step.get("action") in _WHOLE:
        click.echo(f"  {len(files)} files")
        files = []
    for file in files[:_SHOWN]:
        click.echo(printable(f"  {_SIGNS.get(str(file.get('what')), '?')} {file.get('name')}"))
    if len(files) > _SHOWN:
        click.echo(f"  … and {len(files) - _SHOWN} more files")
    for note in step.get("notes") or []:
        click.echo(printable(f"  note: {note.get('file')}:{note.get('path')}: {_english(note)}"), err=True)


def _english(found: Mapping[str, Any]) -> str:
    message = found.get("message")
    return str(message.get("en") if isinstance(message, dict) else message)


def _print_pack(found: Mapping[str, Any]) -> None:
    click.echo(
        printable(f"{found.get('name')} {found.get('version')}  {found.get('state')}  {found.get('category')}".rstrip())
    )
    lines = {
        "problem": found.get("problem"),
        "signed by": found.get("signed_by") or "nobody",
        "functions": ", ".join(found.get("functions") or []),
        "entities": ", ".join(found.get("entities") or []),
        "needs": ", ".join(
            f"{each.get('id')} {each.get('version')}".strip() for each in found.get("dependencies") or []
        ),
        "needed by": ", ".join(found.get("dependants") or []),
        "files": len(found.get("files") or []),
    }
    for title, text in lines.items():
        if text:
            click.echo(printable(f"  {title}: {text}"))
    print_table(
        ("VERSION", "DIGEST", "SIGNED BY", "INSTALLED BY", "INSTALLED", ""),
        [
            (
                each.get("version"),
                str(each.get("digest"))[:12],
                each.get("signed_by") or "-",
                each.get("installed_by"),
                _time(each.get("installed_ms")),
                "current" if each.get("current") else "",
            )
            for each in found.get("versions") or []
        ],
    )


def _row(pack: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        pack.get("name"),
        pack.get("version") or "-",
        pack.get("category") or "-",
        "broken" if pack.get("problem") else "folder" if pack.get("origin") == "folder" else pack.get("state"),
        len(pack.get("functions") or []),
        pack.get("signed_by") or "-",
        _time(pack.get("installed_ms")) if pack.get("installed_ms") else "-",
    )


def _time(milliseconds: object) -> str:
    seconds = milliseconds / 1000 if isinstance(milliseconds, int) else 0
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
