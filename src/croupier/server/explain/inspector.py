"""The gates of one call, asked one by one in the order of `server.admission`, of which each is the twin of a step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from croupier.codes import Code
from croupier.domain.call import Call, Route
from croupier.domain.demand import Demand, named
from croupier.domain.limit import Then
from croupier.domain.principal import Principal
from croupier.domain.routing import Preview
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.access.guard import Guard
from croupier.server.access.limits import BudgetStanding, Limiter, OverBudget, Standing, UnderMaintenance, Windows
from croupier.server.access.policy.calling import facts_of
from croupier.server.access.policy.conditions import compile_condition, denial, looks_at_arguments
from croupier.server.access.policy.policy import Verdict
from croupier.server.admission import demands_of
from croupier.server.approvals import Rules
from croupier.server.catalog import Catalog, Entry
from croupier.server.catalog.entry import undescribed
from croupier.server.dispatch.hashing import with_hash_key
from croupier.server.explain.answers import Affected, Gate, Says

Foresee = Callable[[Call], Preview]
"""Who would receive a call now; nothing is sent."""


@dataclass(kw_only=True, slots=True)
class Found:
    """What is known so far of one call."""

    gates: list[Gate] = field(default_factory=list)
    demand: Demand | None = None
    affected: Affected | None = None
    over: Sequence[OverBudget] = ()
    """The budgets that it goes over and that somebody else may agree to."""


class Inspector:
    """Each method returns at once, and leaves everything as it is."""

    def __init__(
        self,
        *,
        guard: Guard,
        catalog: Catalog,
        limiter: Limiter,
        windows: Windows,
        rules: Rules,
        foresee: Foresee,
        clock: Callable[[], int],
    ) -> None:
        """`clock` gives milliseconds since 1970."""
        self._policy = guard.policy
        self._catalog = catalog
        self._limiter = limiter
        self._windows = windows
        self._rules = rules
        self._foresee = foresee
        self._clock = clock

    def of(self, who: Principal, call: Call, *, given: bool, own: bool, inside: bool) -> Found:
        """All of them, for a call by `who`. `given`: its arguments are; `own`: the asker would make it, so that it is worth
        saying whom it would reach; `inside`: the asker has business in its scope.
        """
        entry = self._catalog.entry(call.scope, call.function_id) or undescribed(call.function_id)
        found = Found(gates=[self._assigned(call), self._descriptor(entry), self._permission(who, call, entry)])
        if not inside:
            return found
        fitted, schema = self._schema(entry, call, given=given)
        found.gates += [
            *self._condition(who, fitted, entry, given=given),
            self._maintenance(who, call, entry),
            *self._limits(who, call, entry),
            schema,
            *self._budgets(who, fitted, entry, found, given=given and schema.says is Says.PASS),
            self._approval(who, fitted, entry, found, given=given),
        ]
        found.affected = Affected(function=entry.function, subjects=self._catalog.about(fitted, entry) if given else ())
        if own:
            self._route(fitted, found)
        return found

    def _assigned(self, call: Call) -> Gate:
        try:
            self._catalog.admit(call.scope, call.function_id)
        except CroupierError as error:
            return _refused("assigned", Says.DENY, error)
        return Gate(
            name="assigned",
            says=Says.PASS,
            detail=f"{call.function_id} may be used in {call.scope}",
            code=Code.ASSIGNED,
            parameters={"function": call.function_id, "scope": str(call.scope)},
        )

    def _descriptor(self, entry: Entry) -> Gate:
        origin = entry.origin
        if entry.descriptor is None:
            detail = f"nobody describes {entry.function.id}, so nothing is checked but the permission"
            return Gate(
                name="descriptor",
                says=Says.PASS,
                detail=detail,
                code=Code.UNDESCRIBED,
                parameters={"function": entry.function.id},
            )
        whose = f"{origin.kind.value.replace('_', ' ')} {origin.name}".rstrip()
        says, code, detail = Says.PASS, Code.DESCRIBED, f"described by {whose}"
        if not entry.enabled:
            says, code = Says.DENY, Code.DISABLED
            detail = f"{entry.function.id} is disabled by {whose}: enable it in its description there, or mend what is wrong with that"
        parameters = {"function": entry.function.id, "kind": origin.kind.value, "name": origin.name}
        return Gate(name="descriptor", says=says, detail=detail, rule=whose, code=code, parameters=parameters)

    def _permission(self, who: Principal, call: Call, entry: Entry) -> Gate:
        stated = entry.descriptor.auth.permission if entry.descriptor is not None else ""
        verdict = self._policy.decide_function(who, call.function_id, stated, call.scope)
        return permission_gate(verdict)

    def _condition(self, who: Principal, call: Call, entry: Entry, *, given: bool) -> Iterator[Gate]:
        descriptor = entry.descriptor
        if descriptor is None or not (text := descriptor.auth.allow_if):
            return
        if who.root:
            detail = "the token of the server's settings may do everything"
            yield Gate(name="allow_if", says=Says.PASS, detail=detail, rule=text, code=Code.ROOT)
            return
        said = {"condition": text}
        try:
            if not given and looks_at_arguments(compile_condition(text)):
                detail, code = f"depends on the arguments: {text}", Code.CONDITION_OPEN
                yield Gate(name="allow_if", says=Says.DEPENDS, detail=detail, rule=text, code=code, parameters=said)
                return
        except InvalidArgument as error:
            code, said = Code.CONDITION_UNUSABLE, {"fault": error.message}
            yield Gate(name="allow_if", says=Says.DENY, detail=error.message, rule=text, code=code, parameters=said)
            return
        found = denial(text, facts_of(self._policy, who, call, descriptor, self._clock()))
        if found is not None:
            yield Gate(
                name="allow_if",
                says=Says.DENY,
                detail=found.reason,
                rule=text,
                code=found.code,
                parameters=found.parameters,
            )
            return
        detail, code = f"holds: {text}", Code.CONDITION_HOLDS
        yield Gate(name="allow_if", says=Says.PASS, detail=detail, rule=text, code=code, parameters=said)

    def _maintenance(self, who: Principal, call: Call, entry: Entry) -> Gate:
        if entry.function.mode == "query":
            detail = "a query: maintenance lets it through"
            return Gate(name="maintenance", says=Says.PASS, detail=detail, code=Code.MAINTENANCE_SPARES_QUERIES)
        may_override = self._policy.decide(who, "maintenance.override", call.scope)
        try:
            overrides = self._windows.check(call.scope, call.metadata)
        except UnderMaintenance as error:
            how = (
                "; you may run it all the same with metadata override_maintenance=true" if may_override.allowed else ""
            )
            return Gate(
                name="maintenance",
                says=Says.WAIT,
                detail=error.message + how,
                rule=error.details["maintenance"],
                code=error.code,
                parameters={**error.details, "may_override": "true" if may_override.allowed else ""},
                retry_after=error.retry_after,
            )
        if not overrides:
            return Gate(
                name="maintenance",
                says=Says.PASS,
                detail=f"no window blocks commands in {call.scope}",
                code=Code.MAINTENANCE_NONE,
                parameters={"scope": str(call.scope)},
            )
        detail = f"overridden: {may_override.why}"
        if may_override.allowed:
            return Gate(name="maintenance", says=Says.PASS, detail=detail, code=Code.MAINTENANCE_OVERRIDDEN)
        code, said = may_override.code, may_override.parameters
        return Gate(name="maintenance", says=Says.DENY, detail=detail, code=code, parameters=said)

    def _limits(self, who: Principal, call: Call, entry: Entry) -> Iterator[Gate]:
        for each in self._limiter.standings(who, call, entry.descriptor):
            yield _limit_gate(each)

    def _schema(self, entry: Entry, call: Call, *, given: bool) -> tuple[Call, Gate]:
        """And the call as it would be sent."""
        if not given:
            unbound = entry.function.schema is None and not entry.conditional
            detail = "nothing is demanded of the arguments" if unbound else "the arguments are not given"
            says, code = (Says.PASS, Code.ARGUMENTS_FREE) if unbound else (Says.DEPENDS, Code.ARGUMENTS_OPEN)
            return call, Gate(name="schema", says=says, detail=detail, code=code)
        try:
            fitted = self._catalog.fit(entry, call)
        except CroupierError as error:
            return call, _refused("schema", Says.DENY, error)
        detail = "the arguments fit the function"
        return fitted, Gate(name="schema", says=Says.PASS, detail=detail, code=Code.ARGUMENTS_FIT)

    def _budgets(self, who: Principal, call: Call, entry: Entry, found: Found, *, given: bool) -> Iterator[Gate]:
        over: list[OverBudget] = []
        for each in self._limiter.budget_standings(who, call, entry.descriptor):
            yield _budget_gate(each, call if given else None, over)
        found.over = over

    def _approval(self, who: Principal, call: Call, entry: Entry, found: Found, *, given: bool) -> Gate:
        depends = not given and self._rules.conditional(call, entry)
        demand = self._rules.demand(who, call, entry, extra=demands_of(found.over), for_rows=depends)
        found.demand = demand
        if demand is None:
            detail = "nobody else has to agree"
            return Gate(name="approval", says=Says.PASS, detail=detail, code=Code.APPROVAL_NONE)
        stages = ", then ".join(named(stage) for stage in demand.stages)
        why = "; ".join(demand.why)
        says, code, detail = Says.ASK, Code.APPROVAL_NEEDED, f"needs an approval of {stages} ({why})"
        if depends:
            says, code = Says.DEPENDS, Code.APPROVAL_OPEN
            detail = f"depends on the arguments: it may need an approval of {stages} ({why})"
        return Gate(name="approval", says=says, detail=detail, rule=why, code=code)

    def _route(self, call: Call, found: Found) -> None:
        """Who would get it; the last gate, since nothing of it is about rights."""
        affected = found.affected
        if affected is None:
            raise ValueError("what the call does is found before whom it reaches")
        try:
            if call.route is Route.HASH and not call.hash_key:
                call = with_hash_key(call, affected.function)
            preview = self._foresee(call)
        except CroupierError as error:
            found.gates.append(_refused("route", Says.DENY, error))
            return
        found.gates.append(_route_gate(preview))
        found.affected = Affected(function=affected.function, subjects=affected.subjects, route=preview)


def permission_gate(verdict: Verdict) -> Gate:
    return Gate(
        name="permission",
        says=Says.PASS if verdict.allowed else Says.DENY,
        detail=verdict.why,
        code=verdict.code,
        parameters=verdict.parameters,
    )


def _refused(name: str, says: Says, error: CroupierError) -> Gate:
    return Gate(name=name, says=says, detail=error.message, code=error.code, parameters=error.details)


def _route_gate(preview: Preview) -> Gate:
    chosen = sum(each.chosen for each in preview.candidates)
    if not chosen:
        code, said = preview.code, preview.parameters
        return Gate(name="route", says=Says.WAIT, detail=preview.reason, code=code, parameters=said)
    said = {"route": preview.route.value, "chosen": str(chosen), "candidates": str(preview.total)}
    return Gate(name="route", says=Says.PASS, detail=preview.reason, code=Code.RECEIVERS, parameters=said)


def _limit_gate(standing: Standing) -> Gate:
    says = Says.WAIT if standing.refusal is not None else Says.PASS
    refused = standing.refusal
    return Gate(
        name=standing.kind,
        says=says,
        rule=standing.limit,
        detail=standing.told if refused is None else refused.message,
        code=standing.code if refused is None else refused.code,
        parameters=standing.parameters if refused is None else refused.details,
        left=standing.left,
        retry_after=0.0 if refused is None else refused.retry_after,
    )


def _budget_gate(standing: BudgetStanding, call: Call | None, over: list[OverBudget]) -> Gate:
    """`call` is None where its arguments are not given; what is gone over with somebody's consent is added to `over`."""
    says = Says.DEPENDS
    refusal: CroupierError | None = None
    if call is not None:
        says = Says.PASS
        try:
            refusal = standing.weigh(call)
        except InvalidArgument as error:
            refusal = error
        if isinstance(refusal, OverBudget) and standing.budget.then is Then.APPROVAL:
            says = Says.ASK
            over.append(refusal)
        elif refusal is not None:
            says = Says.DENY
    told = (standing.told, Code.BUDGET_LEFT, standing.parameters)
    detail, code, said = told if refusal is None else (refusal.message, refusal.code, refusal.details)
    return Gate(
        name="budget",
        says=says,
        rule=standing.limit.id,
        detail=detail,
        code=code,
        parameters=said,
        left=standing.left,
    )
