from collections.abc import Callable
from dataclasses import dataclass, replace

from croupier.domain.call import Call
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.guard import Guard
from croupier.server.explain.answers import Explanation
from croupier.server.explain.inspector import Inspector, permission_gate

WhoIs = Callable[[str], Principal | None]
"""The account of that name or id, as it would act signed in; None where there is none, or it is disabled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """About a call or a permission, not both."""

    call: Call | None = None
    given: bool = False
    """Whether its arguments are; else what depends on them is left open."""
    permission: str = ""
    scope: Scope | None = None
    """Of the permission; None is the platform as a whole."""
    user: str = ""
    """The name or id of somebody else."""
    role: str = ""
    """As if this role were all one has."""


class Explain:
    def __init__(self, *, guard: Guard, inspector: Inspector, whois: WhoIs) -> None:
        self._guard = guard
        self._policy = guard.policy
        self._inspector = inspector
        self._whois = whois

    async def ask(self, caller: Principal, question: Question) -> Explanation:
        """Whoever is known may ask about himself, who has `roles:read` about others, who has `roles:manage` about roles.

        Whoever has no business in the scope is told of the permission, and of nothing that others do there.
        Raises InvalidArgument, NotFound, PermissionDenied.
        """
        call = question.call
        if (call is None) is (not question.permission):
            raise InvalidArgument("ask about one of function_id and permission")
        scope = question.scope if call is None else call.scope
        who = await self._who(caller, question, scope)
        roles = self._policy.roles(who, scope)
        if call is None:
            verdict = self._policy.decide(who, question.permission, scope)
            return Explanation(who=who, roles=roles, gates=[permission_gate(verdict)])
        found = self._inspector.of(
            who,
            replace(call, caller=who.name),
            given=question.given,
            own=who is caller,
            inside=self._policy.belongs(caller, call.scope),
        )
        return Explanation(who=who, roles=roles, gates=found.gates, demand=found.demand, affected=found.affected)

    async def _who(self, caller: Principal, question: Question, scope: Scope | None) -> Principal:
        who = caller
        if question.user and question.user not in {caller.name, caller.user_id}:
            await self._guard.require(caller, "roles.read", scope)
            found = self._whois(question.user)
            if found is None:
                raise NotFound(f"there is no account {question.user[:64]}, or it is disabled")
            who = found
        if question.role:
            await self._guard.require(caller, "roles.manage", scope)
            if question.role not in self._policy.snapshot.roles:
                raise NotFound(f"unknown role {question.role[:64]}")
            who = replace(who, root=False, acting_as=question.role)
        return who
