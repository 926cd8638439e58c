import json
import sys
from http.cookies import CookieError, SimpleCookie
from typing import Any

import click

from croupier.cli.client import Answer, Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Problem, RequestFailed
from croupier.cli.sessions import KeptSession, keep_session
from croupier.cli.terminal import print_json, printable

_SECONDS = 30.0
_PASSWORD_CHARACTERS = 4_096


@click.command(short_help="Sign in, and stay so for the commands after this one")
@click.option("--name", metavar="NAME", help="who you are; asked for without it")
@click.option("--password-stdin", is_flag=True, help="read the password, and a code behind it, from lines of stdin")
@connection_options
def command(name: str | None, password_stdin: bool, as_json: bool, **flags: Any) -> None:
    """Sign in with name and password, and a code where the account has a second factor.

    The session is kept in a file that only you can read; commands use it for this server when they have no token.
    `croupier logout` ends it.
    """
    settings = client_settings(**flags, with_session=False).model_copy(update={"token": None})
    name = name or click.prompt("Name", err=True)
    lines = _Lines() if password_stdin else _Prompts()
    password = lines.ask("Password")

    async def sign_in(client: Client) -> Answer:
        asked = {"name": name, "password": password}
        try:
            return await _post(client, asked)
        except RequestFailed as failure:
            if not _wants_code(failure.problem):
                raise
        return await _post(client, asked | {"code": lines.ask("Code")})

    session = _session(run("signing in failed", settings, sign_in, as_json=as_json))
    keep_session(settings.url, session)
    if as_json:
        print_json({"name": session.name, "url": settings.url, "expires_ms": session.expires_ms})
    else:
        click.echo(printable(f"signed in at {settings.url} as {session.name}"))


class _Prompts:
    def ask(self, what: str) -> str:
        return str(click.prompt(what, hide_input=True, err=True))


class _Lines:
    def ask(self, what: str) -> str:
        line = sys.stdin.readline(_PASSWORD_CHARACTERS).rstrip("\r\n")
        if not line:
            raise click.UsageError(f"{what.lower()} is missing: write it on a line of stdin")
        return line


async def _post(client: Client, asked: dict[str, str]) -> Answer:
    return await client.call("/api/login", json.dumps(asked).encode(), timeout=_SECONDS)


def _wants_code(problem: Problem) -> bool:
    details = problem.document.get("details")
    given = isinstance(details, dict) and details.get("second_factor") == "true"
    return given and problem.reason == "unauthenticated"


def _session(answer: Answer) -> KeptSession:
    """Raises click.ClickException where the answer brings none."""
    try:
        told = json.loads(answer.payload)
        cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        (token,) = (cookie.value for name, cookie in cookies.items() if name.endswith("croupier_session"))
        return KeptSession(token=token, name=str(told["name"]), expires_ms=int(told["expires_ms"]))
    except (ValueError, TypeError, KeyError, CookieError, RecursionError):
        raise click.ClickException("the answer brings no session: is this address a Croupier server?") from None
