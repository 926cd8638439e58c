"""Conditions of rules, in the CEL of permissions: on the caller, the scope, the arguments and the time."""

from collections.abc import Callable

from croupier.domain.call import Call
from croupier.domain.principal import Principal
from croupier.server.access.policy import Policy
from croupier.server.access.policy.conditions import Facts, compile_condition, why_not
from croupier.server.approvals.rules import Compile, Condition
from croupier.server.catalog import Entry


def conditions(policy: Policy, clock: Callable[[], int]) -> Compile:
    """A condition holds unless its contrary is exactly true: an error, an unknown name and a wrong type ask for an
    approval. `clock` gives milliseconds since 1970.
    """

    def compiled(text: str) -> Condition:
        contrary = f"!({text})"
        compile_condition(contrary)

        def holds(caller: Principal, call: Call, entry: Entry) -> bool:
            return bool(why_not(contrary, _facts(policy, caller, call, entry, clock())))

        return holds

    return compiled


def _facts(policy: Policy, caller: Principal, call: Call, entry: Entry, now_ms: int) -> Facts:
    scope = call.scope
    return Facts(
        user=caller.name,
        user_id=caller.user_id,
        roles=policy.roles(caller, scope),
        scope=scope,
        function_id=call.function_id,
        risk=entry.function.risk,
        payload=call.payload,
        now_ms=now_ms,
        has_permission=lambda name: policy.decide(caller, name, scope).allowed,
    )
