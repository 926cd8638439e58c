"""Roles and bindings as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from croupier.domain.permission import PAGE
from croupier.domain.policy import Binding, Role, read_binding, read_role
from croupier.errors import InvalidArgument
from croupier.server.access.roles import Difference

MOST = 10_000


class RoleBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `PUT /api/roles/{name}`."""

    permissions: list[str]
    """Such as `function:player.*`, `packs:read`, `jobs:*`."""
    description: str = ""


class BindingBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/bindings`."""

    subject: str
    """`user:NAME`, `group:NAME`, `token:ID` or `machine:ID`."""
    role: str
    game_id: str = "*"
    env: str = "*"


class NamedRoleBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    permissions: list[str]
    description: str = ""


class PolicyBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `PUT /api/policy`."""

    roles: list[NamedRoleBody] = []
    bindings: list[BindingBody] = []


BODIES: tuple[type, ...] = (RoleBody, BindingBody, PolicyBody)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleEntry:
    name: str
    permissions: list[str]
    description: str
    builtin: bool
    """It comes with the program and cannot be changed; a copy under another name can."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleList:
    roles: list[RoleEntry]
    permissions: dict[str, str]
    """What the page and the API ask for, besides functions, and what each is good for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BindingEntry:
    binding_id: str
    subject: str
    role: str
    game_id: str
    env: str
    created_by: str
    created_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BindingList:
    bindings: list[BindingEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyDocument:
    roles: list[RoleEntry]
    """Without those that come with the program."""
    bindings: list[BindingEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleChange:
    before: RoleEntry
    after: RoleEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyDifference:
    applied: bool
    """False: a dry run, or nothing to change."""
    added_roles: list[RoleEntry]
    changed_roles: list[RoleChange]
    removed_roles: list[RoleEntry]
    added_bindings: list[BindingEntry]
    removed_bindings: list[BindingEntry]


def read_policy(body: PolicyBody) -> tuple[list[Role], list[Binding]]:
    """Raises InvalidArgument, naming the entry at fault."""
    if len(body.roles) > MOST or len(body.bindings) > 10 * MOST:
        raise InvalidArgument(f"at most {MOST} roles and {10 * MOST} bindings are applied at once")
    roles: dict[str, Role] = {}
    for number, each in enumerate(body.roles):
        try:
            role = read_role(each.name, each.permissions, each.description)
        except InvalidArgument as error:
            raise InvalidArgument(f"roles[{number}]: {error.message}", error.details, code=error.code) from None
        if role.name in roles:
            raise InvalidArgument(f"roles[{number}]: role {role.name} is written twice")
        roles[role.name] = role
    bindings = []
    for number, bound in enumerate(body.bindings):
        try:
            bindings.append(read_binding(bound.subject, bound.role, bound.game_id, bound.env))
        except InvalidArgument as error:
            raise InvalidArgument(f"bindings[{number}]: {error.message}", error.details, code=error.code) from None
    return list(roles.values()), bindings


def role_entry(role: Role) -> RoleEntry:
    return RoleEntry(
        name=role.name, permissions=sorted(role.permissions), description=role.description, builtin=role.builtin
    )


def role_list(roles: Sequence[Role]) -> RoleList:
    return RoleList(roles=[role_entry(each) for each in roles], permissions=dict(PAGE))


def binding_entry(binding: Binding) -> BindingEntry:
    return BindingEntry(
        binding_id=binding.id,
        subject=binding.subject,
        role=binding.role,
        game_id=binding.game_id,
        env=binding.env,
        created_by=binding.created_by,
        created_ms=binding.created_ms,
    )


def policy_difference(found: Difference, *, applied: bool) -> PolicyDifference:
    return PolicyDifference(
        applied=applied and not found.empty,
        added_roles=[role_entry(each) for each in found.added_roles],
        changed_roles=[
            RoleChange(before=role_entry(before), after=role_entry(after)) for before, after in found.changed_roles
        ],
        removed_roles=[role_entry(each) for each in found.removed_roles],
        added_bindings=[binding_entry(each) for each in found.added_bindings],
        removed_bindings=[binding_entry(each) for each in found.removed_bindings],
    )
