"""The entry of the command line.

A command's module is imported when the command is named, not before: `croupier --help` and `croupier invoke` would else
pay for the web framework, gRPC and the database, a second in which a person waits. importlib does it, because the name of
the module is data here.
"""

import gc
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

from croupier import __version__
from croupier.errors import CroupierError


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    module: str
    """Holds the command under the name `command`."""
    help: str
    """The command's own short help, so that the list of commands needs no import."""


COMMANDS: Mapping[str, Entry] = {
    "dev": Entry(module="croupier.cli.dev", help="Run server, agent and a sample game in one process"),
    "server": Entry(module="croupier.cli.server", help="Run a server"),
    "edge": Entry(module="croupier.cli.edge", help="Run an edge between agents and servers"),
    "agent": Entry(module="croupier.cli.agent", help="Run an agent beside game servers"),
    "adapter": Entry(
        module="croupier.cli.adapter", help="Offer Prometheus, Grafana, Alertmanager or any HTTP API as functions"
    ),
    "login": Entry(module="croupier.cli.login", help="Sign in, and stay so for the commands after this one"),
    "logout": Entry(module="croupier.cli.logout", help="End the session of `croupier login`"),
    "second-factor": Entry(
        module="croupier.cli.second_factor", help="Codes of an authenticator app beside the password"
    ),
    "invoke": Entry(module="croupier.cli.invoke", help="Call a function of a game server and print its answer"),
    "route": Entry(module="croupier.cli.route", help="Say who would receive a call, without sending it"),
    "call": Entry(module="croupier.cli.call", help="List, show and repeat recorded calls"),
    "approval": Entry(module="croupier.cli.approval", help="List, show and decide requests for approval"),
    "job": Entry(module="croupier.cli.job", help="Follow, cancel, read and list jobs"),
    "bulk": Entry(module="croupier.cli.bulk", help="Run a function once for every row of a file"),
    "pack": Entry(module="croupier.cli.pack", help="Make, check, sign, install and compare packs of functions"),
    "descriptors": Entry(module="croupier.cli.descriptors", help="List, show and check descriptions of functions"),
    "entity": Entry(module="croupier.cli.entity", help="Show the things of a game and what was done to one"),
    "registry": Entry(
        module="croupier.cli.registry", help="Show which agents, functions and game servers can be reached"
    ),
    "limit": Entry(
        module="croupier.cli.limit", help="Set and show limits on calls: how often, how many at once, how much"
    ),
    "secret": Entry(module="croupier.cli.secret", help="Keep secrets that the server uses and shows to nobody"),
    "maintenance": Entry(module="croupier.cli.maintenance", help="Hold commands to a game back for a time"),
    "ca": Entry(module="croupier.cli.ca", help="The authority that certifies machines"),
    "machine": Entry(module="croupier.cli.machine", help="Invite machines, and renew their certificates"),
    "enrol": Entry(module="croupier.cli.enrol", help="Join with a join token: get a certificate"),
    "user": Entry(module="croupier.cli.user", help="Make, list, disable and invite accounts of people"),
    "session": Entry(module="croupier.cli.session", help="Show who is signed in, and end sessions"),
    "token": Entry(module="croupier.cli.token", help="Make, list and revoke API tokens"),
    "role": Entry(module="croupier.cli.role", help="Show and change roles: what somebody may do"),
    "binding": Entry(module="croupier.cli.binding", help="Give roles to people and groups, and take them"),
    "policy": Entry(module="croupier.cli.policy", help="Keep roles and bindings as files, and apply them"),
    "access": Entry(module="croupier.cli.access", help="Say who may do what, and why"),
    "audit": Entry(module="croupier.cli.audit", help="Look through, export and verify the record of who did what"),
    "config": Entry(module="croupier.cli.config", help="Check a configuration file"),
}

FAILED = 1
USAGE = 2
INTERRUPTED = 130


@contextmanager
def _uncollected() -> Iterator[None]:
    """What modules make while they load stays: looking through it for garbage is a twentieth of the time they take."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Commands(click.Group):
    """The group that loads a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 — click's signature
        if cmd_name not in COMMANDS:
            return None
        with _uncollected():
            command = importlib.import_module(COMMANDS[cmd_name].module).command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 — click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="croupier")
def croupier() -> None:
    """Operate live games safely: call functions of game servers, follow jobs, run servers and agents."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Whatever goes wrong on purpose is said in words, without a traceback."""
    try:
        code = croupier.main(list(arguments), prog_name="croupier", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CroupierError as error:
        click.echo(f"croupier: {error.message}", err=True)
        return USAGE if error.reason == "invalid_argument" else FAILED
    except OSError as error:
        # A port that is taken, a disk that is full: the system's words say it best.
        click.echo(f"croupier: {error}", err=True)
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    sys.exit(run(sys.argv[1:]))
