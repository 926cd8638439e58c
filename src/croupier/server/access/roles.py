"""Roles and bindings as they are changed: in the store first, then in force.

Nobody gives what he has not: who binds a role, or writes one, has each of its permissions himself, at least where the
binding holds. So an administrator of one game lets people into that game and no further.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from croupier.codes import Code
from croupier.domain.policy import ADMIN, BUILTIN, MOST_BINDINGS, MOST_ROLES, Binding, Role
from croupier.domain.principal import Principal
from croupier.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.access.policy.snapshot import Grant, Snapshot, allowed_to_token, places
from croupier.store.policy import PolicyChange, PolicyStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What a policy that is applied changes."""

    added_roles: Sequence[Role] = ()
    changed_roles: Sequence[tuple[Role, Role]] = ()
    """Before and after."""
    removed_roles: Sequence[Role] = ()
    added_bindings: Sequence[Binding] = ()
    removed_bindings: Sequence[Binding] = ()

    @property
    def empty(self) -> bool:
        return not (
            self.added_roles or self.changed_roles or self.removed_roles or self.added_bindings or self.removed_bindings
        )


class Roles:
    """`clock` gives milliseconds since 1970. `begin` before use."""

    def __init__(self, *, guard: Guard, store: PolicyStore, audit: Audit, clock: Callable[[], int]) -> None:
        self._guard = guard
        self._policy = guard.policy
        self._store = store
        self._audit = audit
        self._clock = clock
        self._changing = asyncio.Lock()
        """Held while something is changed, here and in the store."""

    async def begin(self) -> None:
        roles, bindings = await asyncio.gather(self._store.roles(), self._store.bindings())
        self._policy.use(await asyncio.to_thread(Snapshot, roles, bindings))

    # ------------------------------------------------------------------------------------------------ reading

    async def roles(self, caller: Principal) -> list[Role]:
        """All there are, by name. They hold no scope, so whoever may read them anywhere may read them all."""
        await self._guard.where(caller, "roles.read", None)
        return sorted(self._policy.snapshot.roles.values(), key=lambda role: role.name)

    async def role(self, caller: Principal, name: str) -> Role:
        """Raises NotFound."""
        await self._guard.where(caller, "roles.read", None)
        return self._role(name)

    async def bindings(self, caller: Principal, *, subject: str = "", role: str = "") -> list[Binding]:
        """Those of the scopes that the caller may see, of a subject and a role where they are named, sorted."""
        within = await self._guard.where(caller, "roles.read", None)
        return sorted(
            each
            for each in self._policy.snapshot.bindings
            if subject in {"", each.subject}
            and role in {"", each.role}
            and (within is None or within.covers((each.game_id, each.env)))
        )

    # ------------------------------------------------------------------------------------------------ changing

    async def put_role(self, caller: Principal, role: Role) -> Role:
        """Make the role, or replace it; everybody who has it has it changed. Raises Conflict, PermissionDenied."""
        await self._guard.require(caller, "roles.manage", None, role.name)
        self._require_own(caller, [role])
        async with self._audit.act(
            caller, "roles.put", target=role.name, details={"permissions": sorted(role.permissions)}
        ):
            await self._change(caller, PolicyChange(roles=[role]))
        return role

    async def remove_role(self, caller: Principal, name: str) -> None:
        """Raises NotFound, Conflict, and FailedPrecondition while somebody has it."""
        await self._guard.require(caller, "roles.manage", None, name)
        self._role(name)
        bound = [each for each in self._policy.snapshot.bindings if each.role == name]
        if bound:
            raise FailedPrecondition(
                f"{len(bound)} bindings give role {name}, one of them to {min(bound).subject}: remove them first",
                {"role": name, "bindings": str(len(bound)), "subject": min(bound).subject},
                code=Code.ROLE_BOUND,
            )
        async with self._audit.act(caller, "roles.remove", target=name):
            await self._change(caller, PolicyChange(forgotten_roles=[name]))

    async def bind(self, caller: Principal, binding: Binding) -> Binding:
        """Give a role to somebody; to give it once more changes nothing. Raises NotFound for an unknown role."""
        await self._require_bindable(caller, [binding])
        known = next((each for each in self._policy.snapshot.bindings if each == binding), None)
        if known is not None:
            return known
        made = replace(binding, created_by=caller.name, created_ms=self._clock())
        async with self._audit.act(caller, "bindings.add", target=made.id, details=_told(made)):
            await self._change(caller, PolicyChange(bindings=[made]))
        return made

    async def unbind(self, caller: Principal, binding_id: str) -> None:
        """Raises NotFound, and FailedPrecondition where nobody would be left to let others in."""
        found = next((each for each in self._policy.snapshot.bindings if each.id == binding_id), None)
        places_seen = self._policy.visible(caller, "roles.read")
        if found is None or not places_seen.covers((found.game_id, found.env)):
            raise NotFound(f"unknown binding {binding_id[:64]}")
        await self._require_bindable(caller, [found])
        async with self._audit.act(caller, "bindings.remove", target=binding_id, details=_told(found)):
            await self._change(caller, PolicyChange(forgotten_bindings=[found]))

    async def apply(
        self, caller: Principal, roles: Sequence[Role], bindings: Sequence[Binding], *, prune: bool, dry_run: bool
    ) -> Difference:
        """Bring roles and bindings to what is written; with `prune` those that are not written go. To apply the same once
        more changes nothing; a dry run never does.
        """
        await self._guard.require(caller, "roles.manage", None)
        now = self._policy.snapshot
        found = _difference(now, roles, bindings, prune=prune)
        changed = [*found.added_roles, *(after for _, after in found.changed_roles)]
        self._require_own(caller, [*changed, *found.removed_roles])
        await self._require_bindable(
            caller, [*found.added_bindings, *found.removed_bindings], known={role.name: role for role in changed}
        )
        change = PolicyChange(
            roles=changed,
            bindings=[replace(each, created_by=caller.name, created_ms=self._clock()) for each in found.added_bindings],
            forgotten_roles=[role.name for role in found.removed_roles],
            forgotten_bindings=found.removed_bindings,
        )
        if dry_run:
            self._checked(change)
        elif not found.empty:
            async with self._audit.act(caller, "policy.apply", details=_counts(found)):
                await self._change(caller, change)
        return found

    async def grant_admin(self, user_id: str) -> None:
        """For the set-up of an installation: its first account may do everything."""
        made = Binding(subject=f"user:{user_id}", role=ADMIN, created_by="setup", created_ms=self._clock())
        async with self._changing:
            await self._write(PolicyChange(bindings=[made]))

    def _role(self, name: str) -> Role:
        role = self._policy.snapshot.roles.get(name)
        if role is None:
            raise NotFound(f"unknown role {name[:64]}: there are {', '.join(sorted(self._policy.snapshot.roles)[:20])}")
        return role

    # ------------------------------------------------------------------------------------------------ who may

    async def _require_bindable(
        self, caller: Principal, bindings: Iterable[Binding], known: dict[str, Role] | None = None
    ) -> None:
        where = self._policy.visible(caller, "roles.manage")
        for binding in bindings:
            place = (binding.game_id, binding.env)
            if not where.covers(place):
                raise PermissionDenied(f"needs roles:manage in {binding.place}; ask an administrator of it")
            role = (known or {}).get(binding.role) or self._role(binding.role)
            self._require_covered(caller, role, place)

    def _require_own(self, caller: Principal, roles: Iterable[Role]) -> None:
        for role in roles:
            self._require_covered(caller, role, ("*", "*"))

    def _require_covered(self, caller: Principal, role: Role, place: tuple[str, str]) -> None:
        if caller.root:
            return
        grants = [each for each in self._policy.snapshot.grants(caller) if places(caller, [each]).covers(place)]
        for pattern in sorted(role.permissions):
            if not _covers(caller, grants, pattern):
                raise PermissionDenied(
                    f"role {role.name} allows {pattern}, which you do not have in {place[0]}|{place[1]}: "
                    "nobody gives what he has not"
                )

    # ------------------------------------------------------------------------------------------------ the change itself

    async def _change(self, caller: Principal, change: PolicyChange) -> None:
        async with self._changing:
            self._checked(change)
            await self._write(change)
        log.info("%s changed roles or bindings", caller.name)

    async def _write(self, change: PolicyChange) -> None:
        await self._store.change(change)
        self._policy.use(_changed(self._policy.snapshot, change))

    def _checked(self, change: PolicyChange) -> None:
        """Raises where the change must not be made."""
        for name in (*change.forgotten_roles, *(role.name for role in change.roles)):
            if name in BUILTIN:
                raise Conflict(
                    f"role {name} comes with the program: copy it under another name and change the copy",
                    {"role": name},
                    code=Code.ROLE_BUILT_IN,
                )
        before, after = self._policy.snapshot, _changed(self._policy.snapshot, change)
        if len(after.roles) > MOST_ROLES or len(after.bindings) > MOST_BINDINGS:
            raise InvalidArgument(f"at most {MOST_ROLES} roles and {MOST_BINDINGS} bindings are kept")
        for binding in (*change.bindings,):
            if binding.role not in after.roles:
                raise NotFound(f"unknown role {binding.role}: {binding.subject} cannot have it")
        if _shut(before, after):
            raise FailedPrecondition(
                "nobody would be left who may do everything: give role admin to somebody else for *|* first"
            )


def _covers(caller: Principal, grants: Iterable[Grant], pattern: str) -> bool:
    if caller.permissions is not None and not allowed_to_token(caller.permissions).covering(pattern):
        return False
    return any(grant.permissions.covering(pattern) for grant in grants)


def _shut(before: Snapshot, after: Snapshot) -> bool:
    """Whether the last administrator goes. A group may be empty, so somebody who is named counts where there was one."""
    had, has = before.administrators(), after.administrators()
    named = any(subject.startswith("user:") for subject in had)
    return bool(had) and not any(subject.startswith("user:") or not named for subject in has)


def _changed(now: Snapshot, change: PolicyChange) -> Snapshot:
    return now.changed(
        roles=change.roles,
        bindings=change.bindings,
        without_roles=change.forgotten_roles,
        without=change.forgotten_bindings,
    )


def _difference(now: Snapshot, roles: Sequence[Role], bindings: Sequence[Binding], *, prune: bool) -> Difference:
    own = {name: role for name, role in now.roles.items() if not role.builtin}
    wanted = {role.name: role for role in roles if BUILTIN.get(role.name) != replace(role, builtin=True)}
    return Difference(
        added_roles=[role for name, role in sorted(wanted.items()) if name not in own],
        changed_roles=[(own[name], role) for name, role in sorted(wanted.items()) if name in own and own[name] != role],
        removed_roles=[role for name, role in sorted(own.items()) if prune and name not in wanted],
        added_bindings=sorted(set(bindings) - now.bindings),
        removed_bindings=sorted(now.bindings - set(bindings)) if prune else (),
    )


def _told(binding: Binding) -> dict[str, object]:
    return {"subject": binding.subject, "role": binding.role, "place": binding.place}


def _counts(found: Difference) -> dict[str, object]:
    return {
        "roles_added": [role.name for role in found.added_roles],
        "roles_changed": [role.name for _, role in found.changed_roles],
        "roles_removed": [role.name for role in found.removed_roles],
        "bindings_added": [f"{each.subject} {each.role} {each.place}" for each in found.added_bindings],
        "bindings_removed": [f"{each.subject} {each.role} {each.place}" for each in found.removed_bindings],
    }
