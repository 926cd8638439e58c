from typing import Any

import click
from pydantic import SecretStr

from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import RequestFailed
from croupier.cli.sessions import keep_session, kept_session
from croupier.cli.terminal import print_json


@click.command(short_help="End the session of `croupier login`")
@connection_options
def command(as_json: bool, **flags: Any) -> None:
    """End the session that `croupier login` began at this server, and forget it."""
    settings = client_settings(**flags, with_session=False)
    kept = kept_session(settings.url)

    async def sign_out(client: Client) -> None:
        try:
            await client.call("/api/logout", b"", timeout=30.0)
        except RequestFailed as failure:
            if failure.problem.reason != "unauthenticated":  # it has ended already
                raise

    if kept is not None:
        own = settings.model_copy(update={"token": SecretStr(kept.token)})
        run("signing out failed", own, sign_out, as_json=as_json)
        keep_session(settings.url, None)
    if as_json:
        print_json({"url": settings.url, "signed_out": kept is not None})
    else:
        click.echo(f"signed out at {settings.url}" if kept is not None else f"nobody is signed in at {settings.url}")
