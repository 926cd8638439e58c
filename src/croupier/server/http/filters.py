"""What a list is asked for, from the query of a request."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from croupier.domain.call import CallState
from croupier.domain.job import JobState
from croupier.domain.limits import KEY_BYTES
from croupier.domain.listing import CallFilter, Cursor, JobFilter
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.server.http.asking import Asking
from croupier.server.http.requests import optional_scope, parse_query

_CURSOR = re.compile(r"(\d{1,15})-([!-~]{1,256})")
_MILLISECONDS = re.compile(r"\d{1,15}")

Text = Annotated[str, Query(max_length=KEY_BYTES)]
Moment = Annotated[
    str, Query(max_length=40, description="Milliseconds since 1970, or a time such as 2026-01-31T18:00:00Z.")
]
Limit = Annotated[int, Query(ge=1, le=1000)]


def _after(
    after: Annotated[str, Query(max_length=300, description="`next` of the page before.")] = "",
) -> Cursor | None:
    return _cursor("after", after)


def _before(
    before: Annotated[str, Query(max_length=300, description="`next` of the page before.")] = "",
) -> Cursor | None:
    return _cursor("before", before)


def _cursor(name: str, text: str) -> Cursor | None:
    if not text:
        return None
    if not (found := _CURSOR.fullmatch(text)):
        raise InvalidArgument(f"{name} must be the `next` of an earlier page")
    return Cursor(int(found[1]), found[2])


After = Annotated[Cursor | None, Depends(_after)]
Before = Annotated[Cursor | None, Depends(_before)]


def cursor_text(cursor: Cursor | None) -> str:
    """As `after` reads it; empty when there is nothing more."""
    return "" if cursor is None else f"{cursor.time_ms}-{cursor.id}"


def parse_moment(name: str, text: str) -> int | None:
    """Milliseconds since 1970; None for nothing.

    Raises InvalidArgument.
    """
    if not text:
        return None
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(
            f"{name} must be milliseconds since 1970, or a time such as 2026-01-31T18:00:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp() * 1000))


def _scope(asking: Asking, request: Request) -> Scope | None:
    return optional_scope(asking.headers, parse_query(request.scope["query_string"]))


NamedScope = Annotated[Scope | None, Depends(_scope)]
"""The scope that `X-Game-ID` and `X-Env` (or the query) name; None is every one."""


def _call_filter(
    scope: NamedScope,
    function_id: Text = "",
    state: Annotated[list[CallState] | None, Query(max_length=len(CallState))] = None,
    caller: Text = "",
    since: Moment = "",
    until: Moment = "",
    trace_id: Text = "",
    idempotency_key: Text = "",
    replay_of: Text = "",
) -> CallFilter:
    return CallFilter(
        scope=scope,
        function_id=function_id,
        states=frozenset(state or ()),
        caller=caller,
        since_ms=parse_moment("since", since),
        until_ms=parse_moment("until", until),
        trace_id=trace_id,
        idempotency_key=idempotency_key,
        replay_of=replay_of,
    )


WhichCalls = Annotated[CallFilter, Depends(_call_filter)]


def _job_filter(
    scope: NamedScope,
    function_id: Text = "",
    state: Annotated[list[JobState] | None, Query(max_length=len(JobState))] = None,
    caller: Text = "",
    agent_id: Text = "",
    since: Moment = "",
    until: Moment = "",
) -> JobFilter:
    return JobFilter(
        scope=scope,
        function_id=function_id,
        states=frozenset(state or ()),
        caller=caller,
        agent_id=agent_id,
        since_ms=parse_moment("since", since),
        until_ms=parse_moment("until", until),
    )


WhichJobs = Annotated[JobFilter, Depends(_job_filter)]
