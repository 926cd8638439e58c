"""Whether somebody may make a call: by permission, then by the condition of its function."""

from croupier.codes import Code
from croupier.descriptors import FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.principal import Principal
from croupier.errors import PermissionDenied
from croupier.server.access.policy.conditions import Facts, denial
from croupier.server.access.policy.policy import Policy, refuse


def require_call(policy: Policy, caller: Principal, call: Call, descriptor: FunctionDescriptor | None) -> None:
    """Raises PermissionDenied, saying what is missing and whom to ask. Says nothing of the function's condition."""
    if caller.acting_as:
        raise PermissionDenied(
            f"who looks at things as role {caller.acting_as} runs nothing: leave X-See-As out",
            {"role": caller.acting_as},
            code=Code.SEES_AS_ROLE,
        )
    stated = descriptor.auth.permission if descriptor is not None else ""
    verdict = policy.decide_function(caller, call.function_id, stated, call.scope)
    if not verdict.allowed:
        raise refuse(verdict)


def require_condition(
    policy: Policy, caller: Principal, call: Call, descriptor: FunctionDescriptor, now_ms: int
) -> None:
    """Raises PermissionDenied unless the condition of the function holds for these arguments."""
    found = denial(descriptor.auth.allow_if, facts_of(policy, caller, call, descriptor, now_ms))
    if found is not None:
        said = {"scope": str(call.scope), "rule": "allow_if", **found.parameters}
        raise PermissionDenied(found.reason, said, code=found.code)


def facts_of(policy: Policy, caller: Principal, call: Call, descriptor: FunctionDescriptor, now_ms: int) -> Facts:
    scope = call.scope
    return Facts(
        user=caller.name,
        user_id=caller.user_id,
        roles=policy.roles(caller, scope),
        scope=scope,
        function_id=call.function_id,
        risk=descriptor.risk,
        payload=call.payload,
        now_ms=now_ms,
        has_permission=lambda name: policy.decide(caller, name, scope).allowed,
    )
