"""`croupier pack`: what needs files only, and what a server does."""

import click

from croupier.cli import pack_files, pack_server

_EXAMPLES = """\b
Examples:
  croupier pack new shop && croupier pack validate shop
  croupier pack sign shop --key croupier_ed25519
  croupier pack install shop
  croupier pack install prom
  croupier pack rollback shop
"""


@click.group(short_help="Make, check, sign, install and compare packs of functions", epilog=_EXAMPLES)
def command() -> None:
    """Packs hold functions with their forms and types. PACK is a folder with a manifest.json, or a .tgz.

    Where neither is there, validate, build, diff and install take a pack that comes with Croupier by its name: prom, http, grafana,
    alertmanager, player.
    """


for each in (*pack_files.COMMANDS, *pack_server.COMMANDS):
    command.add_command(each)
