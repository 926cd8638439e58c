"""What the commands about people share: finding accounts by name, and asking for passwords."""

import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from croupier.cli.client import Client
from croupier.cli.exits import Problem, RequestFailed

PASSWORD_BYTES = 4_096


async def user_id_of(client: Client, name: str) -> str:
    """Raises RequestFailed when nobody has that name."""
    found = (await client.ask("/api/users", {"name": name})).get("users", [])
    if not found:
        raise RequestFailed(Problem(reason="not_found", detail=f"there is no account {name}"))
    return str(found[0]["user_id"])


async def whose(client: Client, user: str | None, *, everybody: bool) -> dict[str, str]:
    """The query that names whose things are meant; nothing for one's own."""
    if everybody:
        return {"user_id": "*"}
    return {"user_id": await user_id_of(client, user)} if user else {}


def user_path(user_id: str, verb: str = "") -> str:
    return f"/api/users/{quote(user_id, safe='')}" + (f"/{verb}" if verb else "")


def read_secret(what: str, *, confirm: bool = False) -> str:
    """One line of stdin; on a terminal it is asked for and not shown. Never from a flag, which others could see."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
    line = sys.stdin.readline(PASSWORD_BYTES).rstrip("\r\n")
    if not line:
        raise click.UsageError(f"no {what.lower()}: write it on standard input, as one line")
    return line


def when(at_ms: Any) -> str:
    if not at_ms:
        return "-"
    return datetime.fromtimestamp(int(at_ms) / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def limit(names: Any) -> str:
    return "any" if names is None else ",".join(names) or "none"


def ago(at_ms: Any) -> str:
    if not at_ms:
        return "never"
    seconds = max(0, int(time.time() - int(at_ms) / 1000))
    for name, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{name} ago"
    return "now"
