import json
from datetime import UTC, datetime
from typing import Any

import click

from croupier.cli.choosing import about_options, common_filter, given, page_options, tell_next
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.flags import Duration
from croupier.cli.terminal import print_answer, print_document, print_json, print_table
from croupier.domain.call import CallState


@click.group(short_help="List, show and repeat recorded calls")
def command() -> None:
    """List, show and repeat recorded calls."""


@command.command(name="list")
@click.option("--state", multiple=True, type=click.Choice([str(state) for state in CallState]), help="repeatable")
@common_filter
@click.option("--trace", "trace_id", metavar="ID", help="of this trace")
@click.option("--idempotency-key", metavar="KEY", help="with this key")
@page_options
@connection_options
def list_calls(
    state: tuple[str, ...],
    function_id: str | None,
    caller: str | None,
    since: str | None,
    until: str | None,
    trace_id: str | None,
    idempotency_key: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """List recorded calls, newest first: of --game and --env where given, else of all."""
    query = given(
        state=state,
        function_id=function_id,
        caller=caller,
        since=since,
        until=until,
        trace_id=trace_id,
        idempotency_key=idempotency_key,
        after=after,
        limit=str(limit),
    )
    found = run(
        "no list of calls", client_settings(**flags), lambda client: client.ask("/api/calls", query), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    headings = ("CALL", "FUNCTION", "SCOPE", "STATE", "MS", "STARTED", "GAME SERVER", "ERROR")
    print_table(headings, [_row(call) for call in found.get("calls", [])])
    tell_next(found)


@command.command()
@click.argument("call_id", metavar="ID")
@connection_options
def show(call_id: str, as_json: bool, **flags: Any) -> None:
    """Print call ID: arguments, way, timings of every hop, result or error."""
    found = run(
        f"no call {call_id}",
        client_settings(**flags),
        lambda client: client.ask(f"/api/calls/{_segment(call_id)}", {}),
        as_json=as_json,
    )
    print_document(found, as_json=as_json)


@command.command()
@click.argument("call_id", metavar="ID")
@click.option("--idempotency-key", metavar="KEY", help="repeating this with the same key returns the first answer")
@click.option("--timeout", type=Duration(), metavar="DURATION", help="give up after this long, such as 30s")
@about_options
@connection_options
def again(
    call_id: str,
    idempotency_key: str | None,
    timeout: float | None,
    reason: str | None,
    ticket: str | None,
    break_glass: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Call once more with the arguments of call ID and print the answer; of a job, the id of the new one."""
    wishes = {"idempotency_key": idempotency_key, "timeout": timeout}
    body = json.dumps(given(**wishes, reason=reason, ticket=ticket, break_glass=break_glass)).encode()
    answer = run(
        f"call {call_id} was not repeated",
        client_settings(**flags),
        lambda client: client.call(f"/api/calls/{_segment(call_id)}/replay", body, timeout=timeout),
        as_json=as_json,
    )
    print_answer(answer.payload, as_json=as_json)


def _segment(call_id: str) -> str:
    """As one part of a path."""
    if not call_id.isalnum() or not call_id.isascii():
        raise click.UsageError("the id of a call is made of letters and digits: `croupier call list` shows them")
    return call_id


def _row(call: dict[str, Any]) -> tuple[object, ...]:
    started = datetime.fromtimestamp(call.get("started_ms", 0) / 1000, UTC)
    took = call.get("timings", {}).get("server_us", 0)
    return (
        call.get("call_id"),
        call.get("function_id"),
        f"{call.get('game_id')}|{call.get('env')}",
        call.get("state"),
        f"{took / 1000:.1f}" if took else "-",
        started.strftime("%Y-%m-%d %H:%M:%SZ"),
        call.get("service_id") or "-",
        call.get("error") or "",
    )
