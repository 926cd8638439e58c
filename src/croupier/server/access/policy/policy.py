"""Decisions: remembered until roles or bindings change."""

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from croupier.codes import Code
from croupier.domain.permission import PAGE, function_permission, read_permission
from croupier.domain.policy import EVERYWHERE, Within
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, PermissionDenied
from croupier.server.access.policy.snapshot import Grant, Snapshot, allowed_to_token, places, places_of_token

MOST_REMEMBERED = 50_000


class Verdict(NamedTuple):
    allowed: bool
    why: str
    """The rule that allows it, or what is missing and whom to ask."""
    code: Code
    parameters: Mapping[str, str] = MappingProxyType({})
    """Of the code."""


_ROOT = Verdict(allowed=True, why="the token of the server's settings may do everything", code=Code.ROOT)


class Policy:
    """`decide` and `visible` take microseconds and never wait. Who changes it calls `use`."""

    def __init__(self) -> None:
        self.snapshot = self._before = Snapshot((), ())
        self.epoch = 0
        """Counts the changes; whoever remembers a decision remembers its number."""
        self._verdicts: dict[Hashable, Verdict] = {}
        self._visible: dict[Hashable, Within] = {}
        self._listeners: list[Callable[[], None]] = []

    def use(self, snapshot: Snapshot) -> None:
        """From now on this decides."""
        self._before, self.snapshot = self.snapshot, snapshot
        self.forget()

    def forget(self) -> None:
        """Decide everything anew."""
        self.epoch += 1
        self._verdicts = {}
        self._visible = {}
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """`listener` is called when anything that was decided may be decided otherwise. It must be quick and not raise."""
        self._listeners.append(listener)

    def decide(self, caller: Principal, action: str, scope: Scope | None) -> Verdict:
        """Whether `caller` may do `action` (`packs.read`, `packs:read`) in `scope`, or on the platform as a whole."""
        if caller.root:
            return _ROOT
        key = (caller, action, scope)
        found = self._verdicts.get(key)
        if found is None:
            found = self._remember(key, self._decided(caller, (read_permission(action),), scope))
        return found

    def decide_function(self, caller: Principal, function_id: str, stated: str, scope: Scope) -> Verdict:
        """Whether `caller` may call the function, whose description asks for the permission `stated`, or for none."""
        if caller.root:
            return _ROOT
        key = (caller, function_id, stated, scope)
        found = self._verdicts.get(key)
        if found is None:
            found = self._remember(key, self._decided(caller, names_of(function_id, stated), scope))
        return found

    def visible(self, caller: Principal, action: str) -> Within:
        """Where `caller` may do `action`, which may be nowhere."""
        if caller.root:
            return EVERYWHERE
        key = (caller, action)
        found = self._visible.get(key)
        if found is None:
            if len(self._visible) >= MOST_REMEMBERED:
                self._visible = {}
            found = self._visible[key] = self._seen(caller, read_permission(action))
        return found

    def belongs(self, caller: Principal, scope: Scope) -> bool:
        """Whether `caller` may do anything at all there. Whoever may not is not told what there is."""
        return scope in self.present(caller)

    def present(self, caller: Principal) -> Within:
        """Where `caller` may do anything at all."""
        return EVERYWHERE if caller.root else places(caller, self.snapshot.grants(caller))

    def lessened(self, caller: Principal) -> bool:
        """Whether the last change took anything from `caller`."""
        if caller.root:
            return False
        now = {(grant.permissions, grant.binding.place) for grant in self.snapshot.grants(caller)}
        return any((each.permissions, each.binding.place) not in now for each in self._before.grants(caller))

    def roles(self, caller: Principal, scope: Scope | None) -> list[str]:
        """Those that `caller` has there, sorted."""
        return sorted({grant.role.name for grant in self.snapshot.grants(caller) if grant.binding.holds_in(scope)})

    def _seen(self, caller: Principal, permission: str) -> Within:
        if caller.permissions is not None and not allowed_to_token(caller.permissions).covering(permission):
            return Within(frozenset())
        grants = self.snapshot.grants(caller)
        return places(caller, [grant for grant in grants if grant.permissions.covering(permission)])

    def _remember(self, key: Hashable, verdict: Verdict) -> Verdict:
        if len(self._verdicts) >= MOST_REMEMBERED:
            self._verdicts = {}
        self._verdicts[key] = verdict
        return verdict

    def _decided(self, caller: Principal, names: tuple[str, ...], scope: Scope | None) -> Verdict:
        found = _granted(self.snapshot.grants(caller), names, scope)
        if found is None:
            return _denied(caller, names, scope)
        grant, pattern = found
        if (refused := _limit(caller, names, scope)) is not None:
            return refused
        role, subject, place = grant.role.name, grant.binding.subject, str(grant.binding.place)
        return Verdict(
            allowed=True,
            why=f"role {role} allows {pattern}, which {subject} has in {place}",
            code=Code.ROLE_ALLOWS,
            parameters={"role": role, "pattern": pattern, "subject": subject, "place": place},
        )


def names_of(function_id: str, stated: str) -> tuple[str, ...]:
    """The permissions of which one is enough to call the function. A description cannot make one of the page into one of them:
    everybody who may look at calls could then make some.
    """
    own = function_permission(function_id)
    try:
        other = read_permission(stated) if stated else own
    except InvalidArgument:
        return (own,)
    return (own,) if other == own or other in PAGE else (own, other)


def _granted(grants: list[Grant], names: tuple[str, ...], scope: Scope | None) -> tuple[Grant, str] | None:
    for grant in grants:
        if grant.binding.holds_in(scope):
            for name in names:
                if pattern := grant.permissions.covering(name):
                    return grant, pattern
    return None


def _limit(caller: Principal, names: tuple[str, ...], scope: Scope | None) -> Verdict | None:
    """How the token that was shown is narrower than its account; None where it is not."""
    missing = " or ".join(names)
    if caller.permissions is not None:
        own = allowed_to_token(caller.permissions)
        if not any(map(own.covering, names)):
            why = f"this token was made without {missing}: use another one"
            return _refusal(why, Code.TOKEN_LACKS, missing, scope)
    if caller.scopes is not None:
        where = places_of_token(caller.scopes)
        if not (where.everywhere if scope is None else scope in where):
            why = f"this token was not made for {scope or 'the platform as a whole'}: use another one"
            return _refusal(why, Code.TOKEN_ELSEWHERE, missing, scope)
    return None


def _denied(caller: Principal, names: tuple[str, ...], scope: Scope | None) -> Verdict:
    missing = " or ".join(names)
    if caller.acting_as:
        why = f"role {caller.acting_as} has no {missing}"
        return _refusal(why, Code.ROLE_LACKS, missing, scope, role=caller.acting_as)
    if scope is None:
        why = f"needs {missing} for all games and environments; ask an administrator of the platform"
        return _refusal(why, Code.PERMISSION_MISSING_EVERYWHERE, missing, scope)
    why = f"needs {missing} in {scope}; ask an admin of {scope.game_id}"
    return _refusal(why, Code.PERMISSION_MISSING, missing, scope, game_id=scope.game_id)


def _refusal(why: str, code: Code, missing: str, scope: Scope | None, **others: str) -> Verdict:
    parameters = {"missing": missing, **({"scope": str(scope)} if scope else {}), **others}
    return Verdict(allowed=False, why=why, code=code, parameters=parameters)


def refuse(verdict: Verdict) -> PermissionDenied:
    return PermissionDenied(verdict.why, verdict.parameters, code=verdict.code)
