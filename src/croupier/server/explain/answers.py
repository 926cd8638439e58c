import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from croupier.codes import Code
from croupier.domain.call import Route
from croupier.domain.demand import Demand
from croupier.domain.entity import Subject
from croupier.domain.function import Function
from croupier.domain.principal import Principal
from croupier.domain.routing import Preview


class Says(StrEnum):
    """What a gate says of a call."""

    PASS = "pass"  # noqa: S105 — a verdict
    ASK = "ask"
    """Somebody else has to agree first."""
    DEPENDS = "depends"
    """On arguments that are not given."""
    WAIT = "wait"
    """Not now, whoever asks."""
    DENY = "deny"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    name: str
    """assigned | descriptor | permission | allow_if | maintenance | rate | concurrency | schema | budget | approval | route"""
    says: Says
    detail: str
    """In words, with what to do about it."""
    code: Code | None = None
    """What it says, by name; None where it is none that a page would have words for."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    rule: str = ""
    """What decides, by its name: a limit, a maintenance window; `description` for the function's own."""
    left: float | None = None
    """How much is left of a rate (calls that may come at once), of a concurrency or of a budget."""
    retry_after: float = 0.0
    """Seconds after which it is worth asking again; 0: nobody knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Affected:
    """What the call would do, and to how many."""

    function: Function
    """As it is described."""
    subjects: Sequence[Subject] = ()
    """The players and other things that the arguments name."""
    route: Preview | None = None
    """Who would receive it; None where that was not asked, or can never be."""

    @property
    def game_servers(self) -> int | None:
        """How many would receive it; None where that was not asked."""
        if self.route is None:
            return None
        chosen = sum(each.chosen for each in self.route.candidates)
        return chosen if self.route.route is Route.BROADCAST else min(chosen, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    who: Principal
    roles: Sequence[str]
    gates: Sequence[Gate]
    """In the order in which a call passes them."""
    demand: Demand | None = None
    """What has to be approved, by whom; where it depends on arguments that are not given, what it may be at most."""
    affected: Affected | None = None

    @property
    def allowed(self) -> bool | None:
        """Whether the call would be taken now, to run or to wait for an approval. None: whether one may depends on arguments
        that are not given; whether those fit, and what they take of budgets, counts only where they are.
        """
        return {Says.DENY: False, Says.WAIT: False, Says.DEPENDS: None}.get(self.decided_by.says, True)

    @property
    def approval_depends(self) -> bool:
        """Whether it takes the arguments to say if somebody else has to agree."""
        return any(gate.name == "approval" and gate.says is Says.DEPENDS for gate in self.gates)

    @property
    def decided_by(self) -> Gate:
        """The first gate that stops it, or would; else the permission."""
        stops = (gate for gate in self.gates if gate.says in {Says.DENY, Says.WAIT})
        depends = (gate for gate in self.gates if gate.says is Says.DEPENDS and gate.name == "allow_if")
        allows = (gate for gate in self.gates if gate.name == "permission")
        return next(itertools.chain(stops, depends, allows))
