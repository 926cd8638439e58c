import base64
import json
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from croupier.cli.choosing import given, job_filter, page_options, tell_next
from croupier.cli.client import Client
from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Problem, exit_of, fail
from croupier.cli.flags import Duration
from croupier.cli.following import Follower, Happening
from croupier.cli.progress import story
from croupier.cli.terminal import print_answer, print_json, print_table
from croupier.domain.job import JobState
from croupier.settings import ClientSettings

PATIENCE = 600.0
"""Seconds in a row that a follower tries to get its connection back."""


@click.group(short_help="Follow, cancel, read and list jobs")
def command() -> None:
    """Follow, cancel, read and list jobs. `croupier invoke --job` starts one."""


@command.command()
@click.argument("job_id", metavar="ID")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="SEQ", help="skip the events up to this number")
@click.option(
    "--patience", type=Duration(), default=PATIENCE, metavar="DURATION", help="try this long to reconnect  [10m]"
)
@connection_options
def follow(job_id: str, after: int, patience: float, as_json: bool, **flags: Any) -> None:
    """Show job ID from its first event to its end, however often the connection is lost; then print its result.

    Progress and log lines go to stderr and the result to stdout; with --json every event is a line on stdout.
    The exit code is the job's end: see the exit codes in the documentation.
    """
    follow_to_end(job_id, client_settings(**flags), after=after, patience=patience, as_json=as_json)


@command.command()
@click.argument("job_ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", default="", help="recorded with the job")
@job_filter
@click.option("--dry-run", is_flag=True, help="only say which jobs it would be")
@click.option("--yes", is_flag=True, help="do not ask before many are stopped")
@connection_options
def cancel(job_ids: tuple[str, ...], reason: str, dry_run: bool, yes: bool, as_json: bool, **flags: Any) -> None:
    """Ask for the end of jobs: those with these IDs, or those that fit the flags, in --game and --env where given.

    Prints what each is now. A job that has ended stays as it is. What fits is shown, and confirmed, before it is stopped.
    """
    conditions, connection = _divided(flags)
    settings = client_settings(**connection)
    if len(job_ids) == 1 and not conditions and not dry_run:
        _cancel_one(job_ids[0], reason, settings, as_json=as_json)
    elif bool(job_ids) == bool(conditions):
        raise click.UsageError("which jobs? Give their ids, or say what they have in common, such as --function")
    else:
        wish = {"job_ids": list(job_ids)} if job_ids else {"filter": conditions}
        _cancel_many(wish | {"reason": reason}, settings, dry_run=dry_run, yes=yes or bool(job_ids), as_json=as_json)


def _divided(flags: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The conditions that were given, and the flags of the connection."""
    names = ("state", "function_id", "caller", "since", "until", "agent_id")
    return given(**{name: flags[name] for name in names}), {
        name: value for name, value in flags.items() if name not in names
    }


def _cancel_one(job_id: str, reason: str, settings: ClientSettings, *, as_json: bool) -> None:
    async def ask(client: Client) -> Any:
        return await client.post("/api/cancel_job", {"job_id": job_id, "reason": reason})

    found = run(f"job {job_id} was not cancelled", settings, ask, as_json=as_json)
    _print_state(job_id, found, as_json=as_json)


def _cancel_many(wish: dict[str, Any], settings: ClientSettings, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    async def ask(client: Client, *, dry: bool) -> Any:
        return await client.post("/api/jobs/cancel", wish | {"dry_run": dry})

    if as_json and not (yes or dry_run):
        raise click.UsageError("with --json nobody is asked: give --yes, or look first with --dry-run")
    failed = "the jobs were not cancelled"
    if not yes or dry_run:
        found = run(failed, settings, lambda client: ask(client, dry=True), as_json=as_json)
        ids = [str(job.get("job_id")) for job in found.get("jobs", [])]
        _print_stopped(found, as_json=as_json)
        if dry_run or not ids:
            return
        click.confirm(f"Stop these {len(ids)} jobs?", abort=True, err=True)
        wish = {"job_ids": ids, "reason": wish["reason"]}  # the very ones that were shown
    _print_stopped(run(failed, settings, lambda client: ask(client, dry=False), as_json=as_json), as_json=as_json)


def _print_stopped(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [
        (job.get("job_id"), job.get("function_id"), job.get("state") or "-", job.get("error") or "")
        for job in found.get("jobs", [])
    ]
    print_table(("JOB", "FUNCTION", "STATE", "ERROR"), rows)
    if found.get("more"):
        click.echo("There may be more that fit: cancel again.", err=True)


@command.command()
@click.argument("job_id", metavar="ID")
@connection_options
def result(job_id: str, as_json: bool, **flags: Any) -> None:
    """Print the result of job ID, or its state while it has none.

    Exit code 0 for a job that succeeded, pends or runs; else as its end says.
    """
    found = run(
        f"no result of job {job_id}",
        client_settings(**flags),
        lambda client: client.ask("/api/job_result", {"id": job_id}),
        as_json=as_json,
    )
    if as_json:
        print_json(found)
    elif found.get("state") == JobState.SUCCEEDED:
        print_answer(_payload(found), as_json=False)
    elif found.get("state") in {JobState.PENDING, JobState.RUNNING}:
        _print_state(job_id, found, as_json=False)
    if found.get("state") in {JobState.FAILED, JobState.CANCELED, JobState.LOST}:
        reason = str(found.get("reason") or found["state"])
        _end_badly(f"job {job_id} {found['state']}", reason, str(found.get("error") or ""), told=as_json)


@command.command(name="list")
@job_filter
@page_options
@connection_options
def list_jobs(limit: int, after: str | None, as_json: bool, **flags: Any) -> None:
    """List jobs, newest first: of --game and --env where given, else of all."""
    conditions, connection = _divided(flags)
    query = conditions | given(limit=str(limit), after=after)
    found = run(
        "no list of jobs", client_settings(**connection), lambda client: client.ask("/api/jobs", query), as_json=as_json
    )
    if as_json:
        print_json(found)
        return
    headings = ("JOB", "FUNCTION", "SCOPE", "STATE", "%", "STARTED", "ERROR")
    print_table(headings, [_row(job) for job in found.get("jobs", [])])
    tell_next(found)


def follow_to_end(job_id: str, settings: ClientSettings, *, after: int, patience: float, as_json: bool) -> None:
    """Show the job to its end and print its result. A job that did not succeed ends the command with its exit code."""

    async def watch(client: Client) -> Happening | None:
        last = None
        with story(job_id, as_json=as_json) as told:
            follower = Follower(client, job_id, after=after, patience=patience, notice=told.note)
            async with aclosing(follower.happenings()) as happenings:
                async for last in happenings:
                    told.show(last)
        return last

    try:
        last = run(f"job {job_id} cannot be followed", settings, watch, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(f"\njob {job_id} goes on: `croupier job follow {job_id}`, `croupier job cancel {job_id}`", err=True)
        raise
    if last and last.type == "error":
        ended = last.reason if last.reason in {JobState.CANCELED, JobState.LOST} else JobState.FAILED
        _end_badly(f"job {job_id} {ended}", last.reason or "handler_failed", last.message, told=as_json)
    elif last and not as_json:
        print_answer(_payload(last.data), as_json=False)


def _end_badly(what: str, reason: str, message: str, *, told: bool) -> NoReturn:
    """End the command by the job's reason; without words where stdout has `told` them already."""
    if told:
        click.get_current_context().exit(exit_of(reason))
    fail(what, Problem(reason=reason, detail=message or what), as_json=False)


def _payload(found: dict[str, Any]) -> bytes:
    if "payload_base64" in found:
        return base64.b64decode(found["payload_base64"])
    return json.dumps(found.get("payload"), ensure_ascii=False).encode()


def _print_state(job_id: str, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        click.echo(f"job {job_id}: {found.get('state')}")


def _row(job: dict[str, Any]) -> tuple[object, ...]:
    started = datetime.fromtimestamp(job.get("created_ms", 0) / 1000, UTC)
    return (
        job.get("job_id"),
        job.get("function_id"),
        f"{job.get('game_id')}|{job.get('env')}",
        job.get("state"),
        job.get("progress"),
        started.strftime("%Y-%m-%d %H:%M:%SZ"),
        job.get("error") or "",
    )
