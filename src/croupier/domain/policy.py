"""Who may do what where: roles are sets of permissions, bindings give a role to somebody within games and environments."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from croupier.codes import Code
from croupier.domain.account import folded
from croupier.domain.permission import EVERYTHING, PAGE, Permissions
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument

ANY: Final = "*"
SUBJECT_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 500
MOST_ROLES = 10_000
MOST_BINDINGS = 100_000

_ROLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}|\*")
_ID = re.compile(r"[a-z]{1,8}[0-9a-f]{28}")
"""As `domain.identifiers.new_id` makes them."""
_KINDS = ("user", "group", "token", "machine")


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A name for what somebody may do."""

    name: str
    permissions: frozenset[str]
    """Patterns, in their one spelling."""
    description: str = ""
    builtin: bool = False
    """Comes with the program and cannot be changed; a copy under another name can."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Binding:
    """`subject` has `role` in every game and environment that fit."""

    subject: str
    """`user:<id or name>`, `group:<name>`, `token:<id>` or `machine:<id>`."""
    role: str
    game_id: str = ANY
    env: str = ANY
    created_by: str = field(default="", compare=False)
    created_ms: int = field(default=0, compare=False)

    def holds_in(self, scope: Scope | None) -> bool:
        """None is the platform as a whole: only who is bound to all games and environments acts on that."""
        if scope is None:
            return self.game_id == ANY and self.env == ANY
        return self.game_id in {ANY, scope.game_id} and self.env in {ANY, scope.env}

    @property
    def place(self) -> str:
        return f"{self.game_id}|{self.env}"

    @property
    def id(self) -> str:
        """The same for the same binding, always."""
        text = f"{self.subject}\x00{self.role}\x00{self.game_id}\x00{self.env}"
        return "b" + hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Within:
    """The scopes that somebody may see: those that fit any of these, each a game and an environment, with `*` for any."""

    places: frozenset[tuple[str, str]]

    def __contains__(self, scope: Scope) -> bool:
        game_id, env = scope
        return not self.places.isdisjoint(((game_id, env), (game_id, ANY), (ANY, env), (ANY, ANY)))

    def touches(self, place: tuple[str, str]) -> bool:
        """Whether any scope that fits `place`, a game and an environment with `*` for any, is in here."""
        game_id, env = place
        if ANY not in place:
            return Scope(game_id, env) in self
        return any(_met(game, game_id) and _met(name, env) for game, name in self.places)

    def covers(self, place: tuple[str, str]) -> bool:
        """Whether all scopes that fit `place` are in here, by one and the same of these."""
        return any(game in {ANY, place[0]} and env in {ANY, place[1]} for game, env in self.places)

    @property
    def everywhere(self) -> bool:
        return (ANY, ANY) in self.places


EVERYWHERE: Final = Within(frozenset({(ANY, ANY)}))


def read_role(name: str, permissions: Iterable[str], description: str = "") -> Role:
    """Raises InvalidArgument, naming what is wrong."""
    if not _ROLE.fullmatch(name):
        raise InvalidArgument(
            f"{name[:100]!r} is no name of a role: 1 to 64 lower-case letters, digits, '.', '_' and '-', such as support",
            {"field": "role"},
            code=Code.NAME_WRONG,
        )
    if len(description) > DESCRIPTION_CHARACTERS or not description.isprintable():
        raise InvalidArgument(
            f"the description of a role is one line of at most {DESCRIPTION_CHARACTERS} characters",
            {"field": "description", "most": str(DESCRIPTION_CHARACTERS)},
            code=Code.FIELD_TOO_LONG,
        )
    return Role(name=name, permissions=Permissions(permissions).patterns, description=description)


def read_binding(subject: str, role: str, game_id: str = ANY, env: str = ANY) -> Binding:
    """Raises InvalidArgument, naming what is wrong."""
    kind, _, name = subject.partition(":")
    if (
        kind not in _KINDS
        or not name
        or len(subject) > SUBJECT_CHARACTERS
        or not name.isprintable()
        or name != name.strip()
    ):
        raise InvalidArgument(
            f"{subject[:100]!r} is nobody: write user:NAME, group:NAME, token:ID or machine:ID",
            {"given": subject[:100]},
            code=Code.SUBJECT_WRONG,
        )
    if not _ROLE.fullmatch(role):
        raise InvalidArgument(
            f"{role[:100]!r} is no name of a role",
            {"field": "role"},
            code=Code.NAME_WRONG,
        )
    for label, value in (("game_id", game_id), ("env", env)):
        if not _PLACE.fullmatch(value):
            raise InvalidArgument(
                f"{label} of a binding is a name such as demo, or * for all, not {value[:100]!r}",
                {"field": label},
                code=Code.NAME_WRONG,
            )
    if kind == "user" and not _ID.fullmatch(name):
        subject = f"user:{folded(name)}"
    return Binding(subject=subject, role=role, game_id=game_id, env=env)


def read_place(text: str) -> tuple[str, str]:
    """`game|env`, with `*` for any. Raises InvalidArgument."""
    game_id, bar, env = text.partition("|")
    if not bar or not _PLACE.fullmatch(game_id) or not _PLACE.fullmatch(env):
        raise InvalidArgument(
            f"{text[:100]!r} is no scope: write game|env, such as demo|prod, demo|* or *|*",
            {"given": text[:100]},
            code=Code.SCOPE_WRONG,
        )
    return game_id, env


_READING = (
    "catalog:read",
    "entities:read",
    "registry:read",
    "calls:read",
    "jobs:read",
    "bulk:read",
    "maintenance:read",
)
_OPERATING = ("function:*", "routes:preview", "jobs:cancel", "bulk:*", "approvals:read", *_READING)

ADMIN: Final = "admin"

BUILTIN: Mapping[str, Role] = {
    role.name: role
    for role in (
        Role(
            name=ADMIN,
            permissions=frozenset({EVERYTHING}),
            description="everything, within its scope",
            builtin=True,
        ),
        Role(
            name="operator",
            permissions=frozenset(_OPERATING),
            description="call every function, run bulks, stop jobs, look at everything that happens",
            builtin=True,
        ),
        Role(
            name="viewer",
            permissions=frozenset(_READING),
            description="look at functions, calls, jobs and game servers; change nothing",
            builtin=True,
        ),
        Role(
            name="approver",
            permissions=frozenset({"approvals:read", "approvals:decide", *_READING}),
            description="approve and reject what others ask for",
            builtin=True,
        ),
        Role(
            name="auditor",
            permissions=frozenset(
                {"audit:*", "users:read", "roles:read", "approvals:read", "machines:read", "packs:read", *_READING}
            ),
            description="read, export and verify the audit trail, and see who may do what",
            builtin=True,
        ),
    )
}
"""The roles that come with the program."""

assert all(each in PAGE or each.endswith("*") for role in BUILTIN.values() for each in role.permissions)  # noqa: S101 — a slip in this very file


def narrowed(some: Within, others: Within) -> Within:
    """Where both hold."""
    met = ((_met(a[0], b[0]), _met(a[1], b[1])) for a in some.places for b in others.places)
    return Within(frozenset((game_id, env) for game_id, env in met if game_id and env))


def _met(one: str, other: str) -> str:
    if one in {ANY, other}:
        return other
    return one if other == ANY else ""


def subjects(caller: Principal) -> list[str]:
    """The subjects of bindings that somebody is, all at once."""
    found = [f"group:{group}" for group in caller.groups]
    if caller.user_id:
        found.append(f"user:{caller.user_id}")
        if not _ID.fullmatch(caller.name):  # nobody takes another's bindings by calling himself as the other's id
            found.append(f"user:{folded(caller.name)}")
    elif caller.credential:
        found.append(f"token:{caller.credential}")
    if caller.kind == "machine":
        found.append(f"machine:{caller.name}")
    return found
