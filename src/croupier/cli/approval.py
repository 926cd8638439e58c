"""Look at requests for approval and decide about them."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import click

from croupier.cli.choosing import given, page_options, tell_next
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.terminal import print_document, print_json, print_table, printable
from croupier.domain.approval import ApprovalState, ReviewState


@click.group(short_help="List, show and decide requests for approval")
def command() -> None:
    """List, show and decide requests for approval."""


@command.command(name="list")
@click.option("--state", multiple=True, type=click.Choice([str(state) for state in ApprovalState]), help="repeatable")
@click.option("--review", type=click.Choice([str(state) for state in ReviewState]), help="of break-glass")
@click.option("--function", "function_id", metavar="ID", help="of this function")
@click.option("--mine", is_flag=True, help="only what I asked for")
@page_options
@connection_options
def list_approvals(
    state: tuple[str, ...],
    review: str | None,
    function_id: str | None,
    mine: bool,
    limit: int,
    after: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """List requests for approval, newest first: of --game and --env where given, else of all."""
    query = given(
        state=state,
        review=review,
        function_id=function_id,
        mine="true" if mine else None,
        after=after,
        limit=str(limit),
    )
    found = run(
        "no list of approvals",
        client_settings(**flags),
        lambda client: client.ask("/api/approvals", query),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
        return
    headings = ("APPROVAL", "FUNCTION", "SCOPE", "STATE", "ASKED BY", "REASON", "EXPIRES", "CALL")
    print_table(headings, [_row(each) for each in found.get("approvals", [])])
    tell_next(found)


@command.command()
@click.argument("approval_id", metavar="ID")
@connection_options
def show(approval_id: str, as_json: bool, **flags: Any) -> None:
    """Print approval ID: what would run, who has to agree, and what has changed since it was asked for."""
    found = run(
        f"no approval {approval_id}",
        client_settings(**flags),
        lambda client: client.ask(_path(approval_id), {}),
        as_json=as_json,
    )
    print_document(found, as_json=as_json)


@command.command()
@click.argument("approval_id", metavar="ID")
@click.option("--comment", metavar="TEXT", default="", help="why")
@click.option("--yes", is_flag=True, help="do not ask")
@connection_options
def approve(approval_id: str, comment: str, yes: bool, as_json: bool, **flags: Any) -> None:
    """Agree to approval ID, once you have seen what would run. With the last one who has to agree, it runs."""
    settings = client_settings(**flags)
    found = run(
        f"no approval {approval_id}", settings, lambda client: client.ask(_path(approval_id), {}), as_json=as_json
    )
    if not yes:
        _confirm(found)
    body = {"comment": comment, "digest": found.get("digest", "")}
    _decide(approval_id, "approve", body, as_json=as_json, **flags)


@command.command()
@click.argument("approval_id", metavar="ID")
@click.option("--comment", metavar="TEXT", required=True, help="why")
@connection_options
def reject(approval_id: str, comment: str, as_json: bool, **flags: Any) -> None:
    """Refuse approval ID: it does not run."""
    _decide(approval_id, "reject", {"comment": comment}, as_json=as_json, **flags)


@command.command()
@click.argument("approval_id", metavar="ID")
@click.option("--comment", metavar="TEXT", default="", help="why")
@connection_options
def withdraw(approval_id: str, comment: str, as_json: bool, **flags: Any) -> None:
    """Take back approval ID, which you asked for, until it runs."""
    _decide(approval_id, "withdraw", {"comment": comment}, as_json=as_json, **flags)


@command.command()
@click.argument("approval_id", metavar="ID")
@click.argument("text", metavar="TEXT")
@connection_options
def comment(approval_id: str, text: str, as_json: bool, **flags: Any) -> None:
    """Say something about approval ID."""
    _decide(approval_id, "comment", {"comment": text}, as_json=as_json, **flags)


@command.command()
@click.argument("approval_id", metavar="ID")
@click.option("--comment", metavar="TEXT", required=True, help="what was found")
@connection_options
def review(approval_id: str, comment: str, as_json: bool, **flags: Any) -> None:
    """Close the review of approval ID, which somebody ran without asking (break-glass)."""
    _decide(approval_id, "review", {"comment": comment}, as_json=as_json, **flags)


def _decide(approval_id: str, verb: str, body: dict[str, str], *, as_json: bool, **flags: Any) -> None:
    found = run(
        f"could not {verb} {approval_id}",
        client_settings(**flags),
        lambda client: client.post(f"{_path(approval_id)}/{verb}", body),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
    else:
        click.echo(printable(f"{approval_id} {found.get('state')}: {_standing(found)}"))


def _confirm(found: dict[str, Any]) -> None:
    """Raises click.Abort when the answer is no, click.UsageError when there is nobody to answer."""
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to answer: look at it with `croupier approval show`, then say --yes")
    what = json.dumps(found.get("payload"), ensure_ascii=False)
    lines = [f"{found.get('requester')} asks to run {found.get('function_id')} in {_scope(found)}", f"  with {what}"]
    lines += [f"  {name}: {found[name]}" for name in ("ticket", "reason") if found.get(name)]
    lines += [f"  but {each}" for each in found.get("drifted") or []]
    click.echo(printable("\n".join(lines)), err=True)
    click.confirm("Approve?", abort=True, err=True)


def _standing(found: dict[str, Any]) -> str:
    if found.get("state") != ApprovalState.PENDING:
        return found.get("message") or f"call {found.get('call_id')}"
    stages = found.get("stages") or []
    return ", then ".join(
        f"{len(stage.get('approved_by', []))} of {stage.get('threshold')} "
        f"({' or '.join(stage.get('approvers') or ['anybody who may decide'])})"
        for stage in stages
    )


def _path(approval_id: str) -> str:
    if not approval_id.isalnum() or not approval_id.isascii():
        raise click.UsageError(
            "the id of an approval is made of letters and digits: `croupier approval list` shows them"
        )
    return f"/api/approvals/{approval_id}"


def _scope(found: dict[str, Any]) -> str:
    return f"{found.get('game_id')}|{found.get('env')}"


def _row(found: dict[str, Any]) -> tuple[object, ...]:
    expires = datetime.fromtimestamp(found.get("expires_ms", 0) / 1000, UTC)
    state = found.get("state")
    marks = " (break-glass)" if found.get("break_glass") else ""
    return (
        found.get("approval_id"),
        found.get("function_id"),
        _scope(found),
        f"{state}{marks}",
        found.get("requester"),
        " ".join(part for part in (found.get("ticket"), found.get("reason")) if part)[:60] or "-",
        expires.strftime("%Y-%m-%d %H:%M:%SZ") if state == ApprovalState.PENDING else "-",
        found.get("call_id"),
    )
