"""What can be asked of the writer about roles and bindings. Applied in the order asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, bindparam, delete, insert

from croupier.domain.policy import Binding, Role
from croupier.store.policy import PolicyChange
from croupier.store.sql.tables import role_bindings, roles
from croupier.store.sql.writes import ROW_BYTES, Write

_INSERT_ROLES = insert(roles)
_DELETE_ROLES = delete(roles).where(roles.c.name == bindparam("known"))
_INSERT_BINDINGS = insert(role_bindings)
_DELETE_BINDINGS = delete(role_bindings).where(
    role_bindings.c.subject == bindparam("known_subject"),
    role_bindings.c.role == bindparam("known_role"),
    role_bindings.c.game_id == bindparam("known_game"),
    role_bindings.c.env == bindparam("known_env"),
)


@dataclass(frozen=True, slots=True, eq=False)
class ChangePolicy(Write[None]):
    change: PolicyChange

    @property
    def weight(self) -> int:
        change = self.change
        return ROW_BYTES * (1 + len(change.roles) + len(change.bindings) + len(change.forgotten_bindings))


def apply_policy(connection: Connection, writes: Sequence[ChangePolicy]) -> None:
    for write in writes:
        _apply(connection, write.change)


def _apply(connection: Connection, change: PolicyChange) -> None:
    names = [{"known": name} for name in (*change.forgotten_roles, *(role.name for role in change.roles))]
    if names:
        connection.execute(_DELETE_ROLES, names)
    keys = [_key(binding) for binding in (*change.forgotten_bindings, *change.bindings)]
    if keys:
        connection.execute(_DELETE_BINDINGS, keys)
    if change.roles:
        connection.execute(_INSERT_ROLES, [_role(role) for role in change.roles])
    if change.bindings:
        connection.execute(_INSERT_BINDINGS, [_binding(binding) for binding in change.bindings])


def _role(role: Role) -> dict[str, str]:
    return {
        "name": role.name,
        "description": role.description,
        "permissions": orjson.dumps(sorted(role.permissions)).decode(),
    }


def _binding(binding: Binding) -> dict[str, str | int]:
    return {
        "subject": binding.subject,
        "role": binding.role,
        "game_id": binding.game_id,
        "env": binding.env,
        "created_by": binding.created_by,
        "created_ms": binding.created_ms,
    }


def _key(binding: Binding) -> dict[str, str]:
    return {
        "known_subject": binding.subject,
        "known_role": binding.role,
        "known_game": binding.game_id,
        "known_env": binding.env,
    }
