from pathlib import Path

import click

from croupier.cli.enrolling import Claim, enrol
from croupier.cli.flags import join_options
from croupier.cli.terminal import print_json, printable


@click.command(short_help="Join with a join token: get a certificate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--role", default="game", show_default=True, help="game, agent, edge, server or client")
@click.option(
    "--id", "machine_id", required=True, metavar="NAME", help="name of this machine: service_id, agent_id, edge_id"
)
@click.option("--game", "--game-id", "game_id", default="", metavar="ID", help="its game")
@click.option("--env", default="", metavar="NAME", help="the game's environment")
@click.option("--hosts", default="", metavar="NAME,…", help="names and addresses under which others reach this machine")
@join_options(required=True)
@click.option("--json", "as_json", is_flag=True, help="print what programs read")
def command(
    folder: Path,
    role: str,
    machine_id: str,
    game_id: str,
    env: str,
    hosts: str,
    join: str,
    join_url: str,
    join_ca: Path | None,
    as_json: bool,
) -> None:
    """Make a key in FOLDER and get a certificate for it: key.pem, which never leaves it, cert.pem and ca.pem.

    The token comes from `croupier machine join-token create`; rather set CROUPIER_JOIN_TOKEN than give it as a flag, since
    others can see flags.
    """
    named = tuple(host.strip() for host in hosts.split(",") if host.strip())
    claim = Claim(role=role, id=machine_id, game_id=game_id, env=env, hosts=named)
    joined = enrol(join_url, join, claim, folder, join_ca)
    said = {
        "identity": str(joined.peer.identity),
        "serial": joined.peer.serial,
        "not_after_ms": joined.peer.expires_ms,
        "folder": str(folder),
    }
    if as_json:
        print_json(said)
    else:
        click.echo(printable(f"{said['identity']} has certificate {said['serial']} in {folder}"))
