"""Why somebody may or may not: the steps that decide about a call, or about anything else, one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from croupier.domain.call import Call
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, InvalidArgument, NotFound
from croupier.server.access.guard import Guard
from croupier.server.access.policy.calling import facts_of
from croupier.server.access.policy.conditions import compile_condition, looks_at_arguments, why_not
from croupier.server.catalog import Catalog, Entry

WhoIs = Callable[[str], Principal | None]
"""The account of that name or id, as it would act signed in; None where there is none, or it is disabled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """About a function or a permission, not both."""

    function_id: str = ""
    permission: str = ""
    scope: Scope | None = None
    payload: bytes | None = None
    """The arguments; without them what depends on them is left open."""
    user: str = ""
    """The name or id of somebody else."""
    role: str = ""
    """As if this role were all one has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    name: str
    """assigned | permission | allow_if | schema"""
    passed: bool | None
    """None: it depends on arguments that are not given."""
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    who: Principal
    roles: Sequence[str]
    steps: Sequence[Step]

    @property
    def allowed(self) -> bool | None:
        """None: it depends on arguments that are not given."""
        if any(step.passed is False for step in self.steps):
            return False
        return None if any(step.passed is None for step in self.steps) else True

    @property
    def decided_by(self) -> Step:
        return next((step for step in self.steps if step.passed is False), self.steps[-1])


class Explain:
    def __init__(self, *, guard: Guard, catalog: Catalog, whois: WhoIs, clock: Callable[[], int]) -> None:
        self._guard = guard
        self._policy = guard.policy
        self._catalog = catalog
        self._whois = whois
        self._clock = clock

    async def ask(self, caller: Principal, question: Question) -> Explanation:
        """Whoever is known may ask about himself, who has `roles:read` about others, who has `roles:manage` about roles.

        Nothing runs, and nothing is counted. Raises InvalidArgument, NotFound, PermissionDenied.
        """
        who = await self._who(caller, question)
        if bool(question.function_id) == bool(question.permission):
            raise InvalidArgument("ask about one of function_id and permission")
        if question.function_id:
            if question.scope is None:
                raise InvalidArgument("a function is called in a scope: send game_id and env")
            steps = self._steps(who, _call(question, question.scope, who), question)
        else:
            verdict = self._policy.decide(who, question.permission, question.scope)
            steps = [Step(name="permission", passed=verdict.allowed, detail=verdict.why)]
        return Explanation(who=who, roles=self._policy.roles(who, question.scope), steps=steps)

    async def _who(self, caller: Principal, question: Question) -> Principal:
        who = caller
        if question.user and question.user not in {caller.name, caller.user_id}:
            await self._guard.require(caller, "roles.read", question.scope)
            found = self._whois(question.user)
            if found is None:
                raise NotFound(f"there is no account {question.user[:64]}, or it is disabled")
            who = found
        if question.role:
            await self._guard.require(caller, "roles.manage", question.scope)
            if question.role not in self._policy.snapshot.roles:
                raise NotFound(f"unknown role {question.role[:64]}")
            who = replace(who, root=False, acting_as=question.role)
        return who

    def _steps(self, who: Principal, call: Call, question: Question) -> list[Step]:
        steps = []
        entry: Entry | None = None
        try:
            entry = self._catalog.find(call)
            detail = f"{call.function_id} may be used in {call.scope}"
            steps.append(Step(name="assigned", passed=True, detail=detail))
        except CroupierError as error:
            steps.append(Step(name="assigned", passed=False, detail=error.message))
            entry = self._catalog.entry(call.scope, call.function_id)
        descriptor = entry.descriptor if entry is not None else None
        stated = descriptor.auth.permission if descriptor is not None else ""
        verdict = self._policy.decide_function(who, call.function_id, stated, call.scope)
        steps.append(Step(name="permission", passed=verdict.allowed, detail=verdict.why))
        if entry is not None:
            steps += self._about_arguments(who, call, entry, given=question.payload is not None)
        return steps

    def _about_arguments(self, who: Principal, call: Call, entry: Entry, *, given: bool) -> list[Step]:
        steps = []
        fitted = call
        if given:
            try:
                fitted = self._catalog.fit(entry, call)
                steps.append(Step(name="schema", passed=True, detail="the arguments fit the function"))
            except CroupierError as error:
                steps.append(Step(name="schema", passed=False, detail=error.message))
        if (step := self._condition(who, fitted, entry, given=given)) is not None:
            steps.insert(0, step)
        return steps

    def _condition(self, who: Principal, call: Call, entry: Entry, *, given: bool) -> Step | None:
        descriptor = entry.descriptor
        if descriptor is None or not (text := descriptor.auth.allow_if):
            return None
        if who.root:
            return Step(name="allow_if", passed=True, detail="the token of the server's settings may do everything")
        try:
            if not given and looks_at_arguments(compile_condition(text)):
                return Step(name="allow_if", passed=None, detail=f"depends on the arguments: {text}")
        except InvalidArgument as error:
            return Step(name="allow_if", passed=False, detail=error.message)
        reason = why_not(text, facts_of(self._policy, who, call, descriptor, self._clock()))
        return Step(name="allow_if", passed=not reason, detail=reason or f"holds: {text}")


def _call(question: Question, scope: Scope, who: Principal) -> Call:
    return Call(
        id="", function_id=question.function_id, scope=scope, payload=question.payload or b"{}", caller=who.name
    )
