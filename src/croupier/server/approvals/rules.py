"""Which calls need somebody else's approval, and whose: by description, risk and the platform's own rules."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from croupier.domain.assignment import Assignment
from croupier.domain.call import Call
from croupier.domain.causes import DESCRIPTION, TWO_PERSON, by_risk, by_rule
from croupier.domain.demand import Demand, Stage, merged
from croupier.domain.principal import Principal
from croupier.errors import CroupierError
from croupier.server.catalog import Entry
from croupier.settings import ApprovalRuleSettings, ApprovalsSettings

Condition = Callable[[Principal, Call, Entry], bool]
"""Whether a rule's condition holds for a call."""
Compile = Callable[[str], Condition]
"""Makes one of its text. Raises InvalidArgument for a text that is none."""


def always(text: str) -> Condition:  # noqa: ARG001 — of the form of Compile
    """For where nothing can read conditions: every one holds, so that more is approved, and never less."""
    return lambda _caller, _call, _entry: True


class _Rule:
    def __init__(self, settings: ApprovalRuleSettings, compile_condition: Compile) -> None:
        self._functions = Assignment(settings.functions)
        self._game_id, self._env = settings.game_id, settings.env
        self._condition = compile_condition(settings.when) if settings.when else None
        self.demand = Demand(
            why=(by_rule(settings.name),),
            stages=tuple(Stage(approvers=each.approvers, threshold=each.threshold) for each in settings.stages),
            expires=settings.expires,
            reason=settings.reason,
            ticket=settings.ticket,
            proof=settings.proof,
        )

    @property
    def conditional(self) -> bool:
        return self._condition is not None

    def concerns(self, call: Call) -> bool:
        """Whether it is about calls of this function in this scope."""
        if not self._functions.admits(call.function_id):
            return False
        return self._game_id in {None, call.scope.game_id} and self._env in {None, call.scope.env}

    def holds(self, caller: Principal, call: Call, entry: Entry, *, for_rows: bool) -> bool:
        if not self.concerns(call):
            return False
        return self._condition is None or for_rows or self._condition(caller, call, entry)


class Rules:
    def __init__(self, settings: ApprovalsSettings | None = None, compile_condition: Compile = always) -> None:
        """Raises InvalidArgument where a rule's condition or pattern is none."""
        self.settings = settings or ApprovalsSettings()
        self._rules = [_Rule(each, compile_condition) for each in self.settings.rules]
        self._compile = compile_condition
        self._compiled = lru_cache(maxsize=4096)(self._compile_described)
        self.any = bool(self._rules or self.settings.risks)
        """Whether calls can need one although their description does not ask for it."""

    def demand(
        self, caller: Principal, call: Call, entry: Entry, *, extra: Sequence[Demand] = (), for_rows: bool = False
    ) -> Demand | None:
        """What has to be approved, all rules together, those of `extra` with them; None where nothing has.

        For a bulk run (`for_rows`), of which nobody looks at each row, every condition counts as fulfilled.
        """
        found = merged(
            [
                *self._described(caller, call, entry, for_rows=for_rows),
                *self._own(caller, call, entry, for_rows),
                *extra,
            ]
        )
        if found is None:
            return None
        settings, descriptor = self.settings, entry.descriptor
        proof = found.proof or entry.function.risk in settings.proof_risks
        return replace(
            found,
            reason=found.reason or settings.reason,
            ticket=found.ticket or settings.ticket,
            proof=proof or (descriptor is not None and descriptor.auth.risk.requires_mfa),
        )

    def conditional(self, call: Call, entry: Entry) -> bool:
        """Whether it depends on anything but the function and the scope of a call what has to be approved."""
        described = entry.descriptor.auth.two_person_rule if entry.descriptor is not None else None
        return bool(described and described.required and described.conditions) or any(
            rule.conditional and rule.concerns(call) for rule in self._rules
        )

    def _described(self, caller: Principal, call: Call, entry: Entry, *, for_rows: bool) -> Iterator[Demand]:
        descriptor = entry.descriptor
        if descriptor is None:
            return
        rule = descriptor.auth.two_person_rule
        if rule.required and (for_rows or self._condition_holds(rule.conditions, caller, call, entry)):
            stage = Stage(approvers=tuple(rule.approvers), threshold=rule.threshold)
            yield Demand(why=(TWO_PERSON,), stages=(stage,), expires=rule.expiry_time)
        if descriptor.semantics.approval_required:
            yield Demand(why=(DESCRIPTION,))

    def _own(self, caller: Principal, call: Call, entry: Entry, for_rows: bool) -> Iterator[Demand]:
        risk = entry.function.risk
        if risk in self.settings.risks:
            yield Demand(why=(by_risk(risk),))
        for rule in self._rules:
            if rule.holds(caller, call, entry, for_rows=for_rows):
                yield rule.demand

    def _condition_holds(self, conditions: Any, caller: Principal, call: Call, entry: Entry) -> bool:
        """Of a description's rule. Whatever is no condition in words holds: more is approved, and never less."""
        if not isinstance(conditions, str) or not conditions.strip():
            return True
        return self._compiled(conditions)(caller, call, entry)

    def _compile_described(self, conditions: str) -> Condition:
        try:
            return self._compile(conditions)
        except CroupierError:
            return always(conditions)
