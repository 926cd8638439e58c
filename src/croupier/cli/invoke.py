import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from croupier.cli.choosing import about_options
from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, require_scope, run
from croupier.cli.flags import Duration, TraceId
from croupier.cli.job import PATIENCE, follow_to_end
from croupier.cli.payload import parse_pairs, read_payload
from croupier.cli.terminal import print_answer
from croupier.settings import ClientSettings

_EXAMPLES = """\b
Examples:
  croupier invoke player.ban player_id=p1 reason="rude in chat"
  croupier invoke player.list '{"page": 2}'
  croupier invoke --job mail.send_all text=Hello
"""


@click.command(short_help="Call a function of a game server and print its answer", epilog=_EXAMPLES)
@click.argument("function")
@click.argument("payload", nargs=-1)
@click.option("--job", is_flag=True, help="start it as a job and follow the job to its end")
@click.option("--idempotency-key", metavar="KEY", help="repeating the call with the same key returns the first answer")
@click.option("--route", type=click.Choice(["lb", "broadcast", "targeted", "hash"]), help="which game servers get it")
@click.option("--target", metavar="SERVICE", help="the game server to call (route targeted)")
@click.option("--hash-key", metavar="KEY", help="the same key reaches the same game server (route hash)")
@click.option(
    "--version", "wanted_version", metavar="VERSION", help="only game servers with that version of the function"
)
@click.option("--timeout", type=Duration(), metavar="DURATION", help="give up after this long, such as 30s")
@click.option(
    "--wait-for", type=Duration(), metavar="DURATION", help="wait this long for a game server that can take it"
)
@click.option(
    "--trace-id", type=TraceId(), metavar="ID", help="the trace that the call belongs to, 32 hexadecimal digits"
)
@about_options
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="sent along to the game server; repeatable")
@connection_options
def command(
    function: str,
    payload: tuple[str, ...],
    job: bool,
    timeout: float | None,
    wait_for: float | None,
    metadata: tuple[str, ...],
    trace_id: str | None,
    reason: str | None,
    ticket: str | None,
    break_glass: bool,
    game_id: str | None,
    env: str | None,
    url: str | None,
    token: str | None,
    config: Path | None,
    as_json: bool,
    **routing: str | None,
) -> None:
    """Call FUNCTION and print its answer.

    The arguments of the function are key=value pairs, or one JSON text, or @FILE, or - for standard input. The value of a
    pair is read as JSON where it is JSON, else as text: player_id=42 sends a number, 'player_id="42"' a text.
    """
    settings = client_settings(game_id=game_id, env=env, url=url, token=token, config=config)
    require_scope(settings)
    said = parse_pairs("--metadata", metadata) | ({"trace_id": trace_id} if trace_id else {})
    about = {"reason": reason, "ticket": ticket, "break_glass": break_glass}
    wishes = _wishes(routing, timeout, said) | {"wait_for": wait_for} | about
    body = _body(function, read_payload(payload), wishes)
    if job:
        _start_and_follow(function, settings, body, as_json=as_json)
        return
    answer = run(
        f"{function} failed",
        settings,
        lambda client: client.call("/api/invoke", body, timeout=timeout),
        as_json=as_json,
    )
    print_answer(answer.payload, as_json=as_json)


def _wishes(routing: Mapping[str, str | None], timeout: float | None, metadata: Mapping[str, str]) -> dict[str, Any]:
    target, hash_key = routing.get("target"), routing.get("hash_key")
    return {
        "idempotency_key": routing.get("idempotency_key"),
        "route": routing.get("route") or ("targeted" if target else "hash" if hash_key else None),
        "target_service_id": target,
        "hash_key": hash_key,
        "version": routing.get("wanted_version"),
        "timeout": timeout,
        "metadata": metadata,
    }


def _body(function: str, payload: bytes, wishes: Mapping[str, Any]) -> bytes:
    head = {"function_id": function} | {name: value for name, value in wishes.items() if value}
    # The payload goes in as the bytes it is: numbers keep their digits, and it is not parsed twice.
    return json.dumps(head).encode()[:-1] + b', "payload": ' + payload + b"}"


def _start_and_follow(function: str, settings: ClientSettings, body: bytes, *, as_json: bool) -> None:
    async def start(client: Client) -> str:
        answer = await client.call("/api/start_job", body, timeout=30.0)
        return str(json.loads(answer.payload)["job_id"])

    job_id = run(f"{function} was not started", settings, start, as_json=as_json)
    click.echo(f"job {job_id}", err=True)
    follow_to_end(job_id, settings, after=0, patience=PATIENCE, as_json=as_json)
