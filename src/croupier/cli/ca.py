from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.flags import Duration
from croupier.cli.machine_words import ask, certificate_rows, grant_of, grant_options
from croupier.cli.terminal import print_json, print_table, printable
from croupier.domain.machine import ANY, WIDE, make_identity
from croupier.pki.authority import deployment_of, read_certificate
from croupier.pki.identity import MachineFiles
from croupier.pki.request import make_request
from croupier.server.access.authority_files import init_authority


@click.group(short_help="The authority that certifies machines")
def command() -> None:
    """Make the authority of a deployment, and issue, list and revoke certificates of machines."""


@command.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("data/server"), show_default=True, metavar="DIR")
@click.option(
    "--deployment", default="croupier", show_default=True, metavar="NAME", help="what machines of it are called by"
)
@click.option(
    "--key-file", type=click.Path(path_type=Path), metavar="FILE", help="the deployment's key, where it is not in DIR"
)
@click.option(
    "--own-cert", type=click.Path(path_type=Path), metavar="FILE", help="take over an authority: its certificate"
)
@click.option("--own-key", type=click.Path(path_type=Path), metavar="FILE", help="and its key, PEM")
@click.option(
    "--own-passphrase-file", type=click.Path(path_type=Path), metavar="FILE", help="the passphrase of --own-key"
)
@click.option("--json", "as_json", is_flag=True, help="print what programs read")
def init(
    data: Path,
    deployment: str,
    key_file: Path | None,
    own_cert: Path | None,
    own_key: Path | None,
    own_passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make the authority in the server's data folder, or take over one that you have; the server finds it at its next start.

    Its key is kept under a passphrase derived from the deployment's key: keep a copy of that file apart from the folder's.
    """
    if bool(own_cert) != bool(own_key):
        raise click.UsageError("--own-cert and --own-key go together")
    own = None
    if own_cert is not None and own_key is not None:
        passphrase = own_passphrase_file.read_bytes().strip() if own_passphrase_file is not None else None
        own = (own_cert, own_key, passphrase)
    made = init_authority(data, key_file, deployment, own)
    if as_json:
        print_json({"deployment": made.deployment, "fingerprint": made.fingerprint, "folder": str(data / "ca")})
        return
    click.echo(printable(f"the authority of {made.deployment} is in {data / 'ca'}, fingerprint {made.fingerprint}"))
    click.echo("start the server, then invite machines: croupier machine join-token create", err=True)


@command.command()
@connection_options
def show(as_json: bool, **flags: Any) -> None:
    """Show the authority of the server: whose it is, until when, and its certificate."""
    found = run(
        "no authority", client_settings(**flags), lambda client: client.ask("/api/machines/ca", {}), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    until = read_certificate(str(found.get("ca")).encode()).not_valid_after_utc
    click.echo(printable(f"deployment   {found.get('deployment')}\nfingerprint  {found.get('fingerprint')}"))
    click.echo(f"valid until  {until:%Y-%m-%d}\n{printable(str(found.get('ca')))}")


@command.command()
@click.argument("folder", type=click.Path(path_type=Path))
@grant_options
@click.option("--lifetime", type=Duration(), metavar="DURATION", help="how long it counts  [the server's setting]")
@connection_options
def issue(folder: Path, lifetime: float | None, as_json: bool, **flags: Any) -> None:
    """Issue a certificate without a join token; the key is made in FOLDER and stays there."""
    grant = grant_of(flags)
    settings = client_settings(**flags)
    files = MachineFiles.of_folder(folder)
    found = run("no authority", settings, lambda client: client.ask("/api/machines/ca", {}), as_json=as_json)
    ca = str(found.get("ca")).encode()
    wide = ANY if grant["role"] in WIDE else ""
    identity = make_identity(
        deployment=deployment_of(read_certificate(ca)),
        role=grant["role"],
        game_id=grant["game_id"] or wide,
        env=grant["env"] or wide,
        id=grant["id"],
    )
    request = make_request(files.begin(), identity, tuple(grant["hosts"]))
    body = {**grant, "request": request.decode(), **({"lifetime": lifetime} if lifetime else {})}
    issued = run(
        "no certificate",
        settings,
        lambda client: client.post("/api/machines/certificates", body),
        as_json=as_json,
    )
    joined = files.replace(str(issued.get("certificate")).encode(), ca)
    if as_json:
        print_json({"identity": str(joined.peer.identity), "serial": joined.peer.serial, "folder": str(folder)})
    else:
        click.echo(printable(f"{joined.peer.identity} has certificate {joined.peer.serial} in {folder}"))


@command.command(name="list")
@click.option("--all", "everything", is_flag=True, help="also those that are expired or revoked")
@connection_options
def list_certificates(everything: bool, as_json: bool, **flags: Any) -> None:
    """List the certificates that count."""
    found = run(
        "no list of certificates",
        client_settings(**flags),
        lambda client: client.ask("/api/machines/certificates", {}),
        as_json=as_json,
    )
    shown = [each for each in found.get("certificates", []) if everything or each.get("state") == "valid"]
    if as_json:
        print_json({"certificates": shown})
    else:
        print_table(("SERIAL", "MACHINE", "STATE", "UNTIL", "BY"), certificate_rows(shown))


@command.command()
@click.argument("serial")
@click.option("--reason", default="", help="kept in the list")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def revoke(serial: str, reason: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Let certificate SERIAL and its renewals count no more: whoever is connected with it is cut off at once."""
    settings = client_settings(**flags)
    if not yes:
        ask(f"Revoke certificate {serial}? Its machine is cut off and must join again.", as_json=as_json)
    found = run(
        f"certificate {serial} was not revoked",
        settings,
        lambda client: client.post(f"/api/machines/certificates/{serial}/revoke", {"reason": reason}),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
    else:
        moment = datetime.fromtimestamp(found.get("revoked_ms", 0) / 1000, UTC)
        click.echo(printable(f"{found.get('identity') or serial} is revoked since {moment:%Y-%m-%d %H:%M:%S} UTC"))
