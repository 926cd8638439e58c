import asyncio
from pathlib import Path
from typing import Any

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.flags import Duration
from croupier.cli.machine_words import ask, grant_of, grant_options, token_rows
from croupier.cli.terminal import print_json, print_table, printable
from croupier.pki.identity import Identity, MachineFiles
from croupier.pki.names import HUB
from croupier.rpc.machine_client import OverChannel
from croupier.rpc.secure import open_channel
from croupier.tunnel.grpc import UNARY_OPTIONS


@click.group(short_help="Invite machines, and renew their certificates")
def command() -> None:
    """Make and withdraw join tokens, and renew the certificate of a machine that does not do so by itself."""


@command.group(name="join-token")
def join_token() -> None:
    """Make, list and withdraw the tokens by which machines join. A token joins one machine, once."""


@join_token.command()
@grant_options
@click.option("--expires-in", type=Duration(), metavar="DURATION", help="how long it may be used  [1h]")
@connection_options
def create(expires_in: float | None, as_json: bool, **flags: Any) -> None:
    """Make a join token and print it; it is not shown again. Without --id the machine chooses its name."""
    body = grant_of(flags) | ({"expires_in": expires_in} if expires_in else {})
    found = run(
        "no join token",
        client_settings(**flags),
        lambda client: client.post("/api/machines/join_tokens", body),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
    else:
        click.echo(printable(str(found.get("token"))))


@join_token.command(name="list")
@connection_options
def list_tokens(as_json: bool, **flags: Any) -> None:
    """List the join tokens, without what machines join with."""
    found = run(
        "no list of join tokens",
        client_settings(**flags),
        lambda client: client.ask("/api/machines/join_tokens", {}),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
    else:
        headings = ("TOKEN", "ROLE", "SCOPE", "MACHINE", "STATE", "UNTIL", "BY")
        print_table(headings, token_rows(found.get("join_tokens", [])))


@join_token.command()
@click.argument("token_id", metavar="ID")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def revoke(token_id: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Withdraw join token ID: nobody joins with it any more."""
    settings = client_settings(**flags)
    if not yes:
        ask(f"Withdraw join token {token_id}?", as_json=as_json)
    found = run(
        f"join token {token_id} was not withdrawn",
        settings,
        lambda client: client.delete(f"/api/machines/join_tokens/{token_id}"),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
    else:
        click.echo(printable(f"join token {found.get('id')} is {found.get('state')}"))


@command.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--server", default="127.0.0.1:8443", show_default=True, metavar="HOST:PORT", help="gRPC of a server or edge"
)
@click.option("--json", "as_json", is_flag=True, help="print what programs read")
def renew(folder: Path, server: str, as_json: bool) -> None:
    """Renew the certificate in FOLDER with the one that is there; the key stays. For game servers and clients: run it by a timer."""
    renewed = asyncio.run(_renew(MachineFiles.of_folder(folder), server))
    if as_json:
        print_json({"serial": renewed.peer.serial, "not_after_ms": renewed.peer.expires_ms})
    else:
        click.echo(printable(f"{renewed.peer.identity} has certificate {renewed.peer.serial} in {folder}"))


async def _renew(files: MachineFiles, server: str) -> Identity:
    async with open_channel(server, UNARY_OPTIONS, files, HUB) as channel:

        async def opened() -> Any:
            return channel

        cert, ca = await OverChannel(opened).renew(files.current().request())
    return files.replace(cert, ca)
