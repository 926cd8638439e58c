import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from croupier_sdk.functions.field import Text

Risk = Literal["low", "medium", "high"]
Mode = Literal["query", "command"]
Route = Literal["", "lb", "broadcast", "targeted", "hash"]

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class FunctionOptions(TypedDict, total=False):
    """What the decorators take beside the id; see Options for what each means."""

    version: str
    category: str
    risk: Risk
    mode: Mode
    idempotent: bool
    timeout: str | float
    display_name: Text
    summary: Text
    permission: str
    two_person_rule: bool
    sensitive: Sequence[str]
    route: Route
    tags: Sequence[str]
    entity: str
    operation: str
    dry_run: str
    request_schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What a decorator says of a function. Raises ValueError, naming the option, for one that makes no sense."""

    id: str
    version: str = "1.0.0"
    category: str = ""
    risk: Risk = "low"
    mode: Mode = "command"
    """A query changes nothing."""
    idempotent: bool = False
    """Running it twice does what running it once does: it may be sent again after a lost connection."""
    timeout: str | float = 0.0
    """Seconds, or "500ms", "30s", "2m": how long a call may take. Nothing: the platform's default."""
    display_name: Text = ""
    summary: Text = ""
    permission: str = ""
    """Who may call it; the function's id where nothing else is said."""
    two_person_rule: bool = False
    sensitive: Sequence[str] = ()
    """Parameters whose values are masked wherever the call is recorded."""
    route: Route = ""
    tags: Sequence[str] = ()
    entity: str = ""
    operation: str = ""
    dry_run: str = ""
    """The boolean parameter that makes it only say what it would do."""
    request_schema: Mapping[str, Any] | None = None
    """The payload's JSON Schema, for a handler that takes RawPayload."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"function id {self.id!r}: 1 to 128 letters, digits, '_', '.', ':' or '-', like player.ban"
            )
        allowed = {
            "risk": ("low", "medium", "high"),
            "mode": ("query", "command"),
            "route": ("", "lb", "broadcast", "targeted", "hash"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{self.id}: {name} must be one of {', '.join(value for value in values if value)}")
        for name in ("sensitive", "tags"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{self.id}: {name} is a list of strings, not one string")  # noqa: TRY004 — one kind of error for all options
        duration_seconds(self.timeout, self.id)

    @property
    def seconds(self) -> float | None:
        return duration_seconds(self.timeout, self.id) or None


OPTION_NAMES = frozenset(field.name for field in fields(Options))


def duration_seconds(timeout: str | float, what: str) -> float:
    """Seconds of a number or of "500ms", "30s", "2m". Raises ValueError, naming `what`."""
    if isinstance(timeout, str):
        match = _DURATION.fullmatch(timeout)
        if not match:
            raise ValueError(f'{what}: timeout {timeout!r} must be seconds or a duration like "500ms", "30s" or "2m"')
        return float(match[1]) * _SECONDS[match[2]]
    if not 0 <= timeout < 1e9:
        raise ValueError(f"{what}: timeout must not be negative or endless; leave it out for the platform's default")
    return float(timeout)
