"""Which role may call which functions: what somebody who gives roles away looks at."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from croupier.domain.permission import Permissions
from croupier.domain.policy import Role
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.guard import Guard
from croupier.server.access.policy.policy import names_of
from croupier.server.catalog.entry import Entry
from croupier.server.catalog.view import CatalogView, Which

MOST_ROLES = 100
MOST_FUNCTIONS = 500
"""Of one page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRow:
    function_id: str
    risk: str
    permission: str
    """What its description asks for, beside `function:<id>`; empty where that is all."""
    allow_if: str
    """A condition that holds for whoever may call it besides; empty where there is none."""
    roles: Sequence[str]
    """Those of the page that may call it, where its condition, if it has one, holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixPage:
    roles: Sequence[str]
    rows: Sequence[MatrixRow]
    next: str
    """`after` of the next page; empty when there is none."""


class Matrix:
    def __init__(self, guard: Guard, view: CatalogView) -> None:
        self._guard = guard
        self._view = view

    async def page(
        self,
        caller: Principal,
        scope: Scope,
        roles: Sequence[str] = (),
        *,
        prefix: str = "",
        after: str = "",
        limit: int,
    ) -> MatrixPage:
        """The functions of a scope by id, those that begin with `prefix`, with who of `roles` (none: of the first hundred there
        are) may call them.

        Raises PermissionDenied without `roles:read`, NotFound for an unknown role, InvalidArgument for too many.
        """
        await self._guard.require(caller, "roles.read", scope)
        chosen = self._chosen(roles)
        which = Which(scope=scope, id=f"{prefix}*" if prefix else "")
        entries = [each.entry for each in self._view.listed(which) if each.entry.function.id > after]
        rows = await asyncio.to_thread(_rows, entries[:limit], chosen)
        more = entries[limit - 1].function.id if len(entries) > limit else ""
        return MatrixPage(roles=[role.name for role in chosen], rows=rows, next=more)

    def _chosen(self, names: Sequence[str]) -> list[Role]:
        known = self._guard.policy.snapshot.roles
        if len(names) > MOST_ROLES:
            raise InvalidArgument(f"at most {MOST_ROLES} roles are shown beside each other: name those")
        for name in names:
            if name not in known:
                raise NotFound(f"unknown role {name[:64]}: see /api/roles")
        return [known[name] for name in dict.fromkeys(names) or sorted(known)[:MOST_ROLES]]


def _rows(entries: Sequence[Entry], roles: Sequence[Role]) -> list[MatrixRow]:
    permissions = [(role.name, Permissions.kept(role.permissions)) for role in roles]
    return [_row(entry, permissions) for entry in entries]


def _row(entry: Entry, roles: Sequence[tuple[str, Permissions]]) -> MatrixRow:
    function, descriptor = entry.function, entry.descriptor
    row = MatrixRow(function_id=function.id, risk=function.risk, permission="", allow_if="", roles=())
    if descriptor is not None:
        row = replace(row, permission=descriptor.auth.permission, allow_if=descriptor.auth.allow_if)
    wanted = names_of(function.id, row.permission)
    allowed = [name for name, has in roles if any(map(has.covering, wanted))]
    return replace(row, roles=allowed)
