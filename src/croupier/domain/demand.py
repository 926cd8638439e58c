"""What an approval takes: who has to agree, how many, in which order, how soon."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

KINDS = ("user", "group", "role")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One step: so many of these people. Stages are taken in order."""

    approvers: tuple[str, ...] = ()
    """`user:…`, `group:…`, `role:…`, or a bare name for any of the three; nobody named is whoever may decide."""
    threshold: int = 1

    def admits(self, names: frozenset[str]) -> bool:
        """`names` are `kind:name`, all of one person."""
        return not self.approvers or any(_spelled(each) & names for each in self.approvers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """Why somebody else has to agree, and who."""

    why: tuple[str, ...]
    """The rules that ask for it, in words."""
    stages: tuple[Stage, ...] = (Stage(),)
    expires: float | None = None
    """Seconds that it may take; None is the platform's default."""
    reason: bool = False
    """The requester has to say why."""
    ticket: bool = False
    """And name a ticket."""
    proof: bool = False
    """Approvers prove their identity again."""


def merged(demands: Iterable[Demand]) -> Demand | None:
    """All of them at once; None where there are none. People who serve one rule serve the others too."""
    found = list(demands)
    if not found:
        return None
    limits = [each.expires for each in found if each.expires is not None]
    return Demand(
        why=tuple(dict.fromkeys(why for each in found for why in each.why)),
        stages=_stages(stage for each in found for stage in each.stages),
        expires=min(limits, default=None),
        reason=any(each.reason for each in found),
        ticket=any(each.ticket for each in found),
        proof=any(each.proof for each in found),
    )


def _stages(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """One stage for each set of approvers, as many as the strictest rule wants; anybody counts for "anybody"."""
    thresholds: dict[tuple[str, ...], int] = {}
    for stage in stages:
        approvers = tuple(sorted(set(stage.approvers)))
        thresholds[approvers] = max(stage.threshold, thresholds.get(approvers, 0))
    anybody = thresholds.pop((), 0) - sum(thresholds.values())
    named_ones = [Stage(approvers=approvers, threshold=count) for approvers, count in thresholds.items()]
    return (*named_ones, *([Stage(threshold=anybody)] if anybody > 0 else []))


def strengthened(demand: Demand, *, reason: bool, ticket: bool) -> Demand:
    """With what the platform demands of every request."""
    return replace(demand, reason=demand.reason or reason, ticket=demand.ticket or ticket)


def named(stage: Stage) -> str:
    """As people read it."""
    who = " or ".join(stage.approvers) if stage.approvers else "anybody who may decide approvals"
    return who if stage.threshold == 1 else f"{stage.threshold} of {who}"


def _spelled(approver: str) -> frozenset[str]:
    kind, colon, name = approver.partition(":")
    if colon and kind in KINDS and name:
        return frozenset({approver})
    return frozenset(f"{kind}:{approver}" for kind in KINDS)
