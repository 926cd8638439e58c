"""Approvals for tests: a request by ann of one function, as the gate would make it."""

from croupier.domain.approval import Approval, ApprovalKind, Approver, approver_of
from croupier.domain.binding import Bound
from croupier.domain.demand import Demand, Stage
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope

SCOPE = Scope("demo", "dev")
NOW = 1_700_000_000_000
DAY_MS = 86_400_000


def a_user(name: str, *groups: str, **fields) -> Principal:
    return Principal(name=name, kind="user", user_id=f"u-{name}", groups=frozenset(groups), **fields)


def as_approver(name: str, *groups: str, roles: tuple[str, ...] = (), **fields) -> Approver:
    return approver_of(a_user(name, *groups, **fields), frozenset(roles))


ANN = a_user("ann")


def a_bound(**changes) -> Bound:
    return Bound(
        **{
            "function_id": "player.ban",
            "kind": "invoke",
            "description_version": "1.0.0",
            "description_sha256": "d",
            "arguments_sha256": "a",
            "metadata_sha256": "m",
            "game_id": "demo",
            "env": "dev",
            "route": "lb",
            "target_service_id": "",
            "hash_key": "",
            "version": "",
            "targets": (),
            "requester": "user:u-ann",
            "policy_sha256": "p",
        }
        | changes
    )


def a_demand(*stages: Stage, **changes) -> Demand:
    return Demand(**{"why": ("the two-person rule",), "stages": stages or (Stage(),)} | changes)


def an_approval(approval_id: str = "a1", **changes) -> Approval:
    return Approval(
        **{
            "id": approval_id,
            "kind": ApprovalKind.INVOKE,
            "call_id": f"c{approval_id}",
            "function_id": "player.ban",
            "scope": SCOPE,
            "requester": ANN,
            "bound": a_bound(),
            "demand": a_demand(),
            "created_ms": NOW,
            "expires_ms": NOW + DAY_MS,
        }
        | changes
    )
