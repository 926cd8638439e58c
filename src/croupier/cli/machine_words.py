"""What the commands on certificates and on join tokens share."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import click

from croupier.cli.terminal import printable
from croupier.domain.machine import MachineRole

_GRANT = (
    click.option(
        "--role", required=True, type=click.Choice([role.value for role in MachineRole]), help="what the machine is"
    ),
    click.option("--id", "machine_id", default="", metavar="NAME", help="its name: agent_id, service_id, edge_id"),
    click.option("--hosts", default="", metavar="NAME,…", help="names and addresses under which others may dial it"),
)


def grant_options(command: Any) -> Any:
    return reduce(lambda decorated, option: option(decorated), reversed(_GRANT), command)


def grant_of(flags: dict[str, Any]) -> dict[str, Any]:
    """Takes the flags of a grant out of `flags`; game and env are those of the connection."""
    hosts = [host.strip() for host in flags.pop("hosts").split(",") if host.strip()]
    return {
        "role": str(flags.pop("role")),
        "id": flags.pop("machine_id"),
        "game_id": flags.get("game_id") or "",
        "env": flags.get("env") or "",
        "hosts": hosts,
    }


def ask(question: str, *, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("nobody is asked here: say --yes")
    click.confirm(printable(question), abort=True, err=True)


def moment(ms: Any) -> str:
    return f"{datetime.fromtimestamp(int(ms or 0) / 1000, UTC):%Y-%m-%d %H:%M}" if ms else "-"


def certificate_rows(certificates: Sequence[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (
            each.get("serial"),
            str(each.get("identity") or "-").removeprefix("croupier://"),
            each.get("state"),
            moment(each.get("not_after_ms")),
            each.get("issued_by"),
        )
        for each in certificates
    ]


def token_rows(tokens: Sequence[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (
            each.get("id"),
            each.get("role"),
            f"{each.get('game_id')}|{each.get('env')}",
            each.get("machine_id") or "any",
            each.get("state"),
            moment(each.get("expires_ms")),
            each.get("created_by"),
        )
        for each in tokens
    ]
