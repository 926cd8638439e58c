"""Roles and bindings as they are at one moment, made to be asked."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from croupier.domain.permission import Permissions
from croupier.domain.policy import (
    ANY,
    BUILTIN,
    Binding,
    Role,
    Within,
    narrowed,
    read_place,
    subjects,
)
from croupier.domain.principal import Principal
from croupier.errors import InvalidArgument

log = logging.getLogger(__name__)

_NOTHING = Permissions(())
_MACHINE = Permissions({"providers:register"})
INTRINSIC: Mapping[str, Permissions] = {"machine": _MACHINE, "edge": _MACHINE}
"""What a kind of caller may do without any binding: a machine has proved who it is, and registers what it offers."""


class Grant(NamedTuple):
    binding: Binding
    role: Role
    permissions: Permissions


class Snapshot:
    """Nothing in it changes."""

    def __init__(self, roles: Iterable[Role], bindings: Iterable[Binding]) -> None:
        self.roles: Mapping[str, Role] = {**{role.name: role for role in roles}, **BUILTIN}
        permissions = {name: Permissions.kept(role.permissions) for name, role in self.roles.items()}
        self._permissions = permissions
        self.bindings = frozenset(bindings)
        self.places = frozenset((each.game_id, each.env) for each in self.bindings)
        """Of bindings, whosever they are."""
        granted: defaultdict[str, list[Grant]] = defaultdict(list)
        for binding in self.bindings:
            if (role := self.roles.get(binding.role)) is not None:
                granted[binding.subject].append(Grant(binding, role, permissions[role.name]))
        self._granted: Mapping[str, list[Grant]] = granted

    def grants(self, caller: Principal) -> list[Grant]:
        """What the bindings give to somebody, narrowed by nothing."""
        if caller.acting_as:
            role = self.roles.get(caller.acting_as)
            return [] if role is None else [self._given(caller, role)]
        return [
            grant for subject in subjects(caller) if subject in self._granted for grant in self._granted[subject]
        ] + self._intrinsic(caller)

    def _given(self, caller: Principal, role: Role) -> Grant:
        return Grant(Binding(subject=f"user:{caller.name}", role=role.name), role, self._permissions[role.name])

    def _intrinsic(self, caller: Principal) -> list[Grant]:
        own = INTRINSIC.get(caller.kind)
        if own is None:
            return []
        role = Role(name=caller.kind, permissions=own.patterns, builtin=True)
        return [Grant(Binding(subject=f"{caller.kind}:{caller.name}", role=role.name), role, own)]

    def administrators(self) -> frozenset[str]:
        """The subjects that may do everything everywhere, and so can let others in."""
        return frozenset(
            grant.binding.subject
            for grants in self._granted.values()
            for grant in grants
            if ANY in grant.permissions.patterns and grant.binding.holds_in(None)
        )

    def changed(
        self,
        *,
        roles: Iterable[Role] = (),
        bindings: Iterable[Binding] = (),
        without_roles: Iterable[str] = (),
        without: Iterable[Binding] = (),
    ) -> "Snapshot":
        kept = {name: role for name, role in self.roles.items() if not role.builtin}
        for name in without_roles:
            kept.pop(name, None)
        kept |= {role.name: replace(role, builtin=False) for role in roles}
        added = frozenset(bindings)
        return Snapshot(kept.values(), (self.bindings - added - frozenset(without)) | added)


@lru_cache(maxsize=4096)
def allowed_to_token(patterns: frozenset[str]) -> Permissions:
    """What a token was made for; nothing where that cannot be read."""
    try:
        return Permissions(patterns)
    except InvalidArgument:
        log.warning("a token gives nothing to anybody: its permissions cannot be read")
        return _NOTHING


@lru_cache(maxsize=4096)
def places_of_token(scopes: frozenset[str]) -> Within:
    try:
        return Within(frozenset(map(read_place, scopes)))
    except InvalidArgument:
        log.warning("a token gives nothing to anybody: its scopes cannot be read")
        return Within(frozenset())


def places(caller: Principal, grants: Iterable[Grant]) -> Within:
    """Where the grants hold, within what the caller's token is limited to."""
    found = Within(frozenset((grant.binding.game_id, grant.binding.env) for grant in grants))
    return found if caller.scopes is None else narrowed(found, places_of_token(caller.scopes))
