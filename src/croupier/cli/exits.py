"""How a command ends: the exit codes, and what is said on the way out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NoReturn

import click

from croupier.cli.terminal import print_json, printable


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    """The call or job failed, was rejected or was cancelled."""
    USAGE = 2
    UNREACHABLE = 3
    """No server, agent or game server could be reached; nothing ran."""
    NOT_FOUND = 4
    DENIED = 5
    OUTCOME_UNKNOWN = 6
    """The game server may have acted."""
    DEADLINE = 7
    AWAITING_APPROVAL = 8
    """Nothing ran yet: it runs when somebody else has approved it."""
    INTERRUPTED = 130
    """Ctrl-C."""


_EXITS: Mapping[str, Exit] = {
    "unreachable": Exit.UNREACHABLE,
    "unavailable": Exit.UNREACHABLE,
    "not_found": Exit.NOT_FOUND,
    "unauthenticated": Exit.DENIED,
    "permission_denied": Exit.DENIED,
    "outcome_unknown": Exit.OUTCOME_UNKNOWN,
    "lost": Exit.OUTCOME_UNKNOWN,
    "deadline_exceeded": Exit.DEADLINE,
    "awaiting_approval": Exit.AWAITING_APPROVAL,
}

_ADVICE: Mapping[str, str] = {
    "unreachable": "Is the server running? `croupier dev` starts one; --url or CROUPIER_URL names another.",
    "unavailable": "Nothing ran: it is safe to call again. `croupier registry` shows who is connected.",
    "not_found": "`croupier registry` lists the functions, `croupier job list` the jobs.",
    "unauthenticated": "Sign in with `croupier login`, or set CROUPIER_TOKEN to an API token or the one that `croupier dev` printed.",
    "awaiting_approval": "`croupier approval show` with its id follows it; `croupier call show` with the call's id has the result later.",
    "conflict": "Use another --idempotency-key for another call.",
    "rate_limited": "Wait a moment and call again.",
    "outcome_unknown": "The game server may have acted: check before you call again. With --idempotency-key a repetition is safe.",
    "lost": "The game server may have done part of it: check before you start it again.",
    "deadline_exceeded": "The game server may have acted: check before you call again. --timeout gives it more time.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a request failed: the server's problem document (RFC 9457), or one of our own in the same form."""

    reason: str
    """One of `croupier.errors`, or `unreachable`, or `lost`."""
    detail: str
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit(self) -> Exit:
        return exit_of(self.reason)

    def as_document(self) -> Mapping[str, Any]:
        own = {"type": f"urn:croupier:error:{self.reason}", "detail": self.detail, "reason": self.reason}
        return self.document or own


class RequestFailed(Exception):
    """A request ended with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def exit_of(reason: str) -> Exit:
    return _EXITS.get(reason, Exit.FAILED)


def fail(what: str, problem: Problem, *, as_json: bool) -> NoReturn:
    """End the command: what failed, why and what to do on stderr; with `as_json` the problem document on stdout."""
    if as_json:
        print_json(problem.as_document())
    else:
        click.echo(printable("\n".join(_lines(what, problem))), err=True)
    raise click.exceptions.Exit(problem.exit)


def _lines(what: str, problem: Problem) -> Iterator[str]:
    yield f"{what}: {problem.detail} ({problem.reason})"
    errors = problem.document.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict) and "file" in error:
            yield f"  {error['file']}:{error.get('path')}: {error.get('message')}"
        elif isinstance(error, dict):
            yield "  " + " ".join(str(value) for value in error.values())
    traces = [f"{name} {problem.document[key]}" for name, key in _TRACES if problem.document.get(key)]
    if traces:
        yield "  " + ", ".join(traces)
    if problem.reason in _ADVICE:
        yield _ADVICE[problem.reason]


_TRACES = (("call", "call_id"), ("trace", "trace_id"))
