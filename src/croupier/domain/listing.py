"""What is looked for in long lists, and where a page of one ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from croupier.domain.call import CallState
from croupier.domain.job import JobState
from croupier.domain.policy import Within
from croupier.domain.scope import Scope

T_co = TypeVar("T_co", covariant=True)


class Cursor(NamedTuple):
    """The place of an entry in a list that is sorted by time and id."""

    time_ms: int
    id: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some entries, newest first."""

    items: Sequence[T_co]
    next: Cursor | None = None
    """Where to go on; None when there is nothing more. A page may be short, even empty, and still have one: a search
    looks at so many entries at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallFilter:
    """Calls that fit everything that is named here; what is empty fits all."""

    scope: Scope | None = None
    within: Within | None = None
    """In these scopes only: what somebody may see."""
    function_id: str = ""
    states: frozenset[CallState] = frozenset()
    caller: str = ""
    since_ms: int | None = None
    """Begun then or later."""
    until_ms: int | None = None
    """Begun before."""
    trace_id: str = ""
    idempotency_key: str = ""
    replay_of: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilter:
    """Jobs that fit everything that is named here; what is empty fits all."""

    scope: Scope | None = None
    within: Within | None = None
    """In these scopes only: what somebody may see."""
    function_id: str = ""
    states: frozenset[JobState] = frozenset()
    caller: str = ""
    agent_id: str = ""
    since_ms: int | None = None
    """Created then or later."""
    until_ms: int | None = None
    """Created before."""
