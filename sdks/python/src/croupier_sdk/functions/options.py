import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypedDict

from croupier_sdk.functions.field import Text

Risk = Literal["low", "medium", "high"]
Mode = Literal["query", "command"]
Route = Literal["", "lb", "broadcast", "targeted", "hash"]

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_RATE = re.compile(r"\d+(?:\.\d+)?(?:rps|/\d*(?:ms|s|m|h))")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TEXTS = ("version", "category", "rate_limit", "permission", "allow_if", "hash_key", "entity", "operation", "dry_run")
_KINDS: tuple[tuple[tuple[str, ...], type, str], ...] = (
    (_TEXTS, str, "a text"),
    (("sensitive", "tags", "examples", "views"), Sequence, "a list"),
    (("menu", "labels", "layout"), Mapping, "an object"),
    (("concurrency",), int, "a number"),
)
"""What options must be that may come from a file."""
_ALLOWED = {
    "risk": ("low", "medium", "high"),
    "mode": ("query", "command"),
    "route": ("", "lb", "broadcast", "targeted", "hash"),
}


class Menu(TypedDict, total=False):
    """Where the page lists a function."""

    section: str
    group: str
    path: str
    order: int
    icon: str
    badge: str
    hidden: bool


class FunctionOptions(TypedDict, total=False):
    """What the decorators take beside the id; see Options for what each means."""

    version: str
    category: str
    risk: Risk
    mode: Mode
    idempotent: bool
    timeout: str | float
    rate_limit: str
    concurrency: int
    display_name: Text
    summary: Text
    permission: str
    allow_if: str
    two_person_rule: bool | Mapping[str, Any]
    sensitive: Sequence[str]
    route: Route
    hash_key: str
    tags: Sequence[str]
    labels: Mapping[str, str]
    menu: Menu
    entity: str
    operation: str
    dry_run: str
    examples: Sequence[Mapping[str, Any]]
    views: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    request_schema: Mapping[str, Any]
    response_schema: Mapping[str, Any]


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
    rate_limit: str = ""
    """Calls per time, for everyone together: "5rps", "100/s", "10/m"."""
    concurrency: int = 0
    """Calls at once; 0 is no limit."""
    display_name: Text = ""
    summary: Text = ""
    permission: str = ""
    """Who may call it, such as `player:ban`; `function:` and its id where nothing else is said."""
    allow_if: str = ""
    """A condition on the caller, the scope and the arguments."""
    two_person_rule: bool | Mapping[str, Any] = False
    """Somebody else has to approve: True, or {"approvers": [...], "threshold": 2, "expiry_time": "1h"}."""
    sensitive: Sequence[str] = ()
    """Parameters whose values are masked wherever the call is recorded."""
    route: Route = ""
    hash_key: str = ""
    """For route hash: the parameter that calls are spread by, or a JSONPath of one value such as `$.player.id`."""
    tags: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    menu: Menu = field(default_factory=Menu)
    entity: str = ""
    """The type of thing that it is about, such as `player`; calls show in the timeline of the one that they name."""
    operation: str = ""
    """What it does to one: list, read, create, update, delete, or a verb of the game's own such as `ban`."""
    dry_run: str = ""
    """The boolean parameter that makes it only say what it would do."""
    examples: Sequence[Mapping[str, Any]] = ()
    """Arguments of calls that make sense."""
    views: Sequence[Mapping[str, Any]] = ()
    """How the page shows an answer: [{"type": "table", "transform": {"expr": "$.players"}}, …]."""
    layout: Mapping[str, Any] = field(default_factory=dict)
    """How the views are arranged: {"type": "grid", "cols": 2}."""
    request_schema: Mapping[str, Any] | None = None
    """The payload's JSON Schema, for a handler that takes RawPayload."""
    response_schema: Mapping[str, Any] | None = None
    """The answer's JSON Schema, where the annotation cannot say it."""

    def __post_init__(self) -> None:
        self._check_kinds()
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"function id {self.id!r}: 1 to 128 letters, digits, '_', '.', ':' or '-', like player.ban"
            )
        for name, values in _ALLOWED.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{self.id}: {name} must be one of {', '.join(value for value in values if value)}")
        if self.rate_limit and not _RATE.fullmatch(self.rate_limit):
            raise ValueError(f'{self.id}: rate_limit {self.rate_limit!r} must be like "5rps", "100/s" or "10/m"')
        duration_seconds(self.timeout, self.id)

    def _check_kinds(self) -> None:
        wrong = [
            f"{name} must be {word}, not {type(value).__name__}"
            for names, kind, word in _KINDS
            for name in names
            if not isinstance(value := getattr(self, name), kind) or (kind is Sequence and isinstance(value, str))
        ]
        if wrong:
            raise ValueError(f"{self.id}: {wrong[0]}")
        if unknown := self.menu.keys() - Menu.__annotations__.keys():
            raise ValueError(
                f"{self.id}: menu has no {', '.join(sorted(unknown))}; it has {', '.join(Menu.__annotations__)}"
            )
        if not all(isinstance(part, str) for pair in self.labels.items() for part in pair):
            raise ValueError(f"{self.id}: labels are texts by name")
        if self.concurrency < 0:
            raise ValueError(f"{self.id}: concurrency is how many calls may run at once; 0 is no limit")

    @property
    def seconds(self) -> float | None:
        return duration_seconds(self.timeout, self.id) or None


OPTION_NAMES = frozenset(each.name for each in fields(Options))


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
