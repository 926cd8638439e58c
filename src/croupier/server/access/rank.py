"""Who takes over an account can do what it may, so only those may who can do as much already."""

from croupier.codes import Code
from croupier.domain.principal import Principal
from croupier.errors import PermissionDenied
from croupier.server.access.policy import Policy
from croupier.server.access.policy.snapshot import Grant, allowed_to_token


def check_rank(policy: Policy, caller: Principal, other: Principal) -> None:
    """Raises PermissionDenied when `other` may do something, somewhere, that `caller` may not."""
    if caller.root or caller.user_id == other.user_id:
        return
    own = policy.snapshot.grants(caller)
    for grant in policy.snapshot.grants(other):
        for pattern in grant.permissions.patterns:
            if not _may(caller, pattern) or not any(_covers(each, grant, pattern) for each in own):
                raise PermissionDenied(
                    f"{other.name} may do what you may not ({pattern}, by the role {grant.role.name}): "
                    "ask somebody who may do as much",
                    {"name": other.name, "pattern": pattern, "role": grant.role.name},
                    code=Code.OUTRANKED,
                )


def _covers(own: Grant, other: Grant, pattern: str) -> bool:
    is_wide = own.binding.game_id in {"*", other.binding.game_id} and own.binding.env in {"*", other.binding.env}
    return is_wide and bool(own.permissions.covering(pattern))


def _may(caller: Principal, pattern: str) -> bool:
    """Within what a token is limited to. One that is limited to some places takes over nobody."""
    if caller.scopes is not None:
        return False
    return caller.permissions is None or bool(allowed_to_token(caller.permissions).covering(pattern))
