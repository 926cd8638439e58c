"""Who receives a call, and why, as previews and broadcasts show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from croupier.codes import Code
from croupier.domain.call import Route
from croupier.domain.durations import seconds_of
from croupier.domain.limits import CALL_TIMEOUT_MAX
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """A share of a function's calls that goes to one version of it."""

    scope: Scope
    function_id: str
    version: str
    percent: float
    """0 to 100"""


class Skipped(NamedTuple):
    """A game server that offers the function and was left out of a broadcast."""

    agent_id: str
    service_id: str
    why: str


def wait_seconds(text: str) -> float:
    """How long a call may wait for somebody to take it: "30s", "500ms", "2m" or seconds; nothing is 0.

    Raises InvalidArgument.
    """
    seconds = seconds_of(text) if text else 0.0
    if seconds is None or seconds > CALL_TIMEOUT_MAX:
        raise InvalidArgument(
            f'wait_for must be a number of seconds or like "30s", "500ms", "2m", at most {CALL_TIMEOUT_MAX:g} seconds'
        )
    return seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A game server that offers a function, and what routing makes of it."""

    agent_id: str
    service_id: str
    """Empty for an agent that does not name its game servers."""
    version: str
    """The function's."""
    healthy: bool
    outstanding: int
    """Calls that its agent has under way."""
    usable: bool
    """Its agent takes calls now."""
    chosen: bool
    why: str
    code: Code | None = None
    """Why, by name (`domain/choices.py`); with the parameters of it."""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """Who would receive a call now. Nothing was sent."""

    route: Route
    candidates: tuple[Candidate, ...]
    """The chosen ones first."""
    total: int
    """How many candidates there are, if not all are named."""
    reason: str
    """Why the chosen ones, or why nobody."""
    code: Code | None = None
    """The reason by name; with the parameters of it."""
    parameters: Mapping[str, str] = field(default_factory=dict)
