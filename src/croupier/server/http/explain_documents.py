"""Questions why, and their answers, as JSON."""

from dataclasses import dataclass

import msgspec

from croupier.codes import Code
from croupier.domain.demand import Demand
from croupier.domain.routing import Preview
from croupier.server.explain import Affected, Explanation, Gate
from croupier.server.http.cause_documents import CauseEntry, cause_entries

NAMED = 100
"""So many game servers and things of a call are named at most."""


class ExplainBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/access/explain`: about a call, by `function_id`, or about a `permission`."""

    function_id: str = ""
    permission: str = ""
    game_id: str = ""
    env: str = ""
    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """The arguments; without them what depends on them is left open."""
    route: str = ""
    target_service_id: str = ""
    hash_key: str = ""
    version: str = ""
    metadata: dict[str, str] = {}
    user: str = ""
    """Somebody else, by name or id; needs `roles:read`."""
    role: str = ""
    """As if this role were all one has; needs `roles:manage`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateEntry:
    gate: str
    """assigned, descriptor, permission, allow_if, maintenance, rate, concurrency, schema, budget, approval, route"""
    verdict: str
    """pass · ask: somebody else has to agree first · depends: on arguments that are not given · wait: not now · deny"""
    detail: str
    code: Code | None
    """What `detail` says, by name (docs/reference/refusals.md); null where it has none."""
    parameters: dict[str, str]
    """Of the code."""
    rule: str
    """What decides, by its name: a limit, a maintenance window, a condition; empty where nothing has one."""
    left: float | None
    """Of a rate, a concurrency or a budget."""
    retry_after: float
    """Seconds after which it is worth asking again; 0: nobody knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageWanted:
    approvers: list[str]
    """`user:…`, `group:…`, `role:…` or a bare name for any of them; none: whoever may decide approvals."""
    threshold: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalWanted:
    needed: bool | None
    """null: it depends on arguments that are not given; the rest then says what it may be at most."""
    why: list[str]
    causes: list[CauseEntry]
    """The same, by name."""
    stages: list[StageWanted]
    """In their order."""
    reason: bool
    """The call has to say why."""
    ticket: bool
    """The call has to name a ticket."""
    proof: bool
    """Approvers prove their second factor again."""
    expires: float | None
    """Seconds that it may take; null: the platform's default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GameServerEntry:
    agent_id: str
    service_id: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ThingEntry:
    entity: str
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AffectsEntry:
    risk: str
    mode: str
    """query or command"""
    returns: str
    """`job` where it is long work."""
    dry_run: bool
    """Whether it can be tried without effect."""
    things: list[ThingEntry]
    """The players and others that the arguments name, the first hundred."""
    route: str
    game_servers: int | None
    """How many would receive it; null where that was not asked."""
    candidates: int
    """Of how many."""
    receivers: list[GameServerEntry]
    """Those that would, the first hundred; of several where one is enough, one of them. Empty without `routes:preview`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainAnswer:
    allowed: bool | None
    """Whether the call would be taken now, to run or to wait for an approval. null: whether one may depends on arguments that
    are not given."""
    who: str
    roles: list[str]
    """Those that count in the scope."""
    decided_by: str
    """The gate."""
    reason: str
    """The rule that allows it, or what is missing and whom to ask."""
    gates: list[GateEntry]
    """In the order in which a call passes them. Who has no business in the scope is told of the first ones only."""
    approval: ApprovalWanted
    affects: AffectsEntry | None
    """null for a permission, and where the scope is none of the asker's business."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixFunction:
    function_id: str
    risk: str
    permission: str
    """What its description asks for, beside `function:<id>`; empty where that is all."""
    allow_if: str
    """A condition that holds for whoever may call it besides; empty where there is none."""
    roles: list[str]
    """Those of the page that may call it, where its condition, if it has one, holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessMatrix:
    roles: list[str]
    functions: list[MatrixFunction]
    next: str
    """`after` of the next page; empty when there is none."""


def explain_answer(found: Explanation, *, names: bool) -> ExplainAnswer:
    """`names`: whether the asker may know the names of game servers."""
    return ExplainAnswer(
        allowed=found.allowed,
        who=found.who.name,
        roles=list(found.roles),
        decided_by=found.decided_by.name,
        reason=found.decided_by.detail,
        gates=[_gate(each) for each in found.gates],
        approval=_approval(found.demand, depends=found.approval_depends),
        affects=None if found.affected is None else _affects(found.affected, names=names),
    )


def _gate(gate: Gate) -> GateEntry:
    return GateEntry(
        gate=gate.name,
        verdict=gate.says.value,
        detail=gate.detail,
        code=gate.code,
        parameters=dict(gate.parameters),
        rule=gate.rule,
        left=gate.left,
        retry_after=gate.retry_after,
    )


def _approval(demand: Demand | None, *, depends: bool) -> ApprovalWanted:
    if demand is None:
        return ApprovalWanted(
            needed=False, why=[], causes=[], stages=[], reason=False, ticket=False, proof=False, expires=None
        )
    return ApprovalWanted(
        needed=None if depends else True,
        why=list(demand.why),
        causes=cause_entries(demand.why),
        stages=[StageWanted(approvers=list(each.approvers), threshold=each.threshold) for each in demand.stages],
        reason=demand.reason,
        ticket=demand.ticket,
        proof=demand.proof,
        expires=demand.expires,
    )


def _affects(affected: Affected, *, names: bool) -> AffectsEntry:
    function, route = affected.function, affected.route
    return AffectsEntry(
        risk=function.risk,
        mode=function.mode,
        returns=function.returns,
        dry_run=function.dry_run,
        things=[ThingEntry(entity=each.entity, id=each.id) for each in affected.subjects[:NAMED]],
        route="" if route is None else route.route.value,
        game_servers=affected.game_servers,
        candidates=0 if route is None else route.total,
        receivers=[] if route is None or not names else _receivers(route),
    )


def _receivers(route: Preview) -> list[GameServerEntry]:
    chosen = [each for each in route.candidates if each.chosen][:NAMED]
    return [
        GameServerEntry(agent_id=each.agent_id, service_id=each.service_id, version=each.version) for each in chosen
    ]
