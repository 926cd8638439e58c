"""Permissions: what may be done, as text that roles, tokens and descriptions write.

    packs:read            a verb of the page, in an area; packs.read is the same
    function:player.ban   to call a function; everything after the first colon is its id, as it is
    player:ban            what a description asks for by a name of its own; player.ban is the same

A pattern is a permission, or what it begins with followed by `*`: `*`, `packs:*`, `function:*`, `function:player.*`.
"""

import re
from collections.abc import Iterable, Mapping

from croupier.codes import Code
from croupier.domain.limits import KEY_BYTES
from croupier.errors import InvalidArgument

PERMISSION_BYTES = KEY_BYTES + 32
FUNCTION = "function:"
EVERYTHING = "*"
READ, MANAGE = ":read", ":manage"
"""Who may manage something may read it."""
MOST_PATTERNS = 1_000
"""Of one role or token."""

PAGE: Mapping[str, str] = {
    "users:read": "see accounts and their groups",
    "users:manage": "make, change and disable accounts",
    "tokens:manage": "make and revoke the API tokens of others",
    "sessions:manage": "see and end the sessions of others",
    "roles:read": "see roles and bindings, and ask why somebody may or may not",
    "roles:manage": "change roles and bindings, and see the page as a role does",
    "machines:read": "see which machines are enrolled",
    "machines:manage": "enrol and revoke machines",
    "approvals:read": "see requests for approval",
    "approvals:decide": "approve and reject requests of others",
    "approvals:break_glass": "run what needs an approval without one, to be reviewed afterwards",
    "audit:read": "read and search the audit trail",
    "audit:export": "export the audit trail",
    "audit:verify": "have the audit trail verified",
    "retention:cut": "take old rows of the audit trail away for good",
    "secrets:read": "see the names of secrets",
    "secrets:use": "refer to secrets in packs and pipelines",
    "secrets:manage": "set, rotate and delete secrets",
    "maintenance:read": "see maintenance windows",
    "maintenance:manage": "open and close maintenance windows",
    "maintenance:override": "call functions during maintenance",
    "limits:read": "see limits and what is spent of budgets",
    "limits:manage": "change limits and budgets",
    "packs:read": "see installed packs",
    "packs:export": "download packs",
    "packs:import": "install and upgrade packs",
    "packs:change": "enable, disable, roll back and uninstall packs",
    "packs:reload": "read packs in folders again",
    "providers:read": "see providers",
    "providers:register": "register a provider",
    "providers:manage": "remove providers and hand them over",
    "assignments:read": "see which functions a scope may use",
    "assignments:write": "change which functions a scope may use",
    "catalog:read": "see descriptions of functions",
    "entities:read": "see entities, their lists and timelines",
    "registry:read": "see agents and game servers",
    "routes:preview": "ask who would receive a call",
    "calls:read": "see calls with their arguments and answers, what is sensitive masked",
    "calls:reveal": "see the sensitive values of calls too, which is on record",
    "jobs:read": "see and follow jobs",
    "jobs:cancel": "stop jobs",
    "bulk:read": "see bulk runs and their rows",
    "bulk:upload": "upload files of rows",
    "bulk:run": "start, pause, resume, cancel and rerun bulk runs",
    "metrics:read": "read the server's metrics",
}
"""What the page and the API ask for, besides functions, and what it is good for."""

_SEPARATOR = re.compile(r"[.:]")
_SEGMENT = re.compile(r"[^\s.:*\x00-\x1f\x7f|,'\"]+")


def function_permission(function_id: str) -> str:
    return FUNCTION + function_id


def read_permission(text: str) -> str:
    """The one spelling of a permission. Raises InvalidArgument."""
    found = _canonical(text)
    if EVERYTHING in found:
        raise InvalidArgument(
            f"{text[:100]!r} is a pattern: name one permission, such as packs:read",
            {"given": text[:100]},
            code=Code.PERMISSION_WRONG,
        )
    return found


def read_pattern(text: str) -> str:
    """The one spelling of a permission or of a pattern. Raises InvalidArgument."""
    return text if text == EVERYTHING else _canonical(text)


def _canonical(text: str) -> str:
    if not text or len(text) > PERMISSION_BYTES or len(text.encode(errors="replace")) > PERMISSION_BYTES:
        raise InvalidArgument(
            f"a permission has 1 to {PERMISSION_BYTES} bytes, such as packs:read or function:player.ban",
            {"given": text[:100]},
            code=Code.PERMISSION_WRONG,
        )
    if text[: len(FUNCTION)] in {FUNCTION, "function."}:
        return FUNCTION + _function_id(text)
    segments = _SEPARATOR.split(text)
    last = segments.pop()
    if not segments or not all(map(_SEGMENT.fullmatch, segments)) or not (last == "*" or _SEGMENT.fullmatch(last)):
        raise InvalidArgument(
            f"{text[:100]!r} is no permission: write area:verb such as packs:read, function:ID, or a pattern that ends with *",
            {"given": text[:100]},
            code=Code.PERMISSION_WRONG,
        )
    return ":".join((*segments, last))


def _function_id(text: str) -> str:
    name = text[len(FUNCTION) :]
    stem = name.removesuffix("*")
    whole = stem == name or not stem or stem.endswith((".", ":"))
    if not name or "*" in stem or not whole or not all(map(_readable, stem)):
        raise InvalidArgument(
            f"{text[:100]!r} is no permission: write function:ID such as function:player.ban, or function:player.*",
            {"given": text[:100]},
            code=Code.PERMISSION_WRONG,
        )
    return name


def _readable(character: str) -> bool:
    return character > " " and character.isprintable()


class Permissions:
    """A set of patterns that can be asked. Nothing else is allowed."""

    __slots__ = ("_all", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises InvalidArgument, naming the pattern at fault."""
        self.patterns = frozenset(map(read_pattern, patterns))
        if len(self.patterns) > MOST_PATTERNS:
            raise InvalidArgument(
                f"{len(self.patterns)} permissions: at most {MOST_PATTERNS} are kept together",
                {"field": "permissions", "most": str(MOST_PATTERNS)},
                code=Code.TOO_MANY,
            )
        self._all = EVERYTHING in self.patterns

    @classmethod
    def kept(cls, patterns: frozenset[str]) -> "Permissions":
        """Of patterns that are in their one spelling: as a role has them."""
        found = cls(())
        found.patterns, found._all = patterns, EVERYTHING in patterns
        return found

    def covering(self, permission: str) -> str:
        """The pattern that allows `permission`, which is in its one spelling; nothing where none does."""
        patterns = self.patterns
        if permission in patterns:
            return permission
        if self._all:
            return EVERYTHING
        for found in _SEPARATOR.finditer(permission):
            pattern = permission[: found.end()] + "*"
            if pattern in patterns:
                return pattern
        if permission.endswith(READ) and not permission.startswith(FUNCTION):
            return self.covering(permission.removesuffix(READ) + MANAGE)
        return ""

    def within(self, others: "Permissions") -> bool:
        """Whether others allow all that these do."""
        return all(others.covering(pattern) for pattern in self.patterns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Permissions) and self.patterns == other.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)
