import base64
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.terminal import ask, print_json, print_table, tell
from croupier.domain.secret import VALUE_BYTES
from croupier.settings import ClientSettings

_NAME = click.argument("name")
_YES = click.option("--yes", is_flag=True, help="do not ask")
_VERSION = click.option("--version", type=click.IntRange(1), required=True, help="which of its versions")


@click.group(short_help="Keep secrets that the server uses and shows to nobody")
def command() -> None:
    """Keep secrets that the server uses and shows to nobody: of --game and --env, of --game, or of the platform."""


@command.command(name="list")
@connection_options
def list_secrets(as_json: bool, **flags: Any) -> None:
    """List the names of all secrets."""
    found = run(
        "no list of secrets", client_settings(**flags), lambda client: client.ask("/api/secrets", {}), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    rows = [
        (each.get("name"), f"{each.get('game_id')}|{each.get('env')}", each.get("current") or "-",
         len(each.get("versions", [])), each.get("changed_by"), each.get("note"))
        for each in found.get("secrets", [])
    ]  # fmt: skip
    print_table(("SECRET", "SCOPE", "IN USE", "VERSIONS", "CHANGED BY", "NOTE"), rows)


@command.command()
@_NAME
@connection_options
def show(name: str, as_json: bool, **flags: Any) -> None:
    """Show the versions of secret NAME, without their values."""
    settings = client_settings(**flags)
    found = run(f"secret {name}", settings, lambda client: client.ask(_path(name), _place(settings)), as_json=as_json)
    _print(found, as_json=as_json)


@command.command(name="set")
@_NAME
@click.option(
    "--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
    help="take the value from FILE, byte for byte; else from stdin, or asked for",
)  # fmt: skip
@click.option("--note", help="what it is for")
@connection_options
def set_secret(name: str, file: Path | None, note: str | None, as_json: bool, **flags: Any) -> None:
    """Keep secret NAME; where there is one, this is its new version. The value never stands on the command line."""
    settings = client_settings(**flags)
    value = _value(file)
    if len(value) > VALUE_BYTES:
        raise click.UsageError(f"a secret has at most {VALUE_BYTES} bytes")
    said = {"name": name, "value_base64": base64.b64encode(value).decode(), "note": note, **_place(settings)}
    found = run(
        f"secret {name} is not set", settings, lambda client: client.post("/api/secrets", said), as_json=as_json
    )
    tell(found, f"version {found.get('current')} of secret {name} is used from now on", as_json=as_json)


@command.command()
@_NAME
@connection_options
def rotate(name: str, as_json: bool, **flags: Any) -> None:
    """Seal every version of secret NAME with a new data key. The values stay."""
    _do(name, "rotate", flags, as_json=as_json)


@command.command()
@_NAME
@_VERSION
@connection_options
def enable(name: str, version: int, as_json: bool, **flags: Any) -> None:
    """Let a version of secret NAME be used again."""
    _do(name, f"versions/{version}/enable", flags, as_json=as_json)


@command.command()
@_NAME
@_VERSION
@connection_options
def disable(name: str, version: int, as_json: bool, **flags: Any) -> None:
    """Keep a version of secret NAME from being used; the newest enabled one is used instead."""
    _do(name, f"versions/{version}/disable", flags, as_json=as_json)


@command.command()
@_NAME
@_VERSION
@_YES
@connection_options
def destroy(name: str, version: int, yes: bool, as_json: bool, **flags: Any) -> None:
    """Destroy the value of a version of secret NAME."""
    ask(f"Destroy the value of version {version} of secret {name}?", yes=yes, as_json=as_json)
    _do(name, f"versions/{version}/destroy", flags, as_json=as_json)


@command.command()
@_NAME
@_YES
@connection_options
def delete(name: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Forget secret NAME with all its versions."""
    ask(f"Forget secret {name} with all its versions?", yes=yes, as_json=as_json)
    settings = client_settings(**flags)
    path = _path(name) + _query(settings)
    found = run(f"secret {name} stays", settings, lambda client: client.delete(path), as_json=as_json)
    tell(found, f"secret {name} is forgotten", as_json=as_json)


def _do(name: str, deed: str, flags: dict[str, Any], *, as_json: bool) -> None:
    settings = client_settings(**flags)
    path = f"{_path(name)}/{deed}{_query(settings)}"
    found = run(f"secret {name} stays as it is", settings, lambda client: client.post(path, {}), as_json=as_json)
    _print(found, as_json=as_json)


def _value(file: Path | None) -> bytes:
    if file is not None:
        with file.open("rb") as opened:
            return opened.read(VALUE_BYTES + 1)
    if sys.stdin.isatty():
        asked: str = click.prompt("Value", hide_input=True, confirmation_prompt=True)
        return asked.encode()
    # A pipe ends in a line break that belongs to nobody's secret: `echo … | croupier secret set`.
    return sys.stdin.buffer.read(VALUE_BYTES + 3).removesuffix(b"\n").removesuffix(b"\r")


def _place(settings: ClientSettings) -> dict[str, str]:
    return {"game_id": settings.game_id or "*", "env": settings.env or "*"}


def _query(settings: ClientSettings) -> str:
    return "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in _place(settings).items())


def _path(name: str) -> str:
    return f"/api/secrets/{quote(name, safe='')}"


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    used = found.get("current")
    rows = [
        (
            each.get("version"),
            each.get("state"),
            "in use" if each.get("version") == used else "",
            each.get("created_by"),
        )
        for each in found.get("versions", [])
    ]
    print_table(("VERSION", "STATE", "", "SET BY"), rows)
