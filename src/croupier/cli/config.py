from pathlib import Path

import click

from croupier.cli.exits import Exit
from croupier.cli.terminal import printable
from croupier.settings import check_file


@click.group(short_help="Check a configuration file")
def command() -> None:
    """Check a configuration file."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """List every fault of FILE with line, column and key; exit with 1 when there is one."""
    faults = check_file(file)
    for fault in faults:
        click.echo(printable(str(fault)))
    if faults:
        context.exit(Exit.FAILED)
    click.echo(f"{printable(str(file))}: no faults", err=True)
